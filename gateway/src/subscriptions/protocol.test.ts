import { sleep } from '@orderstream/runtime/time';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Hall, openHall } from './fixture-hall.ts';
import { openSocket, until, visit } from './fixture-visit.ts';

let hall: Hall;
beforeEach(async () => {
  hall = await openHall();
});
afterEach(async () => {
  await hall.close();
});

const updates = 'subscription ($id: ID!) {orderUpdated(id: $id) {version note customer {name}}}';
const init = { type: 'connection_init' };

test('a greeting is acknowledged, and nothing else is said before', async () => {
  const one = await openSocket(hall);
  one.send(init);
  await until(() => one.heard.length === 1);
  expect(one.heard).toEqual([{ type: 'connection_ack' }]);
});

test('whoever does not greet in time is closed with 4408', async () => {
  await hall.close();
  hall = await openHall({ greetingMs: 100 });
  expect((await (await openSocket(hall)).closed).code).toBe(4408);
});

test('whoever subscribes before the acknowledgement is closed with 4401', async () => {
  const one = await openSocket(hall);
  one.subscribe(updates, { id: 'o1' });
  expect((await one.closed).code).toBe(4401);
});

test('whoever greets twice is closed with 4429', async () => {
  const one = await openSocket(hall);
  one.send(init);
  one.send(init);
  expect((await one.closed).code).toBe(4429);
});

test('a token that is no good closes with 4403, one that cannot be looked at with 1013', async () => {
  for (const [authorization, code] of [
    ['nonsense', 4403],
    ['blackout', 1013],
  ] as const) {
    const one = await openSocket(hall);
    one.send({ ...init, payload: { Authorization: authorization } });
    expect((await one.closed).code).toBe(code);
  }
});

test.each([
  ['no JSON', '{'],
  ['no object', '"ping"'],
  ['no type', '{}'],
  ['an unknown type', '{"type":"start"}'],
  ['what only servers say', '{"type":"connection_ack"}'],
  ['a greeting that is no object', '{"type":"connection_init","payload":1}'],
  ['a subscribe without an id', '{"type":"subscribe","payload":{"query":"{a}"}}'],
  ['a subscribe with an empty id', '{"type":"subscribe","id":"","payload":{"query":"{a}"}}'],
  ['a subscribe without a query', '{"type":"subscribe","id":"1","payload":{}}'],
  ['variables that are a list', '{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}'],
  ['a complete without an id', '{"type":"complete"}'],
])('%s closes the socket with 4400', async (_what, text) => {
  const one = await visit(hall);
  one.send(text);
  expect((await one.closed).code).toBe(4400);
});

test('a fault of ours closes the socket with 4500, and says nothing of it', async () => {
  const one = await visit(hall, 'nemo');
  one.subscribe('subscription {ticket}');
  expect(await one.closed).toEqual({ code: 4500, reason: 'Internal server error' });
});

test('an id that is in use closes with 4409, and may be used again afterwards', async () => {
  hall.put({ id: 'o1', version: 1, note: 'a' });
  const again = await visit(hall);
  again.subscribe(updates, { id: 'o1' });
  await until(() => again.events().length === 1);
  again.send({ id: '1', type: 'complete' });
  again.subscribe(updates, { id: 'o1' });
  await until(() => again.events().length === 2);
  again.subscribe(updates, { id: 'o1' });
  expect(await again.closed).toEqual({ code: 4409, reason: 'Subscriber for 1 already exists' });
  await until(() => hall.upstream.open === 0);
});

test('no protocol, or an old one, closes with 4406 or gets nowhere', async () => {
  expect((await (await openSocket(hall, [])).closed).code).toBe(4406);
  await expect(openSocket(hall, ['graphql-ws'])).rejects.toThrow();
});

test('a ping is answered with what came with it, even before the greeting', async () => {
  const one = await openSocket(hall);
  one.send({ type: 'ping' });
  one.send({ type: 'ping', payload: { at: 1 } });
  one.send({ type: 'pong', payload: { unasked: true } });
  await until(() => one.heard.length === 2);
  expect(one.heard).toEqual([{ type: 'pong' }, { type: 'pong', payload: { at: 1 } }]);
});

test('events carry the id that the client chose, whatever is in it', async () => {
  hall.put({ id: 'o1', version: 1, note: 'Grüße 🧦' });
  const one = await visit(hall);
  for (const id of ['1', 'quote " and \\ and 🧦', '__proto__']) one.subscribe(updates, { id: 'o1' }, id);
  await until(() => one.heard.length === 4);
  const payload = { data: { orderUpdated: { version: 1, note: 'Grüße 🧦', customer: { name: 'Ada' } } } };
  expect(one.heard.slice(1)).toEqual([
    { id: '1', type: 'next', payload },
    { id: 'quote " and \\ and 🧦', type: 'next', payload },
    { id: '__proto__', type: 'next', payload },
  ]);
});

