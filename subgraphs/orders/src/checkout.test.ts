import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  advance,
  begin,
  type Checkout,
  deadlineMs,
  type Heard,
  moves,
  type Step,
  steps,
} from './checkout.ts';
import { statusOf } from './order.ts';

const orderId = '01920000-0000-7000-8000-000000000001';
const other = '01920000-0000-7000-8000-000000000002';
const money = { amountMinor: 1_490, currency: 'GBP' };

const bodies: Heard = {
  'inventory.reserved': { orderId, parts: [] },
  'inventory.refused': { orderId, reason: 'OUT_OF_STOCK', skus: ['85123A'] },
  'inventory.allocated': { orderId, parts: [] },
  'inventory.released': { orderId },
  'inventory.expired': { orderId },
  'fraud.scored': { orderId, score: 0 },
  'payment.authorized': { orderId, paymentId: other, ...money },
  'payment.declined': { orderId, paymentId: other, reason: 'The card was declined.' },
  'payment.captured': { orderId, paymentId: other, ...money },
  'payment.voided': { orderId, paymentId: other },
  'payment.refunded': { orderId, paymentId: other, ...money },
  cancel: { reason: 'Found it cheaper.' },
  deadline: {},
};

const begun = begin({
  orderId,
  customerId: other,
  total: money,
  lines: [{ variantId: other, sku: '85123A', quantity: 2 }],
  paymentMethodId: other,
  holdUntil: new Date('2026-01-01T00:30:00Z'),
  addressHash: 'a',
  deviceHash: null,
  clientHash: null,
});

const hear = (checkout: Checkout, heard: keyof Heard) => advance(checkout, heard, bodies[heard] as never);

/** Where a checkout is, and what it has told, after hearing all of these. */
const told = (...all: (keyof Heard)[]) => {
  let { checkout } = begun;
  const sent = begun.send.map((message) => message.type);
  for (const heard of all) {
    const next = hear(checkout, heard);
    if (!next) continue;
    checkout = next.checkout;
    sent.push(...next.send.map((message) => message.type));
  }
  return { step: checkout.step, rests: checkout.rests, reason: checkout.reason, sent };
};

const reserved = ['inventory.reserved'] as const;
const authorizing = [...reserved, 'fraud.scored'] as const;
const allocating = [...authorizing, 'payment.authorized'] as const;
const confirmed = [...allocating, 'inventory.allocated'] as const;

describe('the way of an order', () => {
  test('stock, score and money one after the other, and then it rests', () => {
    expect(told(...confirmed)).toEqual({
      step: 'ALLOCATING',
      rests: true,
      reason: null,
      sent: ['inventory.reserve', 'fraud.assess', 'payment.authorize', 'inventory.allocate'],
    });
  });

  test('what is out of stock is named and nothing else is asked for', () => {
    expect(told('inventory.refused')).toEqual({
      step: 'CANCELLED',
      rests: false,
      reason: 'Out of stock: 85123A.',
      sent: ['inventory.reserve'],
    });
  });

  test('a declined payment gives the stock back', () => {
    expect(told(...authorizing, 'payment.declined', 'inventory.released')).toMatchObject({
      step: 'CANCELLED',
      reason: 'The card was declined.',
      sent: ['inventory.reserve', 'fraud.assess', 'payment.authorize', 'inventory.release'],
    });
  });

  test('without a score in time the order goes on unheld', () => {
    expect(told(...reserved, 'deadline').step).toBe('AUTHORIZING');
  });

  test('hearing the same payment twice confirms once', () => {
    expect(told(...allocating, 'payment.authorized').sent).toEqual(told(...allocating).sent);
  });

  test.each([
    ['RESERVING', [], 'RELEASING', 'inventory.release'],
    ['SCORING', reserved, 'RELEASING', 'inventory.release'],
    ['AUTHORIZING', authorizing, 'VOIDING', 'payment.void'],
    ['ALLOCATING', allocating, 'VOIDING', 'payment.void'],
    ['a confirmed order', confirmed, 'VOIDING', 'payment.void'],
  ] as const)('cancel in %s', (_name, before, to, tells) => {
    const after = told(...before, 'cancel');
    expect(after).toMatchObject({ step: to, reason: 'Cancelled as asked.' });
    expect(after.sent.at(-1)).toBe(tells);
  });

  test('stock is free only after the void is confirmed', () => {
    expect(told(...confirmed, 'cancel').sent).not.toContain('inventory.release');
    expect(told(...confirmed, 'cancel', 'payment.voided').sent.at(-1)).toBe('inventory.release');
  });

  test('money that was faster than the void goes back before the stock is free', () => {
    const undone = told(...confirmed, 'cancel', 'payment.captured', 'payment.refunded', 'inventory.released');
    expect(undone.step).toBe('CANCELLED');
    expect(undone.sent.slice(-3)).toEqual(['payment.void', 'payment.refund', 'inventory.release']);
  });

  test('money for an order that is no more goes back', () => {
    expect(told('inventory.refused', 'payment.captured').sent.at(-1)).toBe('payment.refund');
  });

  test('a hold that ran out ends the order, money first where it may be moving', () => {
    expect(told(...reserved, 'inventory.expired').step).toBe('CANCELLED');
    expect(told(...authorizing, 'inventory.expired').step).toBe('VOIDING');
    expect(told(...allocating, 'inventory.refused').step).toBe('VOIDING');
  });

  test('a confirmed order hears nothing but a wish', () => {
    for (const heard of Object.keys(bodies) as (keyof Heard)[])
      if (heard !== 'cancel') expect(told(...confirmed, heard)).toEqual(told(...confirmed));
  });

  test('what a customer typed is told to them and goes into no message', () => {
    const next = hear({ ...begun.checkout, step: 'ALLOCATING' }, 'cancel')!;
    expect(next.told).toBe('Found it cheaper.');
    const later = hear(hear(next.checkout, 'payment.captured')!.checkout, 'deadline')!;
    expect(JSON.stringify([next.checkout, next.send, later])).not.toContain('cheaper');
  });

  test('a cancelled order cannot be cancelled again', () => {
    expect(hear({ ...begun.checkout, step: 'CANCELLED' }, 'cancel')).toBeNull();
  });
});

