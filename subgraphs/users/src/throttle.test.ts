import { expect, test } from 'vitest';
import { loginLimits, registrationLimits, waitFor } from './throttle.ts';

const now = new Date('2026-11-21T12:00:00Z');
const minute = 60_000;
const failed = (minutesAgo: number, isSameAccount = true) => ({
  at: new Date(now.getTime() - minutesAgo * minute),
  isSameAccount,
  hasFailed: true,
});

test('the sixth attempt within a quarter of an hour waits until the first is a quarter of an hour old', () => {
  const five = [1, 2, 3, 4, 14].map((minutes) => failed(minutes));
  expect(waitFor(loginLimits, five.slice(1), now)).toBe(0);
  expect(waitFor(loginLimits, five, now)).toBe(1 * minute);
});

test('attempts slide out of the window one by one', () => {
  expect(
    waitFor(
      loginLimits,
      [1, 2, 3, 4, 15].map((minutes) => failed(minutes)),
      now,
    ),
  ).toBe(0);
});

test('attempts under way count against their own account only', () => {
  const underWay = (isSameAccount: boolean) => ({ ...failed(0, isSameAccount), hasFailed: false });
  expect(waitFor(loginLimits, Array(5).fill(underWay(true)), now)).toBe(15 * minute);
  expect(waitFor(loginLimits, Array(50).fill(underWay(false)), now)).toBe(0);
});

test('twenty failures for whichever accounts close an address, and the longer wait holds', () => {
  const others = Array.from({ length: 20 }, (_, index) => failed(10 - index / 4, false));
  expect(waitFor(loginLimits, others.slice(1), now)).toBe(0);
  expect(waitFor(loginLimits, others, now)).toBe(5 * minute);
  expect(waitFor(loginLimits, [...others, ...[1, 1, 1, 1, 1].map((minutes) => failed(minutes))], now)).toBe(
    14 * minute,
  );
});

test('registrations are counted by the hour', () => {
  const limits = registrationLimits(2);
  expect(waitFor(limits, [failed(59)], now)).toBe(0);
  expect(waitFor(limits, [failed(59), failed(30)], now)).toBe(1 * minute);
});
