// Sockets of those who mean ill, at the gateway by itself, started as its users start it.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Bookshop, openBookshop, wellAnswered, wellAsked } from './bookshop.ts';
import { costOf, mostMs, wellBy } from './judgement.ts';
import { type MeteredGateway, startMetered } from './metered-gateway.ts';
import {
  frame,
  init,
  openGreeted,
  openRaw,
  type RawSocket,
  RefusedHandshake,
  subscribe,
} from './raw-socket.ts';

let bookshop: Bookshop;
let gateway: MeteredGateway;
let isWell: () => Promise<void>;
const opened: RawSocket[] = [];

beforeAll(async () => {
  bookshop = await openBookshop();
  gateway = await startMetered({ file: 'gateway/src/standalone/main.ts', args: bookshop.args });
  isWell = wellBy(gateway, wellAsked, wellAnswered);
  await isWell();
});
afterAll(async () => {
  await gateway?.stop();
  await bookshop?.close();
});
afterEach(async () => {
  for (const one of opened.splice(0)) one.destroy();
  await isWell();
  expect(gateway.isAlive(), gateway.said()).toBe(true);
  // Who is gone is not counted against those who come next.
  await expect.poll(sockets, { timeout: 10_000 }).toBe(0);
});

const sockets = async (): Promise<number> => {
  const metrics = await (await fetch(`${new URL(gateway.url).origin}/metrics`)).text();
  return Number(/^gateway_subscription_sockets (\d+)/m.exec(metrics)?.[1]);
};

const bare = async (): Promise<RawSocket> => {
  const one = await openRaw(gateway.url);
  opened.push(one);
  return one;
};

const greeted = async (): Promise<RawSocket> => {
  const one = await openGreeted(gateway.url);
  opened.push(one);
  return one;
};

const ticks = 'subscription { ticks(from: 1) }';

test('18: what is another’s is refused before any data', async () => {
  const one = await greeted();
  one.send(subscribe('subscription { diary(of: "Bob") }'));
  await expect.poll(() => one.heard.length, { timeout: 5_000 }).toBe(2);
  expect(JSON.parse(one.heard[1]!)).toMatchObject({
    id: '1',
    type: 'error',
    payload: [{ extensions: { code: 'FORBIDDEN' } }],
  });
});

test('37: whoever never says who they are is closed with 4408', async () => {
  expect((await (await bare()).closed).code).toBe(4408);
});

test('37: whoever subscribes without having said it is closed with 4401', async () => {
  const one = await bare();
  one.send(subscribe(ticks));
  expect((await one.closed).code).toBe(4401);
});

test('37: of a thousand subscriptions on one socket so many are served as may be, and then it is closed', async () => {
  const one = await greeted();
  const before = await gateway.read();
  one.send(...Array.from({ length: 1_000 }, (_, at) => subscribe(ticks, `${at}`)));
  expect((await one.closed).code).toBe(4429);
  const after = await gateway.read();
  const kinds = one.heard.slice(1).map((text) => JSON.parse(text) as { id: string; type: string });
  const served = new Set(kinds.filter(({ type }) => type === 'next').map(({ id }) => id));
  const refused = kinds.filter(({ type }) => type === 'error');
  expect(served.size).toBeLessThanOrEqual(50);
  expect(refused.length).toBeGreaterThan(100);
  expect(JSON.stringify(kinds)).not.toContain('INTERNAL');
  expect(after.cpuMs - before.cpuMs).toBeLessThan(1_000 * mostMs);
});

