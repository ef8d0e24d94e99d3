import { expect, test } from 'vitest';
import { createRates, networkOf, type Rates, type Requester } from './rates.ts';
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
const spent = (rates: Rates, requester: Requester, cost: number): boolean => {
  let told = false;
  rates.spend(requester, cost, (refusal) => {
    told = refusal === null;
  });
  return told;
};

test('each user has a rate of their own, and all of one address share another', () => {
  const rates = open();
  const seen = [ada, ada, ada, bob, bob, nobody, nobody].map((one) => admitted(rates, one));
  const refused = { code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) };
  expect(seen).toEqual(['admitted', 'admitted', refused, 'admitted', 'admitted', 'admitted', refused]);
});

test('an operation takes its cost, and gives back what it did not use', () => {
  const rates = open();
  expect([spent(rates, ada, 60), spent(rates, ada, 60)]).toEqual([true, false]);
  rates.settle(ada, -50);
  expect([spent(rates, ada, 60), spent(rates, bob, 100), spent(rates, bob, 1)]).toEqual([true, true, false]);
});

test('a partner has a rate wherever it calls from, and none where no rule is theirs', () => {
  const rates = open();
  const partner = { ...nobody, partnerId: 'p' };
  expect([spent(rates, partner, 10), spent(rates, { ...partner, address: null }, 1)]).toEqual([true, false]);
  expect(spent(rates, nobody, 1_000_000)).toBe(true);
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
