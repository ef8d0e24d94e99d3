import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  advance,
  begin,
  type Checkout,
  deadlineMs,
  type Moment,
  mayCancel,
  moves,
  type Step,
  steps,
} from './checkout.ts';
import type { Heard } from './hearing.ts';
import { statusOf } from './order.ts';

const orderId = '01920000-0000-7000-8000-000000000001';
const other = '01920000-0000-7000-8000-000000000002';
const money = { amountMinor: 1_490, currency: 'GBP' };
const at = '2026-01-01T00:00:00.000Z';
const moment: Moment = { now: new Date(at), scale: 1 };
const origin = { warehouseId: other, name: 'Manchester', latitude: 53.5, longitude: -2.2 };
const parcel = { orderId, shipmentId: other };
const decided = { orderId, assessmentId: other, reviewerId: other };

const bodies: Heard = {
  'inventory.reserved': { orderId, parts: [] },
  'inventory.refused': { orderId, reason: 'OUT_OF_STOCK', skus: ['85123A'] },
  'inventory.allocated': { orderId, parts: [], origin },
  'inventory.released': { orderId },
  'inventory.expired': { orderId },
  'fraud.scored': { orderId, score: 0 },
  'fraud.approved': decided,
  'fraud.rejected': decided,
  'fraud.info-requested': decided,
  'payment.authorized': { orderId, paymentId: other, ...money },
  'payment.declined': { orderId, paymentId: other, reason: 'The card was declined.' },
  'payment.captured': { orderId, paymentId: other, ...money },
  'payment.capture-refused': { orderId, paymentId: other, reason: 'expired' },
  'payment.voided': { orderId, paymentId: other },
  'payment.refunded': { orderId, paymentId: other, ...money },
  'shipment.handed-over': parcel,
  'shipment.failed': { ...parcel, reason: 'No such postcode.' },
  'shipment.cancelled': parcel,
  'shipment.moved': { ...parcel, status: 'IN_TRANSIT', at, place: 'Leeds' },
  'shipment.delivered': { ...parcel, at },
  'shipment.lost': { ...parcel, at },
  cancel: { reason: 'Found it cheaper.' },
  deadline: {},
};

const begun = begin({
  orderId,
  number: 'N-2026-0000001',
  customerId: other,
  total: money,
  lines: [{ id: other, variantId: other, sku: '85123A', quantity: 2, unitPriceMinor: 745 }],
  paymentMethodId: other,
  holdUntil: new Date('2026-01-01T00:30:00Z'),
  addressHash: 'a',
  deviceHash: null,
  clientHash: null,
});

/** `fraud.scored high` is heard as a score of 95. */
type Said = keyof Heard | 'fraud.scored high';

const hear = (checkout: Checkout, said: Said) =>
  said === 'fraud.scored high'
    ? advance(checkout, 'fraud.scored', { orderId, score: 95 }, moment)
    : advance(checkout, said, bodies[said] as never, moment);

/** Where a checkout is, and what it has told, after hearing all of these. */
const told = (...all: Said[]) => from(begun.checkout, ...all);

const from = (start: Checkout, ...all: Said[]) => {
  let checkout = start;
  const sent = start === begun.checkout ? begun.send.map((message) => message.type) : [];
  for (const heard of all) {
    const next = hear(checkout, heard);
    if (!next) continue;
    checkout = next.checkout;
    sent.push(...next.send.map((message) => message.type));
  }
  return { checkout, step: checkout.step, reason: checkout.reason, sent };
};

const reserved = ['inventory.reserved'] as const;
const authorizing = [...reserved, 'fraud.scored'] as const;
const allocating = [...authorizing, 'payment.authorized'] as const;
const shipping = [...allocating, 'inventory.allocated'] as const;
const delivering = [...shipping, 'shipment.handed-over', 'payment.captured'] as const;
const held = [...reserved, 'fraud.scored high', 'payment.authorized'] as const;

