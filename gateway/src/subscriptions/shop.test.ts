import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { sleep } from '@orderstream/runtime/time';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ada, bob, openShop, type Shop } from '../shop/fixture-shop.ts';
import { openGateway } from '../shop/gateway.ts';

let shop: Shop;
const opened: (() => unknown)[] = [];

beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  await shop.close();
});
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
  await until(() => shop.subscribed() === 0);
});

const until = async (isSo: () => boolean): Promise<void> => {
  for (let i = 0; i < 500; i++) {
    if (isSo()) return;
    await sleep(10);
  }
  throw new Error('it never came to be so');
};

const socketUrl = (): string => `${shop.gateway.url.replace('http', 'ws')}/graphql`;

const clientOf = async (userId?: string): Promise<Client> => {
  const token = userId && (await shop.token(userId));
  const client = createClient({
    url: socketUrl(),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: token ? { authorization: `Bearer ${token}` } : {},
  });
  opened.push(() => client.terminate());
  return client;
};

type Seen = { data: unknown[]; errors: unknown[]; isOver: boolean; leave: () => void };

const watch = (client: Client, query: string, variables?: Record<string, unknown>): Seen => {
  const seen: Seen = { data: [], errors: [], isOver: false, leave: () => undefined };
  seen.leave = client.subscribe(
    { query, variables },
    {
      next: ({ data, errors }) => {
        seen.data.push(data);
        if (errors) seen.errors.push(...errors);
      },
      error: (error) => {
        seen.errors.push(...(Array.isArray(error) ? error : [error]));
        seen.isOver = true;
      },
      complete: () => {
        seen.isOver = true;
      },
    },
  );
  return seen;
};

const updates = `subscription ($id: ID!) {orderUpdated(id: $id) {note customer {name}}}`;

const put = (version: number, note = `v${version}`, id = 'o1') =>
  shop.put({ id, version, note, customer: { id: ada } });

const event = (note: string) => ({ orderUpdated: { note, customer: { name: 'Ada' } } });

/** A socket without a library's manners: what it sends, and how it was closed. */
const rawSocket = async (url = socketUrl(), protocol = 'graphql-transport-ws') => {
  const socket = new WebSocket(url, protocol);
  const broken = new Promise<never>((_, reject) => socket.once('error', reject));
  opened.push(() => socket.terminate());
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await Promise.race([new Promise((resolve) => socket.once('open', resolve)), broken]);
  broken.catch(() => undefined);
  const send = (message: object) => socket.send(JSON.stringify(message));
  return { socket, send, closed };
};

const init = async (userId = ada, lifetime = '10m') => {
  const raw = await rawSocket();
  raw.send({
    type: 'connection_init',
    payload: { Authorization: `Bearer ${await shop.token(userId, lifetime)}` },
  });
  await once(raw.socket, 'message');
  return raw;
};

test('an event comes with the fields of another subgraph, the state now first', async () => {
  put(1);
  const seen = watch(await clientOf(ada), updates, { id: 'o1' });
  await until(() => seen.data.length === 1);
  put(2);
  await until(() => seen.data.length === 2);
  expect(seen).toMatchObject({ data: [event('v1'), event('v2')], errors: [] });
  seen.leave();
  await until(() => shop.subscribed() === 0);
});

test('versions rise strictly though the client did not ask for them', async () => {
  put(3);
  const seen = watch(await clientOf(ada), updates, { id: 'o1' });
  await until(() => seen.data.length === 1);
  for (const version of [5, 4, 5, 3, 6]) {
    put(version);
    await sleep(20);
  }
  await until(() => seen.data.length === 3);
  await sleep(50);
  expect(seen.data).toEqual([event('v3'), event('v5'), event('v6')]);
});

