import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { accepted, type Client, connect, OperationError, RefusedError } from './client.ts';
import { LoginDocument, MeDocument, OrderUpdatedDocument } from './generated/graphql.ts';

type Asked = { readonly authorization: string | undefined; readonly body: unknown };

/** What the server at the other end says next, and what it was asked. */
let answer: (asked: Asked, response: ServerResponse) => void = () => undefined;
let opened: unknown[] = [];
let ended = 0;

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString());
};

const server = createServer((request, response) => {
  void bodyOf(request).then((body) =>
    answer({ authorization: request.headers.authorization, body }, response),
  );
});

const schema = buildSchema(
  'type Query { a: Int } type Order { version: Int! } type Subscription { orderUpdated(id: ID!): Order! }',
);
const sockets = new WebSocketServer({ server, path: '/graphql' });

/** Two versions, and then what the id says; `return` is heard at any time, which a generator would not. */
const versions = (id: string): AsyncIterableIterator<unknown> => {
  let version = 0;
  const iterator: AsyncIterableIterator<unknown> = {
    next: async () => {
      version += 1;
      if (version <= 2) return { done: false, value: { data: { orderUpdated: { version } } } };
      if (id === 'breaks') for (const socket of sockets.clients) socket.close(4403, 'The token has expired');
      if (id === 'ends') return { done: true, value: undefined };
      return new Promise(() => undefined);
    },
    return: async () => {
      ended += 1;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
};

useServer<{ authorization?: string }>(
  {
    schema,
    validate: () => [],
    execute: ({ rootValue }) => ({ data: rootValue as Record<string, unknown> }),
    onConnect: ({ connectionParams }) => {
      opened.push(connectionParams);
      return connectionParams?.authorization !== 'Bearer wrong';
    },
    subscribe: ({ variableValues }) => {
      const id = String(variableValues?.id);
      if (id !== 'hidden') return versions(id) as never;
      const error = { message: 'There is no such order.', extensions: { code: 'NOT_FOUND', argument: 'id' } };
      return { errors: [Object.assign(new Error(), { ...error, toJSON: () => error })] } as never;
    },
  },
  sockets,
);

let origin = '';
/** where nobody listens any more */
let deserted = '';
const clients: Client[] = [];
const open = (token?: string, at = origin): Client => {
  const client = connect({ url: `http://${at}/graphql`, subscriptionsUrl: `ws://${at}/graphql`, token });
  clients.push(client);
  return client;
};

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const left = createServer();
  await new Promise<void>((done) => left.listen(0, '127.0.0.1', done));
  deserted = `127.0.0.1:${(left.address() as AddressInfo).port}`;
  await new Promise((done) => left.close(done));
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  opened = [];
  ended = 0;
});

afterAll(() => {
  sockets.close();
  server.closeAllConnections();
  server.close();
});

const says = (body: unknown, status = 200): void => {
  answer = (_, response) =>
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
};

const failure = (work: Promise<unknown>): Promise<OperationError> =>
  work.then(
    () => expect.unreachable('this should fail'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(OperationError);
      return error as OperationError;
    },
  );

test('an operation goes with its variables and the access token, and its data come back', async () => {
  let heard: Asked | undefined;
  answer = (asked, response) => {
    heard = asked;
    response.end(JSON.stringify({ data: { login: { __typename: 'InvalidCredentials' } } }));
  };
  const input = { email: 'ada@example.com', password: 'not this one' };
  const { login } = await open('abc').send(LoginDocument, { input });
  expect(login.__typename).toBe('InvalidCredentials');
  expect(heard?.authorization).toBe('Bearer abc');
  expect(heard?.body).toEqual({ query: expect.stringContaining('mutation Login('), variables: { input } });
});

test('without an access token nothing is said about who asks', async () => {
  let heard: Asked | undefined;
  answer = (asked, response) => {
    heard = asked;
    response.end('{"data":{"me":null}}');
  };
  expect(await open().send(MeDocument)).toEqual({ me: null });
  expect(heard?.authorization).toBeUndefined();
});

test('an error at the top carries its code, the argument, the trace and when to come back', async () => {
  says(
    {
      errors: [
        {
          message: 'Too many requests.',
          path: ['me', 0],
          extensions: { code: 'RATE_LIMITED', argument: 'input.email', traceId: 'abc', retryAfterMs: 900 },
        },
      ],
    },
    429,
  );
  expect(await failure(open().send(MeDocument))).toMatchObject({
    code: 'RATE_LIMITED',
    message: 'Too many requests.',
    path: ['me', 0],
    argument: 'input.email',
    traceId: 'abc',
    retryAfterMs: 900,
  });
});

