// graphql-transport-ws as its PROTOCOL.md has it, and WebSockets as RFC 6455 has them, by frames that no library would
// send. The close codes that only clients use are not here: 4004, 4499 and 4504.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Hall, openHall } from '../../gateway/src/subscriptions/fixture-hall.ts';
import { until } from '../../gateway/src/subscriptions/fixture-visit.ts';
import {
  frame,
  init,
  openGreeted,
  openRaw,
  type RawSocket,
  RefusedHandshake,
  subscribe,
} from './raw-socket.ts';

let hall: Hall;
const opened: RawSocket[] = [];

beforeAll(async () => {
  hall = await openHall({ messages: 5_000 });
});
afterAll(() => hall?.close());
afterEach(async () => {
  for (const one of opened.splice(0)) one.destroy();
  await until(() => hall.subscriptions.state().clients === 0 && hall.upstream.open === 0);
});

const greeted = async (): Promise<RawSocket> => {
  const one = await openGreeted(hall.url);
  opened.push(one);
  return one;
};

const bare = async (protocols?: readonly string[]): Promise<RawSocket> => {
  const one = await openRaw(hall.url, protocols ? { protocols } : {});
  opened.push(one);
  return one;
};

/** Sees that others are served as before. */
const servesOthers = async (): Promise<void> => {
  const other = await greeted();
  other.send(subscribe('subscription {countdown(from: 1)}'));
  await until(() => other.heard.length === 3);
  expect(other.heard.slice(1).map((text) => JSON.parse(text).type)).toEqual(['next', 'complete']);
};

const half = Buffer.from([0xe2, 0x82]);
const notUtf8 = Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]);
const ping = '{"type":"ping"}';

test.each<[string, Buffer[], number]>([
  ['a frame without a mask', [frame(ping, { isMasked: false })], 1002],
  ['a bit of an extension that nobody agreed on', [frame(ping, { reserved: 4 })], 1002],
  ['the other bits of extensions', [frame(ping, { reserved: 3 })], 1002],
  ['an opcode that is not there', [frame(ping, { opcode: 3 })], 1002],
  ['a control opcode that is not there', [frame('', { opcode: 11 })], 1002],
  ['more of a message that never began', [frame(ping, { opcode: 0 })], 1002],
  ['a message within another', [frame('{"type":', { isLast: false }), frame(ping)], 1002],
  ['a ping in pieces', [frame('a', { opcode: 9, isLast: false })], 1002],
  ['a ping of 126 bytes', [frame('a'.repeat(126), { opcode: 9 })], 1002],
  ['a close of one byte', [frame('a', { opcode: 8 })], 1002],
  ['a close with a code that nobody may send', [frame(Buffer.from([0x03, 0xed]), { opcode: 8 })], 1002],
  ['a close with a code below all others', [frame(Buffer.from([0x00, 0x01]), { opcode: 8 })], 1002],
  [
    'a close whose reason is no text',
    [frame(Buffer.concat([Buffer.from([0x03, 0xe8]), half]), { opcode: 8 })],
    1007,
  ],
  ['text that is no UTF-8', [frame(notUtf8)], 1007],
  ['text whose last letter is cut short', [frame(half)], 1007],
  [
    'text in pieces that is no UTF-8 as a whole',
    [frame('{"a":"', { isLast: false }), frame(half, { opcode: 0 })],
    1007,
  ],
  ['a message of more than 64 KiB', [frame('x'.repeat(65_537))], 1009],
  ['a message that says it has 100 MB', [frame('x', { length: 100_000_000 })], 1009],
  ['a message that says it has all there is', [frame('x', { length: 2 ** 53 })], 1009],
  [
    'a message that is too large only with its last piece',
    [
      frame('x'.repeat(60_000), { isLast: false }),
      frame('x'.repeat(5_000), { opcode: 0, isLast: false }),
      frame('x'.repeat(537), { opcode: 0 }),
    ],
    1009,
  ],
])('%s closes the socket', async (_what, frames, code) => {
  const one = await greeted();
  one.write(...frames);
  expect((await one.closed).code).toBe(code);
  await servesOthers();
});