test('a feed of many orders keeps the versions of each apart', async () => {
  const seen = watch(await clientOf(ada), 'subscription {orderFeed {id version}}');
  await until(() => shop.subscribed() === 1);
  const events: [string, number][] = [
    ['o1', 9],
    ['o2', 2],
    ['o1', 8],
    ['o2', 3],
  ];
  for (const [id, version] of events) {
    put(version, 'x', id);
    await sleep(50);
  }
  await until(() => seen.data.length === 3);
  expect(seen.data).toEqual([
    { orderFeed: { id: 'o1', version: 9 } },
    { orderFeed: { id: 'o2', version: 2 } },
    { orderFeed: { id: 'o2', version: 3 } },
  ]);
});

test('what has no version comes as it is', async () => {
  const seen = watch(await clientOf(), 'subscription {tickets {label}}');
  await sleep(150);
  shop.ticket('a');
  await until(() => seen.data.length === 1);
  shop.ticket('a');
  await until(() => seen.data.length === 2);
  expect(seen.data).toEqual([{ tickets: { label: 'a' } }, { tickets: { label: 'a' } }]);
});

test('things without a version that are told in one breath all come, in their order', async () => {
  const seen = watch(await clientOf(), 'subscription {tickets {label}}');
  await sleep(150);
  const labels = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const label of labels) shop.ticket(label);
  await until(() => seen.data.length === labels.length);
  expect(seen.data).toEqual(labels.map((label) => ({ tickets: { label } })));
});

test('each viewer is signed for on the socket that all share', async () => {
  put(10);
  const from = shop.subscribers.length;
  const [one, two] = await Promise.all([clientOf(ada), clientOf(bob)]);
  const seen = [watch(one, updates, { id: 'o1' }), watch(two, updates, { id: 'o1' })];
  await until(() => seen.every(({ data }) => data.length === 1));
  expect(shop.subscribers.slice(from).sort()).toEqual([ada, bob]);
});

test('who is not signed in is refused before any data', async () => {
  const seen = watch(await clientOf(), updates, { id: 'o1' });
  await until(() => seen.isOver);
  expect(seen.data).toEqual([]);
  expect(seen.errors).toEqual([
    expect.objectContaining({
      extensions: { code: 'UNAUTHENTICATED', retryable: false, traceId: expect.any(String) },
    }),
  ]);
});

test('conditions at the root are decided before planning, and inner ones for each client', async () => {
  put(11);
  const query = `subscription ($no: Boolean!, $id: ID!) {...Mine}
    fragment Mine on Subscription {orderUpdated(id: $id) @skip(if: $no) {note customer @include(if: $no) {name}}}`;
  const client = await clientOf(ada);
  const seen = watch(client, query, { no: false, id: 'o1' });
  await until(() => seen.data.length === 1);
  expect(seen.data).toEqual([{ orderUpdated: { note: 'v11' } }]);
  const none = watch(client, query, { no: true, id: 'o1' });
  await until(() => none.isOver);
  expect(none.errors).toEqual([expect.objectContaining({ message: expect.stringContaining('@skip') })]);
});

test.each([
  ['a query', '{order(id: "o1") {id}}', {}, 'BAD_USER_INPUT'],
  ['an unknown field', 'subscription {orderUpdatd(id: 1) {id}}', {}, 'GRAPHQL_VALIDATION_FAILED'],
  ['two fields at the root', 'subscription {a: orderFeed {id} b: orderFeed {id}}', {}, 'BAD_USER_INPUT'],
  ['the name of the root', 'subscription {__typename}', {}, 'BAD_USER_INPUT'],
  ['a missing variable', updates, {}, 'BAD_USER_INPUT'],
  ['no GraphQL', 'subscription {', {}, 'GRAPHQL_PARSE_FAILED'],
  ['too deep a subscription', `subscription ${'{a'.repeat(16)}${'}'.repeat(16)}`, {}, 'QUERY_TOO_COMPLEX'],
])('%s over the socket is refused with a reason', async (_name, query, variables, code) => {
  const seen = watch(await clientOf(ada), query, variables);
  await until(() => seen.isOver);
  expect(seen.errors).toEqual([expect.objectContaining({ extensions: expect.objectContaining({ code }) })]);
});

