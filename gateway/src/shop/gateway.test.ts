import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { sleep } from '@orderstream/runtime/time';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ada, bob, openShop, type Shop } from './fixture-shop.ts';
import { openGateway } from './gateway.ts';

let shop: Shop;

/** Every attempt of this process to reach somebody, as `address:port` or a name that was looked up. */
const reached = new Set<string>();
const watch = (message: unknown): void => {
  const { socket } = message as { socket: Socket };
  socket.on('lookup', (_error, _address, _family, host) => reached.add(host));
  socket.on('connectionAttempt', (ip, port) => reached.add(`${ip}:${port}`));
};

beforeAll(async () => {
  subscribe('net.client.socket', watch);
  shop = await openShop({ ALLOWED_ORIGINS: 'https://shop.example' });
  shop.put({ id: 'o1', version: 1, note: 'first', customer: { id: ada } });
  shop.put({ id: 'o2', version: 1, note: 'second', customer: { id: bob } });
});
afterAll(async () => {
  await shop.close();
  unsubscribe('net.client.socket', watch);
});
beforeEach(() => {
  shop.orders.heard.length = 0;
  shop.users.heard.length = 0;
});

test('an order is answered with its customer from another subgraph', async () => {
  const { status, body } = await shop.ask('{order(id: "o1") {note customer {name}}}');
  expect({ status, body }).toEqual({
    status: 200,
    body: { data: { order: { note: 'first', customer: { name: 'Ada' } } } },
  });
});

test('customers of many orders are asked for in one call', async () => {
  const { body } = await shop.ask('{orders {id customer {name}}}');
  expect(body.data).toEqual({
    orders: [
      { id: 'o1', customer: { name: 'Ada' } },
      { id: 'o2', customer: { name: 'Bob' } },
    ],
  });
  expect(shop.users.heard).toHaveLength(1);
});

test('subgraphs hear who asks, signed, and nothing else that the client sent', async () => {
  const authorization = `Bearer ${await shop.token(ada, '10m', ['orders:read'])}`;
  const { body } = await shop.ask('{me {id name}}', undefined, {
    authorization,
    cookie: 'a=b',
    'x-orderstream-viewer': 'forged',
    'x-orderstream-signature': 'forged',
    'apollo-federation-include-trace': 'ftv1',
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  });
  expect(body.data).toEqual({ me: { id: ada, name: 'Ada' } });
  const [{ viewer, headers }] = shop.users.heard as [(typeof shop.users.heard)[0]];
  expect(viewer).toMatchObject({ userId: ada, sessionId: bob, service: null });
  expect([...viewer!.scopes]).toEqual(['orders:read']);
  expect(Object.keys(headers).sort()).toEqual(
    [
      'accept',
      'connection',
      'content-length',
      'content-type',
      'host',
      'traceparent',
      'x-deadline-ms',
      'x-orderstream-signature',
      'x-orderstream-viewer',
    ].sort(),
  );
  expect(headers.traceparent).not.toContain('a'.repeat(32));
});

test('without a token the viewer is nobody, seen by address and by the name the device gives itself', async () => {
  const { body } = await shop.ask('{me {id} deviceAndAddress}', undefined, {
    'x-device-id': 'kitchen tablet',
    'x-forwarded-for': '203.0.113.9',
  });
  expect(body.data).toEqual({ me: null, deviceAndAddress: 'kitchen tablet 127.0.0.1' });
  const long = await shop.ask('{deviceAndAddress}', undefined, { 'x-device-id': 'x'.repeat(101) });
  expect(long.body.data).toEqual({ deviceAndAddress: 'null 127.0.0.1' });
});

test('behind a proxy of our own the address is the one that the proxy saw', async () => {
  const gateway = await openGateway({ ...shop.env, TRUST_PROXY: '1' }, { supergraph: shop.supergraph });
  const answer = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': '198.51.100.1, 203.0.113.9' },
    body: '{"query":"{deviceAndAddress}"}',
  });
  expect(await answer.json()).toEqual({ data: { deviceAndAddress: 'null 203.0.113.9' } });
  await gateway.stop();
});