test.each([
  ['a list', '[]'],
  ['null', 'null'],
  ['a number', '7'],
  ['nothing', ''],
  ['a list of messages', `[${ping}]`],
  ['a type that is a list', '{"type":["ping"]}'],
  ['a type that every object has', '{"type":"__proto__"}'],
  ['a message of the older protocol', '{"type":"connection_terminate"}'],
  [
    'a subscribe of the older protocol',
    '{"type":"start","id":"1","payload":{"query":"subscription {ticket}"}}',
  ],
  ['next', '{"type":"next","id":"1","payload":{}}'],
  ['error', '{"type":"error","id":"1","payload":[]}'],
  ['a ping whose payload is a text', '{"type":"ping","payload":"now"}'],
  ['a pong whose payload is a number', '{"type":"pong","payload":1}'],
  ['a subscribe without a payload', '{"type":"subscribe","id":"1"}'],
  [
    'a subscribe whose id is a number',
    '{"type":"subscribe","id":1,"payload":{"query":"subscription {ticket}"}}',
  ],
  ['a query that is a list', '{"type":"subscribe","id":"1","payload":{"query":["subscription {ticket}"]}}'],
  [
    'the name of an operation that is a number',
    '{"type":"subscribe","id":"1","payload":{"query":"subscription {ticket}","operationName":1}}',
  ],
  [
    'variables that are a text',
    '{"type":"subscribe","id":"1","payload":{"query":"subscription {ticket}","variables":"{}"}}',
  ],
  [
    'extensions that are a list',
    '{"type":"subscribe","id":"1","payload":{"query":"subscription {ticket}","extensions":[]}}',
  ],
  ['a complete whose id is empty', '{"type":"complete","id":""}'],
])('%s is no message, and closes the socket with 4400', async (_what, text) => {
  const one = await greeted();
  one.write(frame(text));
  expect((await one.closed).code).toBe(4400);
  expect(hall.upstream.open).toBe(0);
});

test('what comes after a message that is none is not heard any more', async () => {
  const one = await greeted();
  const before = hall.upstream.opened;
  one.write(frame('{'), frame(JSON.stringify(subscribe('subscription {ticket}'))), frame(ping));
  expect((await one.closed).code).toBe(4400);
  await servesOthers();
  expect(one.heard).toHaveLength(1);
  expect(hall.upstream.opened).toBe(before + 1);
});

test('whoever subscribes in the same breath as the greeting was too early: 4401', async () => {
  const one = await bare();
  one.send(init, subscribe('subscription {ticket}'));
  expect(await one.closed).toEqual({ code: 4401, reason: 'Unauthorized' });
  expect(hall.upstream.open).toBe(0);
});

test('whoever greets twice in one breath is closed with 4429, and never greeted', async () => {
  const one = await bare();
  one.send(init, init);
  expect((await one.closed).code).toBe(4429);
  expect(one.heard).toEqual([]);
});

