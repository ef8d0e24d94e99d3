import { describe, expect, test } from 'vitest';
import { kinds } from './messages.ts';
import { wordsFor } from './templates.ts';

const facts = { number: 'N-2026-0000012', reason: null, amountMinor: null, currency: 'GBP' };

test.each([
  ['ORDER_CONFIRMED', 'Order N-2026-0000012 is confirmed'],
  ['ORDER_HELD', 'Order N-2026-0000012 is being checked'],
  ['ORDER_SHIPPED', 'Order N-2026-0000012 is on its way'],
  ['ORDER_DELIVERED', 'Order N-2026-0000012 was delivered'],
  ['ORDER_CANCELLED', 'Order N-2026-0000012 was cancelled'],
] as const)('%s says so in its title: %s', (kind, title) => {
  expect(wordsFor({ ...facts, kind }).title).toBe(title);
});

test('a cancelled order says why, as a sentence', () => {
  const told = (reason: string | null) => wordsFor({ ...facts, kind: 'ORDER_CANCELLED', reason }).body;
  const rest = 'You pay nothing for it: whatever was taken is given back.';
  expect(told('the card was declined')).toBe(`The card was declined. ${rest}`);
  expect(told(' Is it too late? ')).toBe(`Is it too late? ${rest}`);
  expect(told(null)).toBe(rest);
  expect(told('  ')).toBe(rest);
});

describe('a refund', () => {
  const refunded = (amountMinor: number | null, currency = 'GBP') =>
    wordsFor({ ...facts, kind: 'REFUNDED', amountMinor, currency });

  test('names its amount in its currency', () => {
    expect(refunded(1250)).toEqual({
      title: '£12.50 back for order N-2026-0000012',
      body: '£12.50 went back to where it was paid from. It may take some days until you see it.',
    });
    expect(refunded(1250, 'JPY').title).toBe('JP¥1,250 back for order N-2026-0000012');
  });

  test('of an unknown amount names none', () => {
    expect(refunded(null).title).toBe('Money back for order N-2026-0000012');
  });
});

test('whatever is told has a title and a body of full sentences, and no gap in it', () => {
  for (const kind of kinds)
    for (const reason of [null, 'a reason']) {
      const { title, body } = wordsFor({ ...facts, kind, reason, amountMinor: 1 });
      expect(title).toContain(facts.number);
      expect(body).toMatch(/^[A-Z£].*\.$/);
      expect(`${title} ${body}`).not.toMatch(/null|undefined|NaN| {2}/);
      if (reason) expect(body).toContain('A reason.');
    }
});
