import type { RequestError } from '@orderstream/runtime/errors';
import { expect, test } from 'vitest';
import { createRates, networkOf, type Rates, type Requester } from './rates.ts';
import type { Ask } from './window.ts';
import { createLocalWindows } from './windows.ts';

const nobody: Requester = { userId: null, partnerId: null, address: '192.0.2.1' };
const ada: Requester = { ...nobody, userId: 'ada' };
const bob: Requester = { ...nobody, userId: 'bob' };

const open = (): Rates =>
  createRates(
    [
      { by: 'user', counts: 'requests', limit: 2, windowMs: 60_000 },
      { by: 'address', counts: 'requests', limit: 5, windowMs: 60_000 },
      { by: 'user', counts: 'cost', limit: 100, windowMs: 60_000 },
      { by: 'partner', counts: 'cost', limit: 10, windowMs: 60_000 },
    ],
    createLocalWindows(1, () => 1_000_000),
  );
const admitted = (rates: Rates, requester: Requester): unknown => {
  let told: unknown;
  rates.admit(requester, (refusal) => {
    told = refusal?.extensions ?? 'admitted';
  });
  return told;
};
const spent = (rates: Rates, requester: Requester, cost: number, budget: readonly Ask[] = []): unknown => {
  let told: unknown;
  rates.spend(requester, cost, budget, (refusal) => {
    told = refusal?.code ?? true;
  });
  return told;
};

test('each user has a rate of their own, and all of one address share another', () => {
  const rates = open();
  const seen = [ada, ada, ada, bob, bob, nobody, nobody].map((one) => admitted(rates, one));
  const refused = { code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) };
  expect(seen).toEqual(['admitted', 'admitted', refused, 'admitted', 'admitted', 'admitted', refused]);
});

test('an operation takes what it is estimated to cost, whoever asks from their own', () => {
  const rates = open();
  expect([spent(rates, ada, 60), spent(rates, ada, 60), spent(rates, ada, 40)]).toEqual([
    true,
    'RATE_LIMITED',
    true,
  ]);
  expect([spent(rates, bob, 100), spent(rates, bob, 1)]).toEqual([true, 'RATE_LIMITED']);
});

test('a partner has a rate wherever it calls from, and none where no rule is theirs', () => {
  const rates = open();
  const partner = { ...nobody, partnerId: 'p' };
  expect(spent(rates, partner, 10)).toBe(true);
  expect(spent(rates, { ...partner, address: null }, 1)).toBe('RATE_LIMITED');
  expect(spent(rates, nobody, 1_000_000)).toBe(true);
});

test('a budget of one’s own is spent together with what the rules say, or neither is', () => {
  const rates = open();
  const budget = (cost: number): Ask[] => [{ name: 'budget:p', limit: 30, windowMs: 60_000, cost }];
  const buys = (cost: number): unknown => spent(rates, ada, cost, budget(cost));
  expect([buys(20), buys(20), spent(rates, ada, 80)]).toEqual([true, 'RATE_LIMITED', true]);
  expect(spent(rates, ada, 1)).toBe('RATE_LIMITED');
});

test('what is dearer than all that may ever be spent is told so, and not to try again', () => {
  const rates = open();
  let told: RequestError | null = null;
  rates.spend(ada, 101, [], (refusal) => {
    told = refusal;
  });
  expect(told).toMatchObject({
    message: 'The query is too complex: its cost is 101, of 100 allowed in 60 seconds.',
    extensions: { code: 'QUERY_TOO_COMPLEX', retryable: false },
  });
  expect(spent(rates, ada, 100)).toBe(true);
});

test('what costs nothing is free even for those who have nothing left', () => {
  const rates = open();
  expect([spent(rates, ada, 100), spent(rates, ada, 0)]).toEqual([true, true]);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:0001:0002::6', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('%s is of the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