test('while another subgraph is away its fields are null in the event, with the error at their place', async () => {
  put(12);
  await shop.users.stop();
  const seen = watch(await clientOf(ada), updates, { id: 'o1' });
  await until(() => seen.data.length === 1);
  await shop.users.start();
  expect(seen.data).toEqual([{ orderUpdated: { note: 'v12', customer: { name: null } } }]);
  expect(seen.errors).toEqual([
    expect.objectContaining({
      path: ['orderUpdated', 'customer', 'name'],
      extensions: expect.objectContaining({ code: 'SUBGRAPH_UNAVAILABLE' }),
    }),
  ]);
  put(13);
  await until(() => seen.data.length === 2);
  expect(seen.data[1]).toEqual(event('v13'));
});

test('a subgraph that is killed and comes back goes on where it was, without an old version', async () => {
  put(20);
  const seen = watch(await clientOf(ada), updates, { id: 'o1' });
  await until(() => seen.data.length === 1);
  await shop.orders.stop();
  await until(() => shop.subscribed() === 0);
  put(21);
  await shop.orders.start();
  await until(() => seen.data.length === 2);
  put(22);
  await until(() => seen.data.length === 3);
  expect(seen).toMatchObject({ data: [event('v20'), event('v21'), event('v22')], errors: [], isOver: false });
});

test('when the access token expires the socket is closed with 4403', async () => {
  const { closed } = await init(ada, '1s');
  expect(await closed).toBe(4403);
});

test.each([
  ['expired', () => shop.token(ada, '-2m')],
  ['made up', async () => 'a.b.c'],
])('a token that is %s closes the socket with 4403', async (_name, make) => {
  const { send, closed } = await rawSocket();
  send({ type: 'connection_init', payload: { authorization: `Bearer ${await make()}` } });
  expect(await closed).toBe(4403);
});

test('a token that is no text closes the socket with 4403', async () => {
  const { send, closed } = await rawSocket();
  send({ type: 'connection_init', payload: { authorization: { $ne: 1 } } });
  expect(await closed).toBe(4403);
});

test('a frame of more than 64 KiB closes the socket with 1009', async () => {
  const { socket, closed } = await init();
  socket.send('x'.repeat(65 * 1024));
  expect(await closed).toBe(1009);
});

test('another protocol, and another path, get nowhere', async () => {
  await expect(rawSocket(socketUrl(), 'graphql-ws')).rejects.toThrow();
  await expect(rawSocket(socketUrl().replace('/graphql', '/orders/graphql'))).rejects.toThrow('404');
});

test('a flood of messages closes the socket with 4429, a flood of pings cuts it off', async () => {
  const chatter = await init();
  for (let i = 0; i < 400; i++) chatter.send({ type: 'ping' });
  expect(await chatter.closed).toBe(4429);
  const pings = await init();
  for (let i = 0; i < 400; i++) pings.socket.ping();
  // ws itself cuts off whoever pings faster than the answers leave.
  expect([1006, 4429]).toContain(await pings.closed);
});

