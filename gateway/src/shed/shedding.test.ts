import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DocumentNode, getOperationAST, parse } from 'graphql';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Sheddable } from './classes.ts';
import { openLoopMeter } from './loop-meter.ts';
import { openShedding, type Shedding, type SheddingSettings } from './shedding.ts';

const shop: SheddingSettings = {
  enabled: true,
  inFlight: 80,
  loopDelayMs: 200,
  classes: [
    { name: 'recommendations', fields: ['trending', 'recommendations'] },
    { name: 'search', fields: ['searchProducts'] },
    { name: 'browse', fields: [] },
    { name: 'orders', fields: ['checkout', 'order', 'cart'] },
  ],
};

const asked = (text: string): Sheddable => {
  const document: DocumentNode = parse(text);
  return { definition: getOperationAST(document)!, document };
};
const asks = {
  recommendations: asked('{ trending { id } }'),
  search: asked('query ($q: String!) { searchProducts(q: $q) { total } }'),
  browse: asked('{ product(slug: "mug") { id } }'),
  orders: asked('mutation { checkout(input: {}) { __typename } }'),
};
type Name = keyof typeof asks;

/** Which of the classes may go on while so many are in, themselves counted. */
const served = (shedding: Shedding): string =>
  (Object.keys(asks) as Name[]).filter((name) => shedding.admits(asks[name])).join(' ');

const enter = (shedding: Shedding, times: number): number =>
  Array.from({ length: times }, () => shedding.enter()).filter(Boolean).length;