describe('the way of an order', () => {
  test('stock, score, money, goods, carrier and customer, one after the other', () => {
    expect(told(...delivering, 'shipment.moved', 'shipment.delivered')).toMatchObject({
      step: 'DONE',
      reason: null,
      sent: [
        'inventory.reserve',
        'fraud.assess',
        'payment.authorize',
        'inventory.allocate',
        'shipping.create',
        'inventory.ship',
        'payment.capture',
      ],
    });
  });

  test('what is out of stock is named and nothing else is asked for', () => {
    expect(told('inventory.refused')).toMatchObject({
      step: 'CANCELLED',
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

  test('without a score in time a small order goes on and much money waits for a person', () => {
    expect(told(...reserved, 'deadline', 'payment.authorized').step).toBe('ALLOCATING');
    const dear = { ...begun.checkout, total: { amountMinor: 20_001, currency: 'GBP' } };
    expect(from(dear, ...reserved, 'deadline', 'payment.authorized').step).toBe('REVIEW');
  });

  test('hearing the same payment twice confirms once', () => {
    expect(told(...allocating, 'payment.authorized').sent).toEqual(told(...allocating).sent);
  });

  test.each([
    ['RESERVING', [], 'RELEASING', 'inventory.release'],
    ['SCORING', reserved, 'RELEASING', 'inventory.release'],
    ['AUTHORIZING', authorizing, 'VOIDING', 'payment.void'],
    ['ALLOCATING', allocating, 'VOIDING', 'payment.void'],
    ['REVIEW', held, 'VOIDING', 'fraud.close'],
    ['SHIPPING', shipping, 'SHIPPING', 'shipping.cancel'],
  ] as const)('cancel in %s', (_name, before, to, tells) => {
    const after = told(...before, 'cancel');
    expect(after).toMatchObject({ step: to, reason: 'Cancelled as asked.' });
    expect(after.sent.at(-1)).toBe(tells);
  });

  test('stock is free only after the void is confirmed', () => {
    expect(told(...allocating, 'cancel').sent).not.toContain('inventory.release');
    expect(told(...allocating, 'cancel', 'payment.voided').sent.at(-1)).toBe('inventory.release');
  });

  test('money that was faster than the void goes back before the stock is free', () => {
    const undone = told(
      ...allocating,
      'cancel',
      'payment.captured',
      'payment.refunded',
      'inventory.released',
    );
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

  test('what a customer typed is told to them and goes into no message', () => {
    const next = hear({ ...begun.checkout, step: 'ALLOCATING' }, 'cancel')!;
    expect(next.told).toBe('Found it cheaper.');
    const later = hear(hear(next.checkout, 'payment.captured')!.checkout, 'deadline')!;
    expect(JSON.stringify([next.checkout, next.send, later])).not.toContain('cheaper');
  });

  test('what has ended or left cannot be cancelled', () => {
    for (const step of ['CANCELLED', 'CAPTURING', 'DELIVERING', 'DONE'] as const) {
      expect(hear({ ...begun.checkout, step }, 'cancel')).toBeNull();
      expect(mayCancel({ step, pending: null })).toBe(false);
    }
  });
});

describe('an order that looks like fraud', () => {
  test('is held with its money promised, its goods kept, and goes on once it is approved', () => {
    expect(told(...held)).toMatchObject({ step: 'REVIEW' });
    expect(told(...held).sent.slice(-2)).toEqual(['fraud.review', 'inventory.extend']);
    expect(told(...held, 'fraud.approved', 'inventory.allocated').step).toBe('SHIPPING');
  });

  test('is given up when it is rejected, or nobody decides', () => {
    const back = ['payment.voided', 'inventory.released'] as const;
    expect(told(...held, 'fraud.rejected', ...back)).toMatchObject({
      step: 'CANCELLED',
      reason: 'The order was not approved.',
    });
    const expired = told(...held, 'deadline', ...back);
    expect(expired).toMatchObject({ step: 'CANCELLED', reason: 'The order was not approved in time.' });
    expect(expired.sent).toContain('fraud.close');
  });

  test('asking for information gives the reviewer the time once again, and only once', () => {
    const asked = told(...held, 'fraud.info-requested');
    expect(asked).toMatchObject({ step: 'REVIEW', checkout: { pending: 'EXTENDED' } });
    expect(deadlineMs(asked.checkout)).toBe(24 * 60 * 60_000);
    expect(hear(asked.checkout, 'fraud.info-requested')).toBeNull();
  });

  test('the goods are held longer than the reviewer has time', () => {
    const [review, extend] = hear(
      told(...reserved, 'fraud.scored high').checkout,
      'payment.authorized',
    )!.send;
    const { dueAt } = review!.data as { dueAt: string };
    const { holdUntil } = extend!.data as { holdUntil: string };
    expect(dueAt).toBe('2026-01-02T00:00:00.000Z');
    expect(Date.parse(holdUntil) - Date.parse(dueAt)).toBe(30 * 60_000);
  });

  test('a high score that comes late holds what has not left yet', () => {
    const late = [...reserved, 'deadline'] as const;
    expect(told(...late, 'fraud.scored high', 'payment.authorized').step).toBe('REVIEW');
    expect(told(...late, 'payment.authorized', 'fraud.scored high').step).toBe('REVIEW');
    const calledBack = told(...late, 'payment.authorized', 'inventory.allocated', 'fraud.scored high');
    expect(calledBack).toMatchObject({ step: 'SHIPPING', checkout: { pending: 'REVIEW' } });
    const looked = from(calledBack.checkout, 'shipment.cancelled');
    expect(looked).toMatchObject({ step: 'REVIEW', checkout: { parcel: 2 } });
    expect(from(looked.checkout, 'fraud.approved', 'inventory.allocated').step).toBe('SHIPPING');
    // The carrier was faster: the order is on its way.
    expect(from(calledBack.checkout, 'shipment.handed-over').step).toBe('CAPTURING');
  });

  test('who was approved is not held again', () => {
    expect(told(...held, 'fraud.approved', 'fraud.scored high').step).toBe('ALLOCATING');
  });
});

describe('with the carrier', () => {
  test('cancelling races the hand-over, and either way there is one end', () => {
    const asked = told(...shipping, 'cancel').checkout;
    expect(from(asked, 'shipment.cancelled', 'payment.voided', 'inventory.released').step).toBe('CANCELLED');
    const left = from(asked, 'shipment.handed-over');
    expect(left).toMatchObject({ step: 'CAPTURING', reason: expect.stringContaining('too late') });
    expect(from(left.checkout, 'shipment.cancelled').step).toBe('CAPTURING');
  });

  test('a refused label is asked for six more times, then somebody has to look', () => {
    let { checkout } = told(...shipping);
    const waits: (number | null)[] = [];
    for (let time = 0; time < 6; time++) {
      ({ checkout } = from(checkout, 'shipment.failed'));
      expect(checkout.pending).toBe('RETRY');
      waits.push(deadlineMs(checkout));
      const again = from(checkout, 'deadline');
      expect(again.sent).toEqual(['shipping.create']);
      ({ checkout } = again);
    }
    expect(waits).toEqual([20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    ({ checkout } = from(checkout, 'shipment.failed'));
    expect(checkout).toMatchObject({ step: 'SHIPPING', needsOperator: true });
    expect(deadlineMs(checkout)).toBeNull();
    expect(from(checkout, 'cancel').checkout).toMatchObject({ pending: 'CANCEL', needsOperator: false });
  });

  test('a parcel nobody has seen for a fortnight is for somebody to look at, and a scan ends that', () => {
    const { checkout } = told(...delivering, 'deadline');
    expect(checkout).toMatchObject({ step: 'DELIVERING', needsOperator: true });
    const seen = from(checkout, 'shipment.moved').checkout;
    expect(seen.needsOperator).toBe(false);
    expect(deadlineMs(from(seen, 'shipment.moved').checkout)).toBe(14 * 24 * 60 * 60_000);
  });

  test('a lost parcel is refunded, and its goods do not come back', () => {
    const lost = told(...delivering, 'shipment.lost', 'deadline', 'payment.refunded');
    expect(lost).toMatchObject({ step: 'CANCELLED', reason: 'The parcel was lost on its way.' });
    expect(lost.sent).not.toContain('inventory.release');
    expect(lost.sent).toContain('payment.refund');
  });

  test('a parcel that is lost before it is paid for is not charged', () => {
    const left = [...shipping, 'shipment.handed-over', 'shipment.lost'] as const;
    expect(told(...left, 'payment.voided')).toMatchObject({ step: 'CANCELLED' });
    expect(told(...left, 'payment.captured', 'payment.refunded').sent).not.toContain('inventory.release');
  });

  test('a parcel may arrive before its money', () => {
    const early = told(...shipping, 'shipment.handed-over', 'shipment.delivered');
    expect(early.step).toBe('CAPTURING');
    expect(from(early.checkout, 'deadline', 'payment.captured').step).toBe('DONE');
  });

  test('money that cannot be taken for goods on their way is for somebody to look at', () => {
    const refused = told(...shipping, 'shipment.handed-over', 'payment.capture-refused');
    expect(refused.checkout).toMatchObject({ step: 'CAPTURING', needsOperator: true });
    expect(from(refused.checkout, 'payment.captured').step).toBe('DELIVERING');
  });
});

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