describe('the table', () => {
  const pairs = steps.flatMap((step) =>
    (Object.keys(bodies) as (keyof Heard)[]).map((heard) => [step, heard] as const),
  );

  test.each(pairs)(
    '%s hears %s as the table says, and changes nothing where it says nothing',
    (step, heard) => {
      const checkout: Checkout = { ...begun.checkout, step };
      const next = hear(checkout, heard);
      const move = moves[step][heard] as ((c: Checkout, b: unknown) => { to: Step }) | undefined;
      expect(next?.checkout.step).toBe(move?.(checkout, bodies[heard]).to);
    },
  );

  test('every step but the last has a deadline, and a deadline leads somewhere', () => {
    for (const step of steps) {
      const wait = deadlineMs({ step, rests: false, attempts: 0 });
      expect(wait === null).toBe(step === 'CANCELLED');
      expect(moves[step].deadline === undefined).toBe(step === 'CANCELLED');
    }
    expect(deadlineMs({ step: 'ALLOCATING', rests: true, attempts: 0 })).toBeNull();
  });

  test('steps that try again wait longer each time, five minutes at most', () => {
    const waits = [0, 1, 2, 3, 10].map((attempts) =>
      deadlineMs({ step: 'RELEASING', rests: false, attempts }),
    );
    expect(waits).toEqual([10_000, 20_000, 40_000, 80_000, 300_000]);
  });

  test('undoing does not change what the customer sees until it is done', () => {
    expect(statusOf('VOIDING', 'CONFIRMED')).toBe('CONFIRMED');
    expect(statusOf('RELEASING', 'AWAITING_PAYMENT')).toBe('AWAITING_PAYMENT');
    expect(statusOf('CANCELLED', 'CONFIRMED')).toBe('CANCELLED');
  });
});

describe('in whatever order things are heard', () => {
  const anyHeard = fc.constantFrom(...(Object.keys(bodies) as (keyof Heard)[]));
  const anyLife = fc.array(anyHeard, { maxLength: 30 });

  test('stock is released only when no money can move: after a void, a refund, a refusal, or before it was asked for', () => {
    fc.assert(
      fc.property(anyLife, (life) => {
        let { checkout } = begun;
        let isMoneySafe = true;
        for (const heard of life) {
          const next = hear(checkout, heard);
          if (!next) continue;
          for (const { type } of next.send) {
            if (type === 'payment.authorize') isMoneySafe = false;
            if (type === 'inventory.release' && checkout.step !== 'RELEASING') {
              if (['payment.voided', 'payment.refunded', 'payment.declined'].includes(heard))
                isMoneySafe = true;
              expect(isMoneySafe).toBe(true);
            }
          }
          checkout = next.checkout;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('an order asks for its payment and its allocation at most once while it goes forward', () => {
    fc.assert(
      fc.property(anyLife, (life) => {
        const { sent } = told(...life.filter((heard) => heard !== 'deadline'));
        expect(sent.filter((type) => type === 'payment.authorize').length).toBeLessThanOrEqual(1);
        expect(sent.filter((type) => type === 'inventory.allocate').length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2_000 },
    );
  });

  test('an answer to everything asked always brings it to an end', () => {
    const answers: Record<string, keyof Heard> = {
      'inventory.reserve': 'inventory.reserved',
      'fraud.assess': 'fraud.scored',
      'payment.authorize': 'payment.authorized',
      'inventory.allocate': 'inventory.allocated',
      'payment.void': 'payment.voided',
      'payment.refund': 'payment.refunded',
      'inventory.release': 'inventory.released',
    };
    fc.assert(
      fc.property(anyLife, (life) => {
        let { checkout } = begun;
        for (const heard of life) checkout = hear(checkout, heard)?.checkout ?? checkout;
        for (let turn = 0; turn < 10 && checkout.step !== 'CANCELLED' && !checkout.rests; turn++) {
          const asked = hear(checkout, 'deadline');
          checkout = asked!.checkout;
          for (const { type } of asked!.send) checkout = hear(checkout, answers[type]!)?.checkout ?? checkout;
        }
        expect(checkout.step === 'CANCELLED' || checkout.rests).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