describe('with a clock of its own', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** As many seconds as there are lags. */
  const open = (settings: SheddingSettings = shop) => {
    const lags: number[] = [];
    const shedding = openShedding(settings, () => ({
      read: () => lags.shift() ?? 0,
      close: () => undefined,
    }));
    const pass = (...seconds: number[]): number => {
      lags.push(...seconds);
      vi.advanceTimersByTime(1_000 * seconds.length);
      return shedding.state().capacity;
    };
    return { shedding, pass };
  };

  test('everybody is served while less is under way than half of what may be', () => {
    const { shedding } = open();
    expect(enter(shedding, 40)).toBe(40);
    expect(served(shedding)).toBe('recommendations search browse orders');
    expect(shedding.admits(null)).toBe(true);
  });

  test('the fuller it gets, the more is given up, in the order of the settings', () => {
    const { shedding } = open();
    const seen = new Map<string, number>();
    for (let inside = 1; inside <= 80; inside++) {
      expect(shedding.enter()).toBe(true);
      if (!seen.has(served(shedding))) seen.set(served(shedding), inside);
    }
    expect([...seen]).toEqual([
      ['recommendations search browse orders', 1],
      ['search browse orders', 41],
      ['browse orders', 54],
      ['orders', 67],
    ]);
    expect(enter(shedding, 3)).toBe(0);
    for (let i = 0; i < 40; i++) shedding.leave();
    expect(served(shedding)).toBe('recommendations search browse orders');
  });

  test('a text that is not known yet is given up with the rest', () => {
    const { shedding } = open();
    enter(shedding, 66);
    expect(shedding.admits(null)).toBe(true);
    enter(shedding, 1);
    expect(shedding.admits(null)).toBe(false);
    expect(shedding.admits(asks.orders)).toBe(true);
  });

  test('what is refused is counted by its class', () => {
    const { shedding } = open();
    enter(shedding, 82);
    served(shedding);
    shedding.admits(null);
    expect(shedding.state()).toEqual({
      inFlight: 80,
      capacity: 80,
      refused: [
        ['recommendations', 1],
        ['search', 1],
        ['browse', 2],
        ['orders', 0],
        ['*', 2],
      ],
    });
  });

  test('one second of a lagging loop is nobody’s fault, and the second one halves what may be under way', () => {
    const { shedding, pass } = open();
    enter(shedding, 60);
    expect([pass(900), pass(20), pass(900), pass(900)]).toEqual([80, 80, 80, 30]);
    expect(served(shedding)).toBe('');
    for (let i = 0; i < 30; i++) shedding.leave();
    expect(served(shedding)).toBe('orders');
    for (let i = 0; i < 15; i++) shedding.leave();
    expect(served(shedding)).toBe('recommendations search browse orders');
  });

  test('a loop that lags on is left with less and less, and never with nothing', () => {
    const { shedding, pass } = open();
    enter(shedding, 80);
    expect([pass(201, 201), pass(201), pass(201), pass(5_000)]).toEqual([40, 20, 16, 16]);
  });

  test('more is let in only when the loop is calm, not when it has merely stopped lagging', () => {
    const { shedding, pass } = open();
    enter(shedding, 80);
    pass(300, 300, 300);
    expect([pass(150), pass(101), pass(100), pass(40), pass(0, 0, 0)]).toEqual([20, 20, 30, 45, 80]);
    // A second that lags between calm ones changes nothing, and begins the count anew.
    expect([pass(300), pass(0), pass(300), pass(0)]).toEqual([80, 80, 80, 80]);
  });

  test('a loop that lags with hardly anything under way keeps room for a few', () => {
    const { shedding, pass } = open();
    enter(shedding, 2);
    expect(pass(400, 400)).toBe(16);
    expect(served(shedding)).toBe('recommendations search browse orders');
  });

  test('a capacity that is small by the settings does not grow by lagging', () => {
    const { shedding, pass } = open({ ...shop, inFlight: 4 });
    enter(shedding, 4);
    expect([pass(400, 400, 400), pass(0)]).toEqual([4, 4]);
  });

  test('without classes all requests are alike', () => {
    const { shedding } = open({ ...shop, inFlight: 3, classes: [] });
    expect(enter(shedding, 4)).toBe(3);
    expect(served(shedding)).toBe('recommendations search browse orders');
  });

  test('what is switched off refuses nobody', () => {
    const { shedding, pass } = open({ ...shop, enabled: false, inFlight: 1 });
    expect(enter(shedding, 1_000)).toBe(1_000);
    pass(900, 900, 900);
    expect(served(shedding)).toBe('recommendations search browse orders');
  });

  test('nothing goes on after the end', () => {
    const { shedding, pass } = open();
    enter(shedding, 80);
    shedding.close();
    expect(pass(900, 900)).toBe(80);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test.each<[string, string, Name]>([
  [
    'a field in a fragment',
    '{ ...F } fragment F on Query { ... on Query { trending { id } } }',
    'recommendations',
  ],
  ['another name for a field', '{ product: trending { id } }', 'recommendations'],
  ['fields of several classes, the dearest of which counts', '{ trending { id } cart { id } }', 'orders'],
  ['a page with a search on it', '{ searchProducts(q: "x") { total } me { id } }', 'browse'],
  ['the type’s name beside it', '{ __typename trending { id } }', 'recommendations'],
  ['introspection', '{ __schema { types { name } } }', 'browse'],
])('the class of %s', (_what, text, name) => {
  const shedding = openShedding({ ...shop, inFlight: 80 });
  const last = { recommendations: 40, search: 53, browse: 66, orders: 80 }[name];
  try {
    const one = asked(text);
    enter(shedding, last);
    expect(shedding.admits(one)).toBe(true);
    if (!shedding.enter()) return;
    expect(shedding.admits(one)).toBe(false);
  } finally {
    shedding.close();
  }
});

test('a refusal says when to come back, not to all the same', () => {
  const shedding = openShedding(shop);
  const told = Array.from({ length: 100 }, () => shedding.refusal());
  shedding.close();
  for (const { code, extensions } of told) {
    expect(code).toBe('OVERLOADED');
    expect(extensions.retryable).toBe(true);
  }
  expect(new Set(told.map(({ extensions }) => extensions.retryAfterMs)).size).toBeGreaterThan(1);
});

test('asking costs next to nothing while all is calm', () => {
  const shedding = openShedding(shop);
  const round = (): number => {
    const began = performance.now();
    for (let i = 0; i < 100_000; i++) {
      shedding.enter();
      shedding.admits(asks.browse);
      shedding.leave();
    }
    return (performance.now() - began) / 100_000;
  };
  // The best of ten: what is measured is the work, not what else the machine is doing.
  const bestMs = Math.min(...Array.from({ length: 10 }, round));
  shedding.close();
  expect(bestMs).toBeLessThan(0.001);
});

const block = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

test.each([
  ['often, by a little', 60],
  ['always, by more than is between two looks', 300],
])('a loop that is blocked %s is seen to lag', async (_how, ms) => {
  const meter = openLoopMeter(200);
  try {
    await sleep(100);
    meter.read();
    for (let look = 0; look < 3; look++) {
      const until = performance.now() + 200;
      while (performance.now() < until) {
        block(ms);
        await sleep(1);
      }
      expect(meter.read()).toBeGreaterThan(ms - 15);
    }
  } finally {
    meter.close();
  }
});

test('a server whose loop is blocked sends away what matters least, and takes it back when it is calm', async () => {
  const shedding = openShedding({ ...shop, inFlight: 200, loopDelayMs: 250 });
  const held: (() => void)[] = [];
  const server = createServer((request, response) => {
    if (!shedding.enter()) return response.writeHead(503).end();
    response.once('close', shedding.leave);
    const name = request.url!.slice(1);
    if (name === 'hold') return held.push(() => response.end());
    if (!shedding.admits(asks[name as Name])) return response.writeHead(503).end();
    return response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (name: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/${name}`)).status;
  const statuses = (): Promise<[number, number]> => Promise.all([ask('recommendations'), ask('orders')]);
  const deadline = performance.now() + 25_000;
  try {
    const holding = Array.from({ length: 14 }, () => ask('hold'));
    await vi.waitFor(() => expect(held).toHaveLength(14), { timeout: 10_000 });
    expect(await statuses()).toEqual([200, 200]);
    while (shedding.state().capacity > 16 && performance.now() < deadline) {
      block(400);
      await sleep(1);
    }
    expect(shedding.state().capacity).toBe(16);
    expect(await statuses()).toEqual([503, 200]);
    while (shedding.state().capacity < 50 && performance.now() < deadline) await sleep(100);
    expect(await statuses()).toEqual([200, 200]);
    for (const end of held) end();
    expect(new Set(await Promise.all(holding))).toEqual(new Set([200]));
    expect(shedding.state().inFlight).toBe(0);
  } finally {
    shedding.close();
    server.closeAllConnections();
    server.close();
  }
});
