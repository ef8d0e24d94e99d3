import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '@orderstream/runtime/log';
import { afterEach, expect, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { toBinary, toText } from './binary.ts';
import { openUpstream, type Upstream, type UpstreamOptions } from './upstream.ts';

type Asking = { readonly user: string };

type Subscribed = {
  readonly id: string;
  readonly payload: { readonly variables?: unknown; readonly extensions?: Record<string, unknown> };
  readonly socket: WebSocket;
};

const toClose: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

/** Speaks graphql-transport-ws by hand, so that a test says each word of it. */
const serve = async (at: number | string = 0) => {
  const http = createServer();
  const server = new WebSocketServer({ server: http, handleProtocols: () => 'graphql-transport-ws' });
  http.listen(typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' });
  await once(http, 'listening');
  const subscribed: Subscribed[] = [];
  const completed: string[] = [];
  const greeted: unknown[] = [];
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'connection_init') {
        greeted.push(message.payload);
        socket.send('{"type":"connection_ack"}');
      } else if (message.type === 'subscribe') subscribed.push({ ...message, socket });
      else if (message.type === 'complete') completed.push(message.id);
    });
  });
  const close = (): void => {
    for (const socket of server.clients) socket.terminate();
    http.close();
  };
  toClose.push(close);
  const { port } = http.address() as AddressInfo;
  return { http, server, subscribed, completed, greeted, close, port };
};

const log = { warn: () => {}, error: () => {}, info: () => {} } as unknown as Log;

const open = (port: number, options: Partial<UpstreamOptions<Asking>> = {}): Upstream<Asking> => {
  const upstream = openUpstream<Asking>({
    name: 'orders',
    origin: `http://127.0.0.1:${port}`,
    path: '/orders/graphql',
    log,
    ...options,
  });
  toClose.push(upstream.close);
  return upstream;
};

const bodyOf = (id: string): string =>
  toBinary(JSON.stringify({ query: 'subscription ($id: ID!) { order(id: $id) }', variables: { id } }));

const listen = (upstream: Upstream<Asking>, id: string, user = 'ada') => {
  const heard: string[] = [];
  const again = { count: 0 };
  const leave = upstream.subscribe(
    bodyOf(id),
    { user },
    {
      next: (event) => heard.push(toText(event)),
      refused: ([error]) => heard.push(`refused: ${error?.message}`),
      complete: () => heard.push('complete'),
      again: () => {
        again.count += 1;
      },
    },
  );
  return { heard, again, leave };
};

const tell = ({ id, socket }: Subscribed, payload: string): void =>
  socket.send(`{"id":"${id}","type":"next","payload":${payload}}`);

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 10 });

test('an event comes as the subgraph wrote it, to the last digit', async () => {
  const { subscribed, port } = await serve();
  const { heard } = listen(open(port), 'zoë');
  await eventually(() => expect(subscribed).toHaveLength(1));
  expect(subscribed[0]!.payload.variables).toEqual({ id: 'zoë' });
  const event = '{"data":{"order":{"total":12345678901234567890.10,"name":"Grüße 🎁"}}}';
  tell(subscribed[0]!, event);
  await eventually(() => expect(heard).toEqual([event]));
});

test('a subgraph may listen on a unix socket', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'subgraph-')), 'orders.sock');
  const { subscribed } = await serve(path);
  const { heard } = listen(open(0, { origin: `unix:${path}` }), '1');
  await eventually(() => expect(subscribed).toHaveLength(1));
  tell(subscribed[0]!, '{"data":{}}');
  await eventually(() => expect(heard).toEqual(['{"data":{}}']));
});

test('a message of another shape is understood as well', async () => {
  const { subscribed, port } = await serve();
  const { heard } = listen(open(port), '1');
  await eventually(() => expect(subscribed).toHaveLength(1));
  const [{ id, socket }] = subscribed as [Subscribed];
  socket.send(`{"type":"next","id":"${id}","payload":{"data":{"a":"é"}}}`);
  socket.send(`{"id":"${id}","type":"next","payload":{"data":{"a":2}},"more":{"b":1}}`);
  socket.send(`{ "id":"${id}","type":"next","payload":{"data":{"a":3}} }`);
  await eventually(() =>
    expect(heard).toEqual(['{"data":{"a":"é"}}', '{"data":{"a":2}}', '{"data":{"a":3}}']),
  );
});

