import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RequestError } from '@orderstream/runtime/errors';
import { afterEach, expect, test } from 'vitest';
import { toBinary, toText } from './binary.ts';
import type { CallFailure } from './failure.ts';
import { type HttpOptions, type HttpTransport, openHttpTransport } from './http.ts';

type Asking = { readonly user: string; readonly deadline?: number };

type Heard = { readonly body: string; readonly headers: IncomingMessage['headers']; readonly port: number };

type Subgraph = { readonly origin: string; readonly heard: Heard[]; readonly server: Server };

type Answer = (heard: Heard, response: ServerResponse, request: IncomingMessage) => void;

const toClose: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

const serve = async (answer: Answer, path?: string): Promise<Subgraph> => {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        body: Buffer.concat(chunks).toString('utf8'),
        headers: request.headers,
        port: request.socket.remotePort ?? 0,
      };
      heard.push(one);
      const id = request.headers['x-call-id'];
      if (id) response.setHeader('x-call-id', id);
      response.setHeader('content-type', 'application/json');
      answer(one, response, request);
    });
  });
  server.listen(path ? { path } : { port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  toClose.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = path ? `unix:${path}` : `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, heard, server };
};

const open = (origin: string, options: Partial<HttpOptions<Asking>> = {}): HttpTransport<Asking> => {
  const transport = openHttpTransport<Asking>({
    name: 'catalog',
    origin,
    path: '/catalog/graphql',
    headersOf: ({ user }) => ['x-user', user],
    timeoutMs: 5_000,
    largestAnswer: 100_000,
    // A busy machine is no slow subgraph.
    brisk: 20,
    deadlineOf: ({ deadline }) => deadline ?? Number.POSITIVE_INFINITY,
    ...options,
  });
  toClose.push(transport.close);
  return transport;
};

const ask = (
  transport: HttpTransport<Asking>,
  text: string,
  { isQuery = true, asking = { user: 'ada' } as Asking } = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    transport.send(toBinary(JSON.stringify({ query: text, variables: {} })), isQuery, asking, {
      answered: (body) => resolve(toText(body)),
      failed: (failure) => reject(failure),
    });
  });

const failureOf = async (answer: Promise<string>): Promise<Pick<CallFailure, 'code' | 'reason'>> => {
  const failure = await answer.then(
    (body) => Promise.reject(new Error(`answered ${body}`)),
    (error: RequestError) => error as CallFailure,
  );
  return { code: failure.code, reason: failure.reason };
};

const echo: Answer = ({ body }, response) => {
  response.end(JSON.stringify({ data: { heard: JSON.parse(body).query } }));
};

const heardBack = (text: string): string => JSON.stringify({ data: { heard: text } });

/** Shows that the subgraph names calls and is quick, so that queries share connections from then on. */
const warmUp = async (transport: HttpTransport<Asking>): Promise<void> => {
  for (let at = 0; at < 12; at += 1) await ask(transport, '{ warm }');
};

/** Answers that come in quick succession, after which a connection counts as flowing. */
const burst = async (transport: HttpTransport<Asking>): Promise<void> => {
  for (let round = 0; round < 5; round += 1)
    await Promise.all(Array.from({ length: 10 }, () => ask(transport, '{ burst }')));
};

test('a query goes out with the headers of whoever asks and comes back as it is', async () => {
  const { origin, heard } = await serve(echo);
  expect(await ask(open(origin), '{ Grüße 🎁 }')).toBe(heardBack('{ Grüße 🎁 }'));
  expect(heard[0]!.headers).toMatchObject({ 'x-user': 'ada', 'content-type': 'application/json' });
});

test('a subgraph may listen on a unix socket', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'subgraph-')), 'catalog.sock');
  const { origin } = await serve(echo, path);
  const transport = open(origin);
  await warmUp(transport);
  expect(await ask(transport, '{ near }')).toBe(heardBack('{ near }'));
  expect(transport.counts.inLine).toBeGreaterThan(0);
});

test('quick queries of many users share connections, and each gets its own answer', async () => {
  const { origin, heard } = await serve(echo);
  const transport = open(origin, { connections: 2 });
  await warmUp(transport);
  for (let round = 0; round < 20; round += 1) {
    const texts = Array.from({ length: 10 }, (_, at) => `{ product(id: ${round * 10 + at}) }`);
    expect(await Promise.all(texts.map((text) => ask(transport, text)))).toEqual(texts.map(heardBack));
  }
  expect(transport.counts.behind).toBeGreaterThan(0);
  expect(new Set(heard.map(({ headers }) => headers['x-call-id'])).size).toBe(heard.length);
});

test('a subgraph that does not name calls never has two of them on one connection', async () => {
  let most = 0;
  const busy = new Map<number, number>();
  const { origin } = await serve(({ body, port }, response) => {
    response.removeHeader('x-call-id');
    busy.set(port, (busy.get(port) ?? 0) + 1);
    most = Math.max(most, busy.get(port)!);
    setTimeout(() => {
      busy.set(port, busy.get(port)! - 1);
      echo({ body, headers: {}, port }, response, undefined as never);
    }, 1);
  });
  const transport = open(origin);
  await warmUp(transport);
  await Promise.all(Array.from({ length: 50 }, (_, at) => ask(transport, `{ a${at} }`)));
  expect(most).toBe(1);
  expect(transport.counts.inLine).toBe(0);
});

test('a mutation has its connection to itself', async () => {
  const alongside: string[] = [];
  const busy = new Map<number, string[]>();
  const { origin } = await serve((heard, response) => {
    const others = busy.get(heard.port) ?? [];
    busy.set(heard.port, [...others, heard.body]);
    if (others.length > 0 && [...others, heard.body].some((body) => body.includes('mutation')))
      alongside.push(heard.body);
    setTimeout(() => {
      busy.set(heard.port, busy.get(heard.port)!.slice(1));
      echo(heard, response, undefined as never);
    }, 2);
  });
  const transport = open(origin);
  await warmUp(transport);
  const asked = Array.from({ length: 60 }, (_, at) =>
    ask(transport, at % 3 ? `{ a${at} }` : `mutation { b${at} }`, { isQuery: at % 3 > 0 }),
  );
  await Promise.all(asked);
  expect(alongside).toEqual([]);
});

test.each([
  [401, 'refused'],
  [429, 'overloaded'],
  [500, 'status'],
  [502, 'overloaded'],
  [503, 'overloaded'],
  [302, 'status'],
] as const)('status %i is no answer, whatever it says', async (status, reason) => {
  const { origin } = await serve((heard, response) => {
    response.statusCode = status;
    echo(heard, response, undefined as never);
  });
  expect(await failureOf(ask(open(origin), '{ a }'))).toEqual({ code: 'SUBGRAPH_UNAVAILABLE', reason });
});

test('a 400 that carries JSON is an answer; a page is not', async () => {
  const { origin } = await serve((heard, response) => {
    response.statusCode = 400;
    if (heard.body.includes('page')) response.setHeader('content-type', 'text/html');
    echo(heard, response, undefined as never);
  });
  const transport = open(origin);
  expect(await ask(transport, '{ a }')).toBe(heardBack('{ a }'));
  expect(await failureOf(ask(transport, '{ page }'))).toMatchObject({ reason: 'status' });
});

test.each([true, false])(
  'an answer larger than allowed is not taken in (length told: %s)',
  async (isTold) => {
    const { origin } = await serve((_, response) => {
      if (isTold) response.setHeader('content-length', 200_000);
      response.write(`{"data":"${'a'.repeat(150_000)}`);
      response.end(`${'a'.repeat(200_000 - 150_000 - 11)}"}`);
    });
    const transport = open(origin);
    expect(await failureOf(ask(transport, '{ a }'))).toEqual({
      code: 'SUBGRAPH_UNAVAILABLE',
      reason: 'size',
    });
  },
);

