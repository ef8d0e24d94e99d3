import type { RequestError } from '@orderstream/runtime/errors';
import { buildSchema, execute, parse } from 'graphql';
import { expect, test } from 'vitest';
import { toBinary, toText } from './binary.ts';
import type { CallFailure } from './failure.ts';
import { type InProcessOptions, openInProcessTransport } from './in-process.ts';
import type { Transport } from './transport.ts';

type Asking = { readonly user: string; readonly deadline?: number };

const schema = buildSchema('type Query { greeting(of: String!): String! }');

const open = (options: Partial<InProcessOptions<Asking>> = {}): Transport<Asking> =>
  openInProcessTransport<Asking>({
    name: 'greetings',
    execute: ({ query, variables }, { user }) =>
      execute({
        schema,
        document: parse(query),
        variableValues: variables,
        rootValue: { greeting: ({ of }: { of: string }) => `${user} grüßt ${of}` },
      }),
    timeoutMs: 1_000,
    largestAnswer: 10_000,
    deadlineOf: ({ deadline }) => deadline ?? Number.POSITIVE_INFINITY,
    ...options,
  });

const ask = (transport: Transport<Asking>, of: string, asking: Asking = { user: 'Ada' }): Promise<string> =>
  new Promise((resolve, reject) => {
    const query = 'query ($of: String!) { greeting(of: $of) }';
    transport.send(toBinary(JSON.stringify({ query, variables: { of } })), true, asking, {
      answered: (body) => resolve(toText(body)),
      failed: reject,
    });
  });

const reasonOf = (answer: Promise<string>): Promise<string> =>
  answer.then(
    (body) => `answered ${body}`,
    (failure: RequestError) => (failure as CallFailure).reason,
  );

const later = () => new Promise<never>(() => {});

test('a subgraph in the same process answers as it would over a wire', async () => {
  expect(await ask(open(), 'Zoë 🎁')).toBe('{"data":{"greeting":"Ada grüßt Zoë 🎁"}}');
});

test('what it promises comes as well', async () => {
  const transport = open({ execute: async () => ({ data: { greeting: 'hej' } }) });
  expect(await ask(transport, 'Bo')).toBe('{"data":{"greeting":"hej"}}');
});

test('what it throws, at once or later, is a failed call', async () => {
  const thrown = () => {
    throw new Error('a bug');
  };
  expect(await reasonOf(ask(open({ execute: thrown }), 'Bo'))).toBe('status');
  expect(await reasonOf(ask(open({ execute: () => Promise.reject(new Error('a bug')) }), 'Bo'))).toBe(
    'status',
  );
});

test('it is bound by time and size like any other', async () => {
  expect(await reasonOf(ask(open({ execute: later, timeoutMs: 60 }), 'Bo'))).toBe('late');
  const soon = { user: 'Ada', deadline: performance.now() + 60 };
  expect(await reasonOf(ask(open({ execute: later }), 'Bo', soon))).toBe('impatient');
  expect(await reasonOf(ask(open({ largestAnswer: 20 }), 'Bo'))).toBe('size');
});

test('closing waits for what is under way', async () => {
  let finish = (_: { data: null }): void => {};
  const transport = open({
    execute: () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  });
  const last = ask(transport, 'Bo');
  let isClosed = false;
  const closed = transport.close().then(() => {
    isClosed = true;
  });
  expect(await reasonOf(ask(transport, 'Bo'))).toBe('closed');
  expect(isClosed).toBe(false);
  finish({ data: null });
  expect(await last).toBe('{"data":null}');
  await closed;
});