test('many subscriptions share a socket, each with its own word on whom it is for', async () => {
  const { server, subscribed, greeted, port } = await serve();
  const upstream = open(port, {
    subscriptionsPerSocket: 50,
    connectionParams: () => ({ from: 'gateway' }),
    extensionsOf: ({ user }, body) => ({ user, length: body.length }),
  });
  const all = Array.from({ length: 100 }, (_, at) => listen(upstream, `${at}`, `user${at}`));
  await eventually(() => expect(subscribed).toHaveLength(100));
  expect(server.clients.size).toBe(2);
  expect(upstream.state()).toEqual({ sockets: 2, subscriptions: 100 });
  expect(greeted).toEqual([{ from: 'gateway' }, { from: 'gateway' }]);
  for (const one of subscribed) tell(one, JSON.stringify({ data: one.payload }));
  await eventually(() => {
    for (const [at, { heard }] of all.entries())
      expect(heard.map((event) => JSON.parse(event).data.extensions.user)).toEqual([`user${at}`]);
  });
});

test('a lost socket ends nothing: each subscribes anew, and is signed anew', async () => {
  let signatures = 0;
  const first = await serve();
  const upstream = open(first.port, {
    extensionsOf: () => {
      signatures += 1;
      return { signature: signatures };
    },
  });
  const all = ['1', '2', '3'].map((id) => listen(upstream, id));
  await eventually(() => expect(first.subscribed).toHaveLength(3));
  expect(all.map(({ again }) => again.count)).toEqual([0, 0, 0]);
  first.close();
  await once(first.http, 'close');
  const second = await serve(first.port);
  await eventually(() => expect(second.subscribed).toHaveLength(3));
  for (const one of second.subscribed) tell(one, '{"data":{"is":"back"}}');
  await eventually(() => {
    for (const { heard } of all) expect(heard).toEqual(['{"data":{"is":"back"}}']);
  });
  // Whoever listens knows that the past may be told again.
  for (const { again } of all) expect(again.count).toBeGreaterThan(0);
  const signed = second.subscribed.map(({ payload }) => payload.extensions?.signature as number);
  expect(Math.min(...signed)).toBeGreaterThan(3);
});

test('who leaves is told to the subgraph and hears no more', async () => {
  const { subscribed, completed, port } = await serve();
  const upstream = open(port);
  const { heard, leave } = listen(upstream, '1');
  const stays = listen(upstream, '2');
  await eventually(() => expect(subscribed).toHaveLength(2));
  leave();
  leave();
  await eventually(() => expect(completed).toEqual([subscribed[0]!.id]));
  for (const one of subscribed) tell(one, '{"data":{}}');
  await eventually(() => expect(stays.heard).toHaveLength(1));
  expect(heard).toEqual([]);
  expect(upstream.state().subscriptions).toBe(1);
});

test('a refusal is final, whichever way it is told', async () => {
  const { subscribed, port } = await serve();
  const upstream = open(port);
  const all = ['1', '2', '3'].map((id) => listen(upstream, id));
  await eventually(() => expect(subscribed).toHaveLength(3));
  const { id, socket } = subscribed[0]!;
  socket.send(`{"id":"${id}","type":"error","payload":[{"message":"not yours"}]}`);
  tell(subscribed[1]!, '{"errors":[{"message":"too late"}]}');
  socket.send(`{"id":"${subscribed[2]!.id}","type":"complete"}`);
  await eventually(() =>
    expect(all.map(({ heard }) => heard)).toEqual([
      ['refused: not yours'],
      ['refused: too late'],
      ['complete'],
    ]),
  );
  expect(upstream.state().subscriptions).toBe(0);
});

test('a listener that throws does not close the socket that others share', async () => {
  const { server, subscribed, port } = await serve();
  const upstream = open(port);
  upstream.subscribe(
    bodyOf('1'),
    { user: 'ada' },
    {
      next: () => {
        throw new Error('a bug');
      },
      refused: () => {},
      complete: () => {},
    },
  );
  const { heard } = listen(upstream, '2');
  await eventually(() => expect(subscribed).toHaveLength(2));
  tell(subscribed[0]!, '{"data":{}}');
  tell(subscribed[1]!, '{"data":{}}');
  await eventually(() => expect(heard).toEqual(['{"data":{}}']));
  expect(server.clients.size).toBe(1);
});