test('a subgraph that is not there is told at once', async () => {
  const { origin, server } = await serve(echo);
  server.close();
  await once(server, 'close');
  expect(await failureOf(ask(open(origin), '{ a }'))).toMatchObject({ reason: 'connection' });
});

test('a subgraph that does not answer is given up in time', async () => {
  const { origin } = await serve(() => {});
  const transport = open(origin, { timeoutMs: 120 });
  const began = performance.now();
  expect(await failureOf(ask(transport, '{ a }'))).toEqual({ code: 'DEADLINE_EXCEEDED', reason: 'late' });
  expect(performance.now() - began).toBeGreaterThanOrEqual(115);
  expect(performance.now() - began).toBeLessThan(2_000);
});

test('a client whose own time is over first is told so, or nothing is sent at all', async () => {
  const { origin, heard } = await serve(() => {});
  const transport = open(origin);
  const soon = { user: 'ada', deadline: performance.now() + 300 };
  expect(await failureOf(ask(transport, '{ a }', { asking: soon }))).toEqual({
    code: 'DEADLINE_EXCEEDED',
    reason: 'impatient',
  });
  expect(await failureOf(ask(transport, '{ a }', { asking: soon }))).toMatchObject({ reason: 'impatient' });
  expect(heard).toHaveLength(1);
});