test('a message in many pieces, with pings between them, is one message', async () => {
  const one = await greeted();
  const text = JSON.stringify({ type: 'ping', payload: { at: 'Grüße 🧦' } });
  const bytes = [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
  const pieces = bytes.map((byte, at) =>
    frame(byte, { opcode: at === 0 ? 1 : 0, isLast: at === bytes.length - 1 }),
  );
  one.write(
    ...pieces.flatMap((piece, at) => (at % 20 === 1 ? [frame(`${at}`, { opcode: 9 }), piece] : [piece])),
  );
  await until(() => one.heard.length === 2);
  expect(JSON.parse(one.heard[1]!)).toEqual({ type: 'pong', payload: { at: 'Grüße 🧦' } });
  expect(one.pongs.slice(0, 2)).toEqual(['1', '21']);
});

test('pongs are answers to pings, in their order, with what came in each', async () => {
  const one = await greeted();
  for (const text of ['', 'a', 'b'.repeat(125)]) one.write(frame(text, { opcode: 9 }));
  for (let at = 0; at < 5; at++) one.send({ type: 'ping', payload: { at } });
  await until(() => one.heard.length === 6 && one.pongs.length === 3);
  expect(one.pongs).toEqual(['', 'a', 'b'.repeat(125)]);
  expect(one.heard.slice(1).map((text) => JSON.parse(text).payload.at)).toEqual([0, 1, 2, 3, 4]);
});

test('a pong that nobody asked for is heard without a word', async () => {
  const one = await greeted();
  one.write(frame('unasked', { opcode: 10 }));
  one.send({ type: 'pong' }, { type: 'ping' });
  await until(() => one.heard.length === 2);
  expect(one.heard[1]).toBe('{"type":"pong"}');
});

test('subscriptions on one socket are told apart, each in its order, its last word last', async () => {
  const one = await greeted();
  const ids = ['a', 'b', 'c'];
  one.send(...ids.map((id, at) => subscribe(`subscription {countdown(from: ${at + 2})}`, id)));
  await until(() => one.heard.filter((text) => text.includes('"complete"')).length === 3);
  const heard = one.heard.slice(1).map((text) => JSON.parse(text));
  for (const [at, id] of ids.entries())
    expect(heard.filter((message) => message.id === id)).toEqual([
      ...Array.from({ length: at + 2 }, (_, turn) => ({
        id,
        type: 'next',
        payload: { data: { countdown: at + 2 - turn } },
      })),
      { id, type: 'complete' },
    ]);
});

test('a complete that crosses the server’s own is no fault, and the id is free again', async () => {
  const one = await greeted();
  for (let time = 0; time < 20; time++) {
    const before = one.heard.length;
    one.send(subscribe('subscription {countdown(from: 1)}'), { id: '1', type: 'complete' });
    one.send({ type: 'ping' });
    await until(() => one.heard.slice(before).includes('{"type":"pong"}'));
  }
  expect(one.isGone()).toBe(false);
  await servesOthers();
});

test('an id in use closes with 4409, with a reason that fits a frame however long the id is', async () => {
  for (const id of ['x'.repeat(10_000), 'quote " 🧦', 'line\nbreak']) {
    const one = await greeted();
    one.send(subscribe('subscription {ticket}', id), subscribe('subscription {ticket}', id));
    expect(await one.closed).toEqual({ code: 4409, reason: 'Subscriber already exists' });
  }
});

test.each([
  ['query', (deep: unknown) => ({ type: 'ping', payload: { deep } })],
  ['greeting', (deep: unknown) => ({ type: 'connection_init', payload: { authorization: deep } })],
  ['subscribe', (deep: unknown) => subscribe('subscription {ticket}', '1', { deep })],
])('a %s with ten thousand levels harms nobody', async (_what, messageWith) => {
  const one = await greeted();
  const text = JSON.stringify(messageWith('DEEP')).replace(
    '"DEEP"',
    `${'[['.repeat(5_000)}${']]'.repeat(5_000)}`,
  );
  one.write(frame(text), frame(ping));
  await until(() => one.heard.includes('{"type":"pong"}') || one.isGone());
  expect(one.heard.slice(1).join()).not.toContain('INTERNAL');
  await servesOthers();
});

test.each<[string, readonly string[], number | null]>([
  ['the newer one', ['graphql-transport-ws'], null],
  ['both, the older one first', ['graphql-ws', 'graphql-transport-ws'], null],
  ['the older one alone', ['graphql-ws'], 4406],
  ['another one', ['mqtt'], 4406],
  ['none', [], 4406],
])(
  'of protocols a client that offers %s is served, or closed with the code for it',
  async (_what, offered, code) => {
    const one = await bare(offered);
    if (code !== null) {
      expect(await one.closed).toEqual({ code, reason: 'Subprotocol not acceptable' });
      return;
    }
    one.send(init);
    await until(() => one.heard.length === 1);
    expect(one.heard).toEqual(['{"type":"connection_ack"}']);
  },
);

test.each([
  ['an empty list of protocols', { 'sec-websocket-protocol': ',' }, [400]],
  ['the same protocol twice', { 'sec-websocket-protocol': 'mqtt, mqtt' }, [400]],
  ['a version of long ago', { 'sec-websocket-version': '7' }, [400, 426]],
  ['an extension that is no extension', { 'sec-websocket-extensions': 'permessage-deflate; =' }, [101, 400]],
])('a handshake with %s is refused', async (_what, headers, statuses) => {
  const lines = Object.entries(headers);
  const refused = await openRaw(hall.url, { protocols: [], headers: Object.fromEntries(lines) }).then(
    (one) => {
      opened.push(one);
      return 101;
    },
    (error: unknown) => {
      if (!(error instanceof RefusedHandshake)) throw error;
      return error.status;
    },
  );
  expect(statuses).toContain(refused);
  await servesOthers();
});

test('whoever says goodbye is told goodbye, and nothing of theirs goes on', async () => {
  const one = await greeted();
  one.send(subscribe('subscription {ticket}'));
  await until(() => hall.upstream.open === 1);
  one.write(frame(Buffer.from([0x03, 0xe8]), { opcode: 8 }));
  expect((await one.closed).code).toBe(1000);
  await until(() => hall.upstream.open === 0 && hall.subscriptions.state().clients === 0);
});