test.each<[string, Buffer[], readonly (number | null)[]]>([
  ['a frame that says it has 100 MB', [frame('x', { length: 100_000_000 })], [1009]],
  ['a frame without a mask', [frame('{}', { isMasked: false })], [1002]],
  ['text that is none', [frame(Buffer.from([0xff, 0xfe]))], [1007]],
  ['a message that is none', [frame('[')], [4400]],
  // ws cuts off whoever pings faster than the answers leave.
  ['a flood of pings', Array.from({ length: 1_000 }, () => frame('', { opcode: 9 })), [4429, null]],
  ['a flood of messages', Array.from({ length: 1_000 }, () => frame('{"type":"ping"}')), [4429]],
  ['a flood of greetings', Array.from({ length: 1_000 }, () => frame(JSON.stringify(init))), [4429]],
  ['a flood of goodbyes', Array.from({ length: 1_000 }, () => frame('{"type":"complete","id":"1"}')), [4429]],
])('37: %s closes the socket, in no time', async (_what, frames, codes) => {
  const { cpuMs } = await costOf(gateway, async () => {
    const one = await greeted();
    one.write(...frames);
    expect(codes).toContain((await one.closed).code);
    one.destroy();
  });
  expect(cpuMs).toBeLessThan(mostMs);
});

test('37: a subscription that is more work than it looks is refused, in no time', async () => {
  const doubling = `subscription { ...F0 } ${Array.from({ length: 40 }, (_, at) => `fragment F${at} on Subscription { ...F${at + 1} ...F${at + 1} }`).join(' ')} fragment F40 on Subscription { ticks }`;
  const { cpuMs } = await costOf(gateway, async () => {
    const one = await greeted();
    one.send(subscribe(doubling));
    await expect.poll(() => one.heard.length, { interval: 2 }).toBe(2);
    expect(one.heard[1]).toContain('QUERY_TOO_COMPLEX');
    one.destroy();
  });
  expect(cpuMs).toBeLessThan(mostMs);
});

test('37: whoever asks for answers and never reads one is cut off, and costs what may wait for one', async () => {
  await pause(100);
  const { heapMiB } = await gateway.read('collect');
  const deaf = await Promise.all(Array.from({ length: 5 }, greeted));
  const answer = frame(JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(60_000) } }));
  for (const one of deaf) {
    one.turnAway();
    // 17 MB each, which the system's own buffers do not hold.
    for (let at = 0; at < 290; at++) one.write(answer);
  }
  await expect.poll(sockets, { timeout: 20_000 }).toBe(0);
  const held = (await gateway.read('collect')).heapMiB - heapMiB;
  expect(held).toBeLessThan(5 * 2);
});

test('37: when the token expires the socket is closed with 4403', async () => {
  const one = await bare();
  const authorization = `Bearer ${await bookshop.issuer.sign('readers', '2s')}`;
  one.send({ ...init, payload: { authorization } });
  await expect.poll(() => one.heard.length).toBe(1);
  one.send(subscribe(ticks));
  expect(await one.closed).toEqual({ code: 4403, reason: 'The access token has expired' });
});

test.each([
  ['for partners', () => bookshop.issuer.sign('partners')],
  ['of yesterday', () => bookshop.issuer.sign('readers', '-1d')],
  ['by a key of a made-up name', () => bookshop.issuer.sign('readers', '10m', '../../keys.json')],
  ['that is no token', () => 'let me in'],
])('28: a token %s is closed with 4403, before anything is said', async (_what, make) => {
  const one = await bare();
  one.send({ ...init, payload: { authorization: `Bearer ${await make()}` } });
  expect((await one.closed).code).toBe(4403);
  expect(one.heard).toEqual([]);
});

test('37: one address has so many sockets, and whoever waits has them when they are free', async () => {
  const statuses: number[] = [];
  for (let at = 0; at < 130; at++)
    try {
      await bare();
      statuses.push(101);
    } catch (error) {
      if (!(error instanceof RefusedHandshake)) throw error;
      statuses.push(error.status);
    }
  expect(statuses.filter((status) => status === 101)).toHaveLength(100);
  expect(statuses.slice(100).every((status) => status === 429)).toBe(true);
  for (const one of opened.splice(0)) one.destroy();
  await expect.poll(sockets, { timeout: 10_000 }).toBe(0);
  await greeted();
});

test('37: lines that break off in the middle of a handshake or a frame are nobody’s loss', async () => {
  for (let time = 0; time < 50; time++) {
    const one = await bare();
    one.write(frame(JSON.stringify(init)).subarray(0, time % 30));
    one.destroy();
  }
  await isWell();
});