test('data beside an error are not passed for the whole, and are not lost', async () => {
  says({ data: { me: null }, errors: [{ message: 'Away.', extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] });
  expect(await failure(open().send(MeDocument))).toMatchObject({
    code: 'SUBGRAPH_UNAVAILABLE',
    data: { me: null },
  });
});

test.each([
  ['a page of a proxy', '<html>Bad gateway</html>', /502 without JSON/],
  ['no data', { data: null }, /neither data nor errors/],
  ['something else', [1, 2], /no GraphQL answer/],
])('%s is no answer', async (_, body, sentence) => {
  says(body, 502);
  const { code, message } = await failure(open().send(MeDocument));
  expect(code).toBe('UNREADABLE');
  expect(message).toMatch(sentence);
});

test('where nobody listens, the address is told', async () => {
  const { code, message } = await failure(open(undefined, deserted).send(MeDocument));
  expect(code).toBe('UNREACHABLE');
  expect(message).toBe(`http://${deserted}/graphql cannot be reached (ECONNREFUSED).`);
});

test('an answer that does not come is given up', async () => {
  answer = () => undefined;
  const url = `http://${origin}/graphql`;
  const impatient = connect({ url, subscriptionsUrl: `ws://${origin}/graphql`, timeoutMs: 200 });
  const { code, message } = await failure(impatient.send(MeDocument));
  expect(code).toBe('TIMED_OUT');
  expect(message).toBe(`${url} has not answered within 0.2 s.`);
});

test('a socket that is to be kept is open before anything is watched', async () => {
  const address = { url: `http://${origin}/graphql`, subscriptionsUrl: `ws://${origin}/graphql` };
  const client = connect({ ...address, token: 'abc', keepsSocket: true });
  clients.push(client);
  await expect.poll(() => opened).toEqual([{ authorization: 'Bearer abc' }]);
  expect(await follow(client, 'ends')).toEqual([1, 2]);
  expect(opened).toHaveLength(1);
});

const follow = async (client: Client, id: string, most = 10): Promise<number[]> => {
  const seen: number[] = [];
  for await (const { orderUpdated } of client.watch(OrderUpdatedDocument, { id })) {
    seen.push(orderUpdated.version);
    if (seen.length === most) break;
  }
  return seen;
};

test('a live operation brings one event after the other, until the server ends it', async () => {
  expect(await follow(open('abc'), 'ends')).toEqual([1, 2]);
  expect(opened).toEqual([{ authorization: 'Bearer abc' }]);
});

test('who stops watching unsubscribes at once, also while nothing is told', async () => {
  const client = open();
  const events = client.watch(OrderUpdatedDocument, { id: 'quiet' });
  await events.next();
  await events.next();
  const next = events.next();
  await events.return?.();
  expect(await next).toEqual({ done: true, value: undefined });
  await expect.poll(() => ended).toBe(1);
});

test('an order that is not there ends a live operation with its code', async () => {
  expect(await failure(follow(open(), 'hidden'))).toMatchObject({ code: 'NOT_FOUND', argument: 'id' });
});

test('a socket that is closed says why, and is not silently begun anew', async () => {
  const { code, message } = await failure(follow(open(), 'breaks'));
  expect(code).toBe('CLOSED');
  expect(message).toContain('4403 The token has expired');
  expect(opened).toHaveLength(1);
});

test('a token that is not accepted ends a live operation', async () => {
  expect(await failure(follow(open('wrong'), 'ends'))).toMatchObject({
    code: 'CLOSED',
    message: expect.stringContaining('4403 Forbidden'),
  });
});

test('where nobody listens, a live operation tells the address', async () => {
  const { code, message } = await failure(follow(open(undefined, deserted), 'ends'));
  expect(code).toBe('UNREACHABLE');
  expect(message).toBe(`ws://${deserted}/graphql cannot be reached (ECONNREFUSED).`);
});

test('a refusal of the shop is an error with its code where another answer was counted on', () => {
  type Result =
    | { readonly __typename: 'PaymentMethodAdded'; readonly method: string }
    | { readonly __typename: 'PaymentMethodRefused'; code: string; message: string; path: string[] };
  const added = { __typename: 'PaymentMethodAdded', method: 'visa' } as Result;
  expect(accepted(added, 'PaymentMethodAdded').method).toBe('visa');

  const no = {
    __typename: 'PaymentMethodRefused',
    code: 'PAYMENT_METHOD_REFUSED',
    message: 'No.',
    path: ['a'],
  };
  expect(() => accepted(no as Result, 'PaymentMethodAdded')).toThrow(
    expect.objectContaining({ code: 'PAYMENT_METHOD_REFUSED', message: 'No.', path: ['a'], refusal: no }),
  );
  expect(() => accepted(no as Result, 'PaymentMethodAdded')).toThrow(RefusedError);
});