test('a client that floods and does not care for the close is cut off all the same', async () => {
  const wire = connect(Number(new URL(socketUrl()).port), '127.0.0.1');
  opened.push(() => wire.destroy());
  wire.on('error', () => undefined);
  const isGone = once(wire, 'close').then(() => true);
  wire.write(
    [
      'GET /graphql HTTP/1.1',
      'Host: shop',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: graphql-transport-ws',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    ].join('\r\n'),
  );
  await once(wire, 'data');
  const frame = (text: string) =>
    Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
  wire.write(frame('{"type":"connection_init"}'));
  wire.write(Buffer.concat(Array(1_000).fill(frame('{"type":"ping"}'))));
  wire.resume();
  expect(await Promise.race([isGone, sleep(5_000)])).toBe(true);
});

test('a gateway that stops sends its sockets elsewhere with 1001', async () => {
  const gateway = await openGateway(shop.env, { supergraph: shop.supergraph });
  const { closed } = await rawSocket(`${gateway.url.replace('http', 'ws')}/graphql`);
  await gateway.stop();
  expect(await closed).toBe(1001);
});

const stream = async (headers: Record<string, string>, init: RequestInit = {}, search = '') => {
  const abort = new AbortController();
  opened.push(() => abort.abort());
  const response = await fetch(`${shop.gateway.url}/graphql${search}`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: abort.signal,
    ...init,
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  return { response, read: async () => (await reader.read()).value };
};

const asked = { query: updates, variables: { id: 'o1' } };

test('an event stream is signed in by its header, and has what a socket has', async () => {
  put(400);
  const headers = { authorization: `Bearer ${await shop.token()}`, 'content-type': 'application/json' };
  const { response, read } = await stream(headers, { method: 'POST', body: JSON.stringify(asked) });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(await read()).toBe(`event: next\ndata: ${JSON.stringify({ data: event('v400') })}\n\n`);
  put(401);
  expect(await read()).toContain('v401');
});

test('whoever takes JSON as well gets a stream for a subscription and JSON for a query', async () => {
  put(402);
  const headers = {
    authorization: `Bearer ${await shop.token()}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const live = await stream(headers, { method: 'POST', body: JSON.stringify(asked) });
  expect(await live.read()).toContain('v402');
  const query = await stream(headers, { method: 'POST', body: '{"query":"{me {id}}"}' });
  expect(await query.read()).toContain(JSON.stringify({ data: { me: { id: ada } } }));
});

test('an event stream with a token that is no good is refused with 401', async () => {
  const headers = { authorization: 'Bearer a.b.c', 'content-type': 'application/json' };
  const { response } = await stream(headers, { method: 'POST', body: JSON.stringify(asked) });
  expect(response.status).toBe(401);
});

test('a page of another origin gets no event stream by a plain request', async () => {
  const search = `?${new URLSearchParams({ query: 'subscription {tickets {label}}' })}`;
  const foreign = await stream({ origin: 'https://evil.example' }, {}, search);
  expect([foreign.response.status, await foreign.read()]).toEqual([
    403,
    expect.stringContaining('FORBIDDEN'),
  ]);
  const form = { method: 'POST', body: JSON.stringify(asked) };
  const posted = await stream({ origin: 'https://evil.example', 'content-type': 'text/plain' }, form);
  expect(posted.response.status).toBe(400);
  const ours = await stream({ origin: 'http://localhost:5173' }, {}, search);
  expect([ours.response.status, ours.response.headers.get('access-control-allow-origin')]).toEqual([
    200,
    'http://localhost:5173',
  ]);
});

test('clients of one customer share a subscription to the subgraph, whatever their devices and addresses', async () => {
  put(500);
  const from = shop.subscribers.length;
  const clients = await Promise.all([clientOf(ada), clientOf(ada), clientOf(bob)]);
  const seen = clients.map((client) => watch(client, updates, { id: 'o1' }));
  await until(() => seen.every(({ data }) => data.length === 1));
  put(501);
  await until(() => seen.every(({ data }) => data.length === 2));
  expect(shop.subscribers.slice(from).sort()).toEqual([ada, bob]);
  expect(shop.subscribed()).toBe(2);
});

test('a ping with a newer token keeps a socket open beyond the end of the first one', async () => {
  const { send, socket, closed } = await init(ada, '1s');
  send({ type: 'ping', payload: { authorization: `Bearer ${await shop.token(ada, '2m')}` } });
  const [answer] = await once(socket, 'message');
  expect(JSON.parse(String(answer))).toEqual({ type: 'pong', payload: { expiresAt: expect.any(String) } });
  expect(await Promise.race([closed, sleep(3_000).then(() => 'open')])).toBe('open');
});