test('what a subgraph ends is completed after its last event', async () => {
  const one = await visit(hall);
  one.subscribe('subscription {countdown(from: 3)}');
  await until(() => one.heard.at(-1)?.type === 'complete');
  expect(one.heard.slice(1)).toEqual([
    ...[3, 2, 1].map((countdown) => ({ id: '1', type: 'next', payload: { data: { countdown } } })),
    { id: '1', type: 'complete' },
  ]);
});

test('after the client has completed nothing more comes, nor is anything asked for it', async () => {
  const one = await visit(hall);
  one.subscribe('subscription {ticket}');
  await until(() => hall.upstream.open === 1);
  one.send({ id: '1', type: 'complete' });
  await until(() => hall.upstream.open === 0);
  hall.ticket('late');
  await sleep(50);
  expect(one.heard).toHaveLength(1);
});

test('completing what never was, or is just being prepared, is no fault', async () => {
  const one = await visit(hall);
  one.send({ id: 'never', type: 'complete' });
  one.subscribe(updates, { id: 'o1' });
  one.send({ id: '1', type: 'complete' });
  one.send({ type: 'ping' });
  await until(() => one.heard.length === 2);
  await sleep(100);
  expect([one.heard[1], hall.upstream.open]).toEqual([{ type: 'pong' }, 0]);
});

test.each([
  ['a query', '{order(id: 1) {id}}', 'BAD_USER_INPUT'],
  ['an unknown field', 'subscription {orderUpdatd(id: 1) {id}}', 'GRAPHQL_VALIDATION_FAILED'],
  ['two fields', 'subscription {a: ticket b: ticket}', 'BAD_USER_INPUT'],
  ['what the subgraph refuses', 'subscription {forbidden {id}}', 'FORBIDDEN'],
])('%s is answered with one error, which ends it', async (_what, query, code) => {
  const one = await visit(hall);
  one.subscribe(query);
  await until(() => one.heard.length === 2);
  expect(one.heard[1]).toEqual({
    id: '1',
    type: 'error',
    payload: [expect.objectContaining({ extensions: expect.objectContaining({ code }) })],
  });
  one.subscribe('subscription {ticket}');
  await until(() => hall.upstream.open === 1);
  expect(one.heard).toHaveLength(2);
});

test('a socket that goes away takes its subscriptions along', async () => {
  const one = await visit(hall);
  for (const id of ['1', '2']) one.subscribe('subscription {ticket}', {}, id);
  await until(() => hall.upstream.open === 1);
  one.socket.terminate();
  await until(() => hall.upstream.open === 0);
  expect(hall.subscriptions.state()).toEqual({ clients: 0, upstreams: 0, subscriptions: 0, held: 0 });
});

test('a socket that does not answer pings is cut off, one that does is kept', async () => {
  await hall.close();
  hall = await openHall({ keepAliveMs: 100 });
  const dead = await visit(hall);
  const alive = await visit(hall);
  dead.socket.removeAllListeners('ping');
  // ws answers pings by itself unless the socket is not read at all.
  dead.socket.pause();
  await until(() => hall.subscriptions.state().clients === 1);
  expect(alive.socket.readyState).toBe(alive.socket.OPEN);
  dead.socket.terminate();
});

test('when the access token expires the socket is closed with 4403', async () => {
  const began = Date.now();
  const one = await visit(hall, 'ada 300');
  expect(await one.closed).toEqual({ code: 4403, reason: 'The access token has expired' });
  expect(Date.now() - began).toBeGreaterThan(280);
});

test('a ping with a newer token of the same user prolongs the visit, without an event lost', async () => {
  const one = await visit(hall, 'ada 2000');
  one.subscribe('subscription {ticket}');
  await until(() => hall.ears() === 1);
  one.send({ type: 'ping', payload: { authorization: 'ada 60000' } });
  await until(() => one.heard.length === 2);
  expect(one.heard[1]).toEqual({ type: 'pong', payload: { expiresAt: expect.any(String) } });
  await sleep(2_200);
  hall.ticket('still here');
  await until(() => one.events().length === 1);
  expect(hall.upstream.opened).toBe(1);
});

test.each([
  ['of somebody else', 'bob 5000'],
  ['with other scopes', 'ada 5000 staff'],
  ['that is no good', 'nonsense'],
])('a ping with a token %s closes with 4403', async (_what, authorization) => {
  const one = await visit(hall, 'ada 5000');
  one.send({ type: 'ping', payload: { authorization } });
  expect((await one.closed).code).toBe(4403);
});