test('a query that is never answered takes nobody behind it along', async () => {
  const { origin, heard } = await serve((one, response, request) => {
    // Whoever is behind it on the connection waits, as node:http answers in order.
    if (one.body.includes('never')) return;
    echo(one, response, request);
  });
  const transport = open(origin, { connections: 1, timeoutMs: 400 });
  await warmUp(transport);
  await burst(transport);
  const never = failureOf(ask(transport, '{ never }'));
  const others: Promise<string>[] = [];
  for (let at = 0; at < 8; at += 1) others.push(ask(transport, `{ a${at} }`));
  expect(await Promise.all(others)).toEqual(others.map((_, at) => heardBack(`{ a${at} }`)));
  expect(await never).toEqual({ code: 'DEADLINE_EXCEEDED', reason: 'late' });
  expect(heard.filter(({ body }) => body.includes('never'))).toHaveLength(1);
});

test('what stands behind a slow query is asked for elsewhere before the slow one is through', async () => {
  const { origin } = await serve((one, response, request) => {
    if (one.body.includes('slow')) setTimeout(() => echo(one, response, request), 800);
    else echo(one, response, request);
  });
  const transport = open(origin, { connections: 2 });
  await warmUp(transport);
  // Nobody is put behind another unless answers flow, which a busy machine may prevent for a while.
  for (let tries = 0; tries < 30 && transport.counts.rescued === 0; tries += 1) {
    await burst(transport);
    const slow = ask(transport, `{ slow${tries} }`);
    const isSlowStillOut = Promise.race([slow.then(() => false), pause(600).then(() => true)]);
    const others = ['{ b }', '{ c }', '{ d }'].map((text) => ask(transport, text));
    expect(await Promise.all(others)).toEqual(['{ b }', '{ c }', '{ d }'].map(heardBack));
    if (transport.counts.rescued > 0) expect(await isSlowStillOut).toBe(true);
    expect(await slow).toBe(heardBack(`{ slow${tries} }`));
  }
  expect(transport.counts.rescued).toBeGreaterThan(0);
});

test('a query on a shared connection that breaks is asked again, once', async () => {
  const { origin, heard } = await serve((one, response, request) => {
    const times = heard.filter(({ body }) => body === one.body).length;
    if (one.body.includes('once') && times === 1) request.socket.destroy();
    else if (one.body.includes('always')) request.socket.destroy();
    else echo(one, response, request);
  });
  // An idle shared connection takes any query.
  const transport = open(origin, { connections: 1, sharing: 'always' });
  await ask(transport, '{ warm }');
  expect(await ask(transport, '{ once }')).toBe(heardBack('{ once }'));
  expect(transport.counts).toMatchObject({ inLine: 2, again: 1, retired: 1 });
  await ask(transport, '{ warm }');
  expect(await failureOf(ask(transport, '{ always }'))).toMatchObject({ reason: 'connection' });
  expect(heard.filter(({ body }) => body.includes('always'))).toHaveLength(2);
});

test('a mutation whose connection breaks is not sent again', async () => {
  const { origin, heard } = await serve((_one, _response, request) => request.socket.destroy());
  const transport = open(origin);
  expect(await failureOf(ask(transport, 'mutation { pay }', { isQuery: false }))).toMatchObject({
    reason: 'connection',
  });
  expect(heard).toHaveLength(1);
});

test('a header that cannot be sent fails its own call and nobody else', async () => {
  const { origin } = await serve(echo);
  const transport = open(origin, { connections: 1 });
  await warmUp(transport);
  const bad = failureOf(ask(transport, '{ a }', { asking: { user: 'ada\r\nx-admin: yes' } }));
  const good = ask(transport, '{ b }');
  expect(await bad).toEqual({ code: 'INTERNAL', reason: 'mistake' });
  expect(await good).toBe(heardBack('{ b }'));
  expect(transport.counts.retired).toBe(0);
});

test('closing waits for what is under way and takes nothing more', async () => {
  const { origin } = await serve((one, response, request) => {
    setTimeout(() => echo(one, response, request), 50);
  });
  const transport = open(origin);
  const last = ask(transport, '{ last }');
  const closed = transport.close();
  expect(await failureOf(ask(transport, '{ more }'))).toMatchObject({ reason: 'closed' });
  expect(await last).toBe(heardBack('{ last }'));
  await closed;
});

test('idle connections are closed, so that calls pack again', async () => {
  const { origin, server } = await serve((one, response, request) => {
    setTimeout(() => echo(one, response, request), 5);
  });
  const transport = open(origin);
  await warmUp(transport);
  await Promise.all(Array.from({ length: 20 }, (_, at) => ask(transport, `{ a${at} }`)));
  const connected = () => promisify(server.getConnections.bind(server))();
  expect(await connected()).toBeGreaterThan(5);
  const until = performance.now() + 10_000;
  while ((await connected()) > 1 && performance.now() < until) await pause(100);
  expect(await connected()).toBeLessThanOrEqual(1);
});