test('a token that is not good refuses the whole request, before any subgraph hears of it', async () => {
  const { status, body } = await shop.ask('{orders {id}}', undefined, {
    authorization: `Bearer ${await shop.token(ada, '-2m')}`,
  });
  expect(status).toBe(401);
  expect(body.errors).toEqual([
    {
      message: expect.any(String),
      extensions: {
        code: 'UNAUTHENTICATED',
        retryable: false,
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    },
  ]);
  expect(shop.orders.heard).toHaveLength(0);
});

test('while one subgraph is away its fields are null, each with an error at its place, and the rest is there', async () => {
  await shop.users.stop();
  const { status, body } = await shop.ask('{orders {note customer {name}} me {id}}');
  await shop.users.start();
  expect(status).toBe(200);
  expect(body.data).toEqual({
    orders: [
      { note: 'first', customer: { name: null } },
      { note: 'second', customer: { name: null } },
    ],
    me: null,
  });
  const extensions = { code: 'SUBGRAPH_UNAVAILABLE', retryable: true, traceId: expect.any(String) };
  expect(body.errors).toHaveLength(3);
  expect(body.errors).toEqual(
    expect.arrayContaining([
      {
        message: 'A part of the shop is not reachable.',
        path: ['orders', 0, 'customer', 'name'],
        extensions,
      },
      {
        message: 'A part of the shop is not reachable.',
        path: ['orders', 1, 'customer', 'name'],
        extensions,
      },
      { message: 'A part of the shop is not reachable.', path: ['me'], extensions },
    ]),
  );
  expect(JSON.stringify(body)).not.toMatch(new RegExp(`127\\.0\\.0\\.1|ECONN|:${shop.users.port}`));
  expect((await shop.ask('{orders {customer {name}}}')).body.errors).toBeUndefined();
});

test('what a subgraph did not mean to tell stays inside, under the trace that the log has', async () => {
  const { body, headers } = await shop.ask('{broken order(id: "o1") {note}}');
  expect(body).toEqual({
    data: { broken: null, order: { note: 'first' } },
    errors: [
      {
        message: 'Something went wrong on our side.',
        path: ['broken'],
        extensions: { code: 'INTERNAL', retryable: false, traceId: headers.get('x-trace-id') },
      },
    ],
  });
});

test('what a subgraph means to tell the caller comes through with code, place and argument', async () => {
  const { body } = await shop.ask('{forbidden}');
  expect(body.errors).toEqual([
    {
      message: 'Only for staff.',
      path: ['forbidden'],
      extensions: { code: 'FORBIDDEN', retryable: false, argument: 'input.id', traceId: expect.any(String) },
    },
  ]);
});

test('what the schema keeps for staff is refused without asking, in the words that its subgraph has for it', async () => {
  const as = async (scopes: string[]) => ({
    authorization: `Bearer ${await shop.token(bob, '10m', scopes)}`,
  });
  const query = '{forStaff order(id: "o1") {note}}';
  const refusals: [Record<string, string>, string, string][] = [
    [{}, 'UNAUTHENTICATED', 'Sign in first.'],
    [await as(['stock:read']), 'FORBIDDEN', 'You may not do this.'],
  ];
  for (const [headers, code, message] of refusals)
    for (let time = 0; time < 2; time++) {
      const answer = await shop.ask(query, undefined, headers);
      const traceId = answer.headers.get('x-trace-id');
      expect(answer.body).toEqual({
        data: { forStaff: null, order: { note: 'first' } },
        errors: [{ message, path: ['forStaff'], extensions: { code, retryable: false, traceId } }],
      });
    }
  expect(shop.orders.heard.map(({ body }) => body).filter((body) => body.includes('forStaff'))).toEqual([]);
  const { body } = await shop.ask(query, undefined, await as(['orders:read']));
  expect(body).toEqual({ data: { forStaff: 'a figure', order: { note: 'first' } } });
});

test('partners have a path of their own, with what is theirs and nothing else', async () => {
  const ask = async (query: string) => {
    const response = await fetch(`${shop.gateway.url}/partner/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as { data?: unknown };
  };
  expect(await ask('{order(id: "o1") {id version}}')).toEqual({ data: { order: { id: 'o1', version: 1 } } });
  for (const query of [
    '{order(id: "o1") {note}}',
    '{me {id}}',
    'mutation {checkout(input: {cartId: "c"}) {__typename}}',
  ])
    expect(await ask(query)).not.toHaveProperty('data');
  expect(await ask('{__schema {types {name}}}')).toMatchObject({
    data: { __schema: { types: expect.not.arrayContaining([{ name: 'User' }]) } },
  });
});

test('pages on the list may call, others get no leave', async () => {
  const preflight = (origin: string) =>
    fetch(`${shop.gateway.url}/graphql`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  const ours = await preflight('https://shop.example');
  expect(ours.status).toBe(204);
  expect(ours.headers.get('access-control-allow-origin')).toBe('https://shop.example');
  expect(ours.headers.get('access-control-allow-headers')).toContain('authorization');
  const evil = await preflight('https://evil.example');
  expect([...evil.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  const asked = await shop.ask('{me{id}}', undefined, { origin: 'https://evil.example' });
  expect(asked.headers.get('access-control-allow-origin')).toBeNull();
});

test('queries go by GET as well, mutations do not; a browser is led to the explorer', async () => {
  const query = await fetch(`${shop.gateway.url}/graphql?query={me{id}}`);
  expect([query.status, await query.json()]).toEqual([200, { data: { me: null } }]);
  const mutation = 'mutation{checkout(input:{cartId:"1"}){__typename}}';
  const change = await fetch(`${shop.gateway.url}/graphql?query=${encodeURIComponent(mutation)}`);
  expect([change.status, change.headers.get('allow')]).toEqual([405, 'POST']);
  const page = await fetch(`${shop.gateway.url}/graphql`, {
    headers: { accept: 'text/html' },
    redirect: 'manual',
  });
  expect([page.status, page.headers.get('location')]).toEqual([302, '/explore']);
});

test('what is not there is not found', async () => {
  const response = await fetch(`${shop.gateway.url}/admin.php`);
  expect([response.status, await response.json()]).toEqual([
    404,
    { errors: [expect.objectContaining({ extensions: expect.objectContaining({ code: 'NOT_FOUND' }) })] },
  ]);
});

test('in production there is no introspection, no explorer and no help with guessing names', async () => {
  await expect(
    openGateway({ ...shop.env, NODE_ENV: 'production', GATEWAY_SECRET: '' }, { supergraph: shop.supergraph }),
  ).rejects.toThrow('GATEWAY_SECRET');
  const gateway = await openGateway({ ...shop.env, NODE_ENV: 'production' }, { supergraph: shop.supergraph });
  const ask = async (query: string) => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as { data?: unknown; errors?: { message: string }[] };
  };
  const misspelt = await ask('{ordres {id}}');
  const schema = await ask('query __schema {__schema {types {name}}}');
  const good = await ask('{order(id: "o1") {note}}');
  const pages = await Promise.all(
    ['/explore', '/graphql'].map((path) =>
      fetch(`${gateway.url}${path}`, { headers: { accept: 'text/html' } }),
    ),
  );
  await gateway.stop();
  expect(misspelt.errors![0]!.message).not.toMatch(/orders/);
  expect(schema.data).toBeUndefined();
  expect(good.data).toEqual({ order: { note: 'first' } });
  expect(pages.map(({ status }) => status)).toEqual([404, 400]);
  const helped = await shop.ask('{ordres {id}}');
  expect(helped.body.errors![0]!.message).toContain('orders');
});

test('health names each subgraph and the keys, and says which is away', async () => {
  const look = async () => {
    const response = await fetch(`${shop.gateway.url}/health/ready`);
    const body = (await response.json()) as { ready: boolean; dependencies: Record<string, { ok: boolean }> };
    const states = Object.entries(body.dependencies).map(([name, { ok }]) => [name, ok]);
    return { status: response.status, ready: body.ready, ...Object.fromEntries(states) };
  };
  const well = {
    status: 200,
    ready: true,
    'subgraph orders': true,
    'subgraph users': true,
    'access token keys': true,
  };
  expect(await look()).toEqual(well);
  await shop.orders.stop();
  await sleep(600);
  expect(await look()).toEqual({ ...well, status: 503, ready: false, 'subgraph orders': false });
  await shop.orders.start();
  await shop.users.stop();
  await sleep(600);
  expect(await look()).toEqual({
    ...well,
    status: 503,
    ready: false,
    'subgraph users': false,
    'access token keys': false,
  });
  await shop.users.start();
  await sleep(600);
  expect(await look()).toEqual(well);
  expect(await (await fetch(`${shop.gateway.url}/health`)).json()).toEqual({ status: 'up' });
});

test('requests under way are answered when the gateway stops, and new ones are not taken', async () => {
  const gateway = await openGateway(shop.env, { supergraph: shop.supergraph });
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{slow}"}',
  };
  const answer = fetch(`${gateway.url}/graphql`, init).then((response) => response.json());
  await sleep(100);
  const stopped = gateway.stop();
  await expect(fetch(`${gateway.url}/health`)).rejects.toThrow();
  expect(await answer).toEqual({ data: { slow: 'at last' } });
  await stopped;
});

test('everything wrong with the settings is said at once', async () => {
  const env = { PORT: 'http', SUBGRAPHS_URL: 'here', TENANT_ID: '1', TRUST_PROXY: 'yes' };
  const refused = openGateway(env, { supergraph: shop.supergraph });
  for (const name of Object.keys(env)) await expect(refused).rejects.toThrow(name);
});

test('the gateway reached its subgraphs and nobody else', async () => {
  // Telemetry, had it been on, would have looked for a cloud around it and for its vendor.
  await sleep(500);
  const known = [shop.orders.port, shop.users.port];
  const own = (place: string) => place.startsWith('127.0.0.1:');
  expect([...reached].filter((place) => !own(place))).toEqual([]);
  expect([...reached]).toEqual(expect.arrayContaining(known.map((port) => `127.0.0.1:${port}`)));
});