test('one socket carries so many subscriptions, and the next is refused alone', async () => {
  await hall.close();
  hall = await openHall({ subscriptionsPerClient: 3 });
  const one = await visit(hall);
  for (const id of ['1', '2', '3', '4']) one.subscribe('subscription {ticket}', {}, id);
  await until(
    () => one.heard.length === 2 && hall.ears() === 1 && hall.subscriptions.state().subscriptions === 3,
  );
  const refused = [
    expect.objectContaining({ extensions: expect.objectContaining({ code: 'RATE_LIMITED' }) }),
  ];
  expect(one.heard.slice(1)).toEqual([{ id: '4', type: 'error', payload: refused }]);
  hall.ticket('a');
  await until(() => one.heard.length === 5);
});

test('a user has so many sockets and subscriptions, all others have theirs', async () => {
  await hall.close();
  hall = await openHall({ clientsPerUser: 2, subscriptionsPerUser: 3 });
  const [one, two] = [await visit(hall, 'ada'), await visit(hall, 'ada')];
  const third = await openSocket(hall);
  third.send({ ...init, payload: { authorization: 'ada' } });
  expect((await third.closed).code).toBe(4429);
  const bob = await visit(hall, 'bob');
  for (const [index, visitor] of [one, one, two, two, bob].entries())
    visitor.subscribe('subscription {ticket}', {}, String(index));
  await until(() => two.heard.length === 2);
  expect(two.heard[1]).toMatchObject({ id: '3', type: 'error' });
  one.socket.terminate();
  await until(() => hall.subscriptions.state().clients === 2);
  const instead = await visit(hall, 'ada');
  instead.subscribe('subscription {ticket}');
  await until(() => hall.ears() === 2 && hall.subscriptions.state().subscriptions === 3);
  hall.ticket('a');
  await until(() => instead.events().length === 1 && bob.events('4').length === 1);
});

test('an address has so many subscriptions, over all of its sockets', async () => {
  await hall.close();
  hall = await openHall({ subscriptionsPerAddress: 2 });
  const [one, two] = [await visit(hall, 'ada'), await visit(hall, 'bob')];
  one.subscribe('subscription {ticket}');
  await until(() => hall.subscriptions.state().subscriptions === 1);
  two.subscribe('subscription {ticket}', {}, '1');
  two.subscribe('subscription {ticket}', {}, '2');
  await until(() => two.heard.length === 2);
  expect(two.heard[1]).toMatchObject({
    id: '2',
    type: 'error',
    payload: [{ extensions: { code: 'RATE_LIMITED' } }],
  });
  one.socket.terminate();
  await until(() => hall.subscriptions.state().clients === 1);
  two.subscribe('subscription {ticket}', {}, '3');
  await until(() => hall.subscriptions.state().subscriptions === 2);
});

test('an address has so many sockets, and a process: 429 and 503 instead of a handshake', async () => {
  await hall.close();
  hall = await openHall({ clientsPerAddress: 2, clients: 3 });
  const from = (address: string) => openSocket(hall, ['graphql-transport-ws'], { 'x-address': address });
  const first = await from('a');
  await from('a');
  await expect(from('a')).rejects.toThrow('429');
  await from('b');
  await expect(from('c')).rejects.toThrow('503');
  first.socket.terminate();
  await until(() => hall.subscriptions.state().clients < 3);
  await from('a');
});

test('a process serves so many subscriptions of subgraphs, and refuses the next', async () => {
  await hall.close();
  hall = await openHall({ upstreams: 1 });
  const one = await visit(hall);
  one.subscribe('subscription {ticket}');
  await until(() => hall.upstream.open === 1);
  one.subscribe('subscription {orderFeed {id}}', {}, '2');
  await until(() => one.heard.length === 2);
  expect(one.heard[1]).toMatchObject({
    id: '2',
    type: 'error',
    payload: [{ extensions: { code: 'RATE_LIMITED' } }],
  });
});

test('whoever asks for answers by the megabyte and reads none is cut off', async () => {
  const one = await visit(hall);
  one.socket.pause();
  const payload = { text: 'x'.repeat(60_000) };
  for (let i = 0; i < 250; i++) one.send({ type: 'ping', payload });
  await until(() => hall.subscriptions.state().clients === 0);
  one.socket.terminate();
});

test('a process that stops closes with 1001 and says when to come back, each client at another time', async () => {
  const all = await Promise.all([visit(hall), visit(hall), visit(hall)]);
  await hall.subscriptions.drain();
  const ends = await Promise.all(all.map(({ closed }) => closed));
  const waits = ends.map(({ reason }) => Number(/^retry in (\d+) ms$/.exec(reason)?.[1]));
  expect(ends.map(({ code }) => code)).toEqual([1001, 1001, 1001]);
  for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(1_000);
  for (const wait of waits) expect(wait).toBeLessThanOrEqual(5_000);
  expect(new Set(waits).size).toBeGreaterThan(1);
  await expect(openSocket(hall)).rejects.toThrow('503');
});
