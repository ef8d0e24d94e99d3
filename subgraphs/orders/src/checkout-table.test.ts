import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Checkout, type Moment, moves, type Step, steps } from './checkout.ts';
import {
  begun,
  bodies,
  delivering,
  from,
  hear,
  held,
  moment,
  origin,
  type Said,
  shipping,
  told,
} from './checkout-story.ts';
import type { Heard } from './hearing.ts';
import { statusOf } from './order.ts';
import { deadlineMs } from './patience.ts';

describe('the table', () => {
  const pairs = steps.flatMap((step) =>
    (Object.keys(bodies) as (keyof Heard)[]).map((heard) => [step, heard] as const),
  );

  test.each(pairs)(
    '%s hears %s as the table says, and changes nothing where it says nothing',
    (step, heard) => {
      const checkout: Checkout = { ...begun.checkout, step, origin };
      const next = hear(checkout, heard);
      const move = moves[step][heard] as
        | ((c: Checkout, b: unknown, m: Moment) => { to: Step } | null)
        | undefined;
      expect(next?.checkout.step).toBe(move?.(checkout, bodies[heard], moment)?.to);
    },
  );

  const isEnd = (step: Step): boolean => step === 'CANCELLED' || step === 'DONE';

  test('every step but the two ends has a deadline, and a deadline leads somewhere', () => {
    for (const step of steps) {
      const wait = deadlineMs({ step, pending: null, needsOperator: false, attempts: 0 });
      expect(wait === null).toBe(isEnd(step));
      expect(moves[step].deadline === undefined).toBe(isEnd(step));
    }
  });

  test('steps that try again wait longer each time, five minutes at most', () => {
    const waits = [0, 1, 2, 3, 10].map((attempts) =>
      deadlineMs({ step: 'RELEASING', pending: null, needsOperator: false, attempts }),
    );
    expect(waits).toEqual([10_000, 20_000, 40_000, 80_000, 300_000]);
  });

  test('undoing does not change what the customer sees until it is done', () => {
    expect(statusOf('VOIDING', 'CONFIRMED')).toBe('CONFIRMED');
    expect(statusOf('RELEASING', 'AWAITING_PAYMENT')).toBe('AWAITING_PAYMENT');
    expect(statusOf('REFUNDING', 'SHIPPED')).toBe('SHIPPED');
    expect(statusOf('CANCELLED', 'CONFIRMED')).toBe('CANCELLED');
  });
});

describe('in whatever order things are heard', () => {
  const sayings: Said[] = [...(Object.keys(bodies) as (keyof Heard)[]), 'fraud.scored high'];
  const anyLife = fc.array(fc.constantFrom(...sayings), { maxLength: 40 });
  /** Begins anywhere on the way, so that the later steps are reached as often as the early ones. */
  const anyStart = fc.constantFrom(
    begun.checkout,
    ...[shipping, delivering, held].map((way) => told(...way).checkout),
  );

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

  test('money is asked for once, taken only when the carrier has the goods, and goods that left are never released', () => {
    fc.assert(
      fc.property(anyStart, anyLife, (start, life) => {
        const { sent } = from(start, ...life.filter((heard) => heard !== 'deadline'));
        expect(sent.filter((type) => type === 'payment.authorize').length).toBeLessThanOrEqual(1);
        expect(sent.filter((type) => type === 'payment.capture').length).toBeLessThanOrEqual(1);
        const left = sent.indexOf('inventory.ship');
        expect(sent.indexOf('payment.capture')).toBe(left < 0 ? -1 : left + 1);
        if (left >= 0) expect(sent.slice(left)).not.toContain('inventory.release');
      }),
      { numRuns: 4_000 },
    );
  });

  test('what a person has to look at does not leave before they have', () => {
    fc.assert(
      fc.property(anyLife, (life) => {
        let { checkout } = begun;
        for (const said of life) {
          const next = hear(checkout, said);
          if (!next) continue;
          if (next.send.some(({ type }) => type === 'shipping.create'))
            expect(next.checkout.review).not.toBe('WANTED');
          checkout = next.checkout;
        }
      }),
      { numRuns: 4_000 },
    );
  });

  test('an answer to everything asked always brings it to an end', () => {
    const answers: Record<string, keyof Heard> = {
      'inventory.reserve': 'inventory.reserved',
      'fraud.assess': 'fraud.scored',
      'fraud.review': 'fraud.approved',
      'payment.authorize': 'payment.authorized',
      'payment.capture': 'payment.captured',
      'inventory.allocate': 'inventory.allocated',
      'shipping.create': 'shipment.handed-over',
      'shipping.cancel': 'shipment.cancelled',
      'payment.void': 'payment.voided',
      'payment.refund': 'payment.refunded',
      'inventory.release': 'inventory.released',
    };
    const isAtEnd = ({ step, needsOperator }: Checkout): boolean =>
      step === 'CANCELLED' || step === 'DONE' || needsOperator;
    fc.assert(
      fc.property(anyStart, anyLife, (start, life) => {
        let { checkout } = from(start, ...life);
        for (let turn = 0; turn < 12 && !isAtEnd(checkout); turn++) {
          if (checkout.step === 'DELIVERING') {
            ({ checkout } = from(checkout, 'shipment.delivered'));
            continue;
          }
          const asked = hear(checkout, 'deadline')!;
          checkout = asked.checkout;
          for (const { type } of asked.send) {
            const answer = answers[type];
            if (answer) checkout = hear(checkout, answer)?.checkout ?? checkout;
          }
        }
        expect(isAtEnd(checkout)).toBe(true);
      }),
      { numRuns: 4_000 },
    );
  });
});
