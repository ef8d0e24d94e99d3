import { money, zero } from '@orderstream/runtime/money';
import { anonymous } from '@orderstream/runtime/viewer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { captureEntries, refundEntries } from './ledger.ts';
import {
  answerAgain,
  doubt,
  isAmbiguous,
  learn,
  mayRead,
  type Payment,
  type PaymentState,
  refundable,
  refuseCapture,
  requestCapture,
  requestVoid,
  type Seen,
} from './payment.ts';
import { tokenProblem } from './payment-method.ts';
import { reserveRefund, settleRefund } from './refund.ts';

const nothing = zero('GBP');

const asked: Payment = {
  id: 'p1',
  tenantId: 't1',
  orderId: 'o1',
  customerId: 'c1',
  provider: 'stripe',
  methodId: 'm1',
  providerKey: 'pay_o1_1',
  providerId: null,
  captureKey: null,
  state: 'AUTHORIZING',
  wanted: 'AUTHORIZE',
  amount: money(4_995, 'GBP'),
  authorized: nothing,
  captured: nothing,
  refunding: nothing,
  refunded: nothing,
  failureReason: null,
  authorizationExpiresAt: null,
  calledAt: new Date(0),
  createdAt: new Date(0),
  traceparent: '00',
  version: 1,
};

const sight = (state: Seen['state'], more: Partial<Seen> = {}): Seen => ({
  id: 'pi_1',
  state,
  takenMinor: state === 'TAKEN' ? 4_995 : 0,
  failure: null,
  expiresAt: null,
  ...more,
});

const after = (payment: Payment, ...sights: Seen[]) => {
  const told: string[] = [];
  let now = payment;
  for (const seen of sights) {
    const step = learn(now, seen);
    if (step.tell) told.push(step.tell);
    now = step.payment;
  }
  return { payment: now, told };
};

const held = after(asked, sight('HELD')).payment;
const captured = after(held, sight('TAKEN')).payment;

describe('what the provider says', () => {
  test('a hold answers the wish and is told once', () => {
    const { payment, told } = after(asked, sight('HELD'), sight('HELD'));
    expect(payment).toMatchObject({ state: 'AUTHORIZED', wanted: null, providerId: 'pi_1', version: 2 });
    expect(told).toEqual(['authorized']);
  });

  test('an older picture never takes anything back', () => {
    const { payment, told } = after(captured, sight('HELD'), sight('DECLINED'), sight('GONE'), sight('OPEN'));
    expect(payment).toBe(captured);
    expect(told).toEqual([]);
  });

  test('a capture after a void is told, whatever was believed before', () => {
    const { payment, told } = after(requestVoid(held).payment, sight('GONE'), sight('TAKEN'));
    expect(told).toEqual(['voided', 'captured']);
    expect(payment).toMatchObject({ state: 'CAPTURED', authorized: asked.amount, captured: asked.amount });
  });

  test('a hold that turns up for a failed payment is wanted gone and not told as good news', () => {
    const failed = after(asked, sight('DECLINED')).payment;
    const { payment, told } = after(failed, sight('HELD'));
    expect(payment).toMatchObject({ state: 'AUTHORIZED', wanted: 'VOID' });
    expect(told).toEqual([]);
    expect(after(payment, sight('GONE')).told).toEqual(['voided']);
  });

  test('a hold that the bank releases by itself is expired and told as voided', () => {
    const { payment, told } = after(held, sight('GONE'));
    expect(payment).toMatchObject({ state: 'EXPIRED', authorized: nothing });
    expect(told).toEqual(['voided']);
  });

  test('another payment of the provider under our name changes nothing', () => {
    expect(after(held, sight('TAKEN', { id: 'pi_2' })).payment).toBe(held);
  });

  test('only a hold on a payment that has ended needs a second look', () => {
    const states: PaymentState[] = [
      'AUTHORIZING',
      'UNKNOWN',
      'AUTHORIZED',
      'CAPTURED',
      'FAILED',
      'VOIDED',
      'EXPIRED',
    ];
    const ambiguous = states.filter((state) => isAmbiguous({ ...asked, state }, sight('HELD')));
    expect(ambiguous).toEqual(['FAILED', 'VOIDED', 'EXPIRED']);
    expect(states.some((state) => isAmbiguous({ ...asked, state }, sight('TAKEN')))).toBe(false);
  });

  test('in whatever order and number news comes, money that was taken ends as captured and is told once', () => {
    const news = fc.shuffledSubarray([
      sight('OPEN'),
      sight('HELD'),
      sight('HELD'),
      sight('TAKEN'),
      sight('TAKEN'),
      sight('GONE'),
      sight('DECLINED'),
    ]);
    fc.assert(
      fc.property(news, fc.boolean(), fc.boolean(), (sights, isVoided, isDoubted) => {
        let start = isDoubted ? doubt(asked).payment : asked;
        if (isVoided) start = requestVoid(start).payment;
        const { payment, told } = after(start, ...sights, sight('TAKEN'));
        expect(payment).toMatchObject({ state: 'CAPTURED', wanted: null, captured: asked.amount });
        expect(told.filter((one) => one === 'captured')).toHaveLength(1);
        expect(told.filter((one) => one === 'authorized').length).toBeLessThanOrEqual(isVoided ? 0 : 1);
      }),
    );
  });
});

describe('letting go', () => {
  test.each<[string, Payment, ReturnType<typeof requestVoid>['tell'], PaymentState, Payment['wanted']]>([
    ['never asked for', { ...asked, calledAt: null }, 'voided', 'VOIDED', null],
    ['under way', asked, null, 'AUTHORIZING', 'VOID'],
    ['unknown', doubt(asked).payment, null, 'UNKNOWN', 'VOID'],
    ['held', held, null, 'AUTHORIZED', 'VOID'],
    ['captured', captured, 'captured', 'CAPTURED', null],
    ['declined', after(asked, sight('DECLINED')).payment, 'voided', 'FAILED', null],
  ])('a payment that is %s', (_, payment, tell, state, wanted) => {
    const step = requestVoid(payment);
    expect(step).toMatchObject({ tell, payment: { state, wanted } });
    const again = requestVoid(step.payment);
    expect(again.payment).toBe(step.payment);
    expect(again.tell).toBe(tell);
  });

  test('a decline while a void waits answers the void', () => {
    expect(after(requestVoid(asked).payment, sight('DECLINED'))).toMatchObject({
      told: ['voided'],
      payment: { state: 'FAILED' },
    });
  });

  test('asking again to authorize gets the answer that stands', () => {
    expect([asked, held, captured, requestVoid(held).payment].map(answerAgain)).toEqual([
      null,
      'authorized',
      'captured',
      null,
    ]);
  });
});

describe('money', () => {
  test('never goes back more than was taken, whatever is asked for and however it ends', () => {
    const requests = fc.array(
      fc.record({ amount: fc.integer({ min: 1, max: 3_000 }), succeeds: fc.boolean() }),
    );
    fc.assert(
      fc.property(requests, (list) => {
        let payment = captured;
        let back = 0;
        for (const { amount, succeeds } of list) {
          const reserved = reserveRefund(payment, money(amount, 'GBP'));
          if ('error' in reserved) {
            expect(amount).toBeGreaterThan(refundable(payment).amountMinor);
            continue;
          }
          payment = settleRefund(reserved, money(amount, 'GBP'), succeeds ? 'SUCCEEDED' : 'FAILED');
          if (succeeds) back += amount;
        }
        expect(payment.refunded.amountMinor).toBe(back);
        expect(payment.refunding.amountMinor).toBe(0);
        expect(back).toBeLessThanOrEqual(4_995);
        const state = back === 4_995 ? 'REFUNDED' : back > 0 ? 'PARTIALLY_REFUNDED' : 'CAPTURED';
        expect(payment.state).toBe(state);
      }),
    );
  });

  test('stays within what was promised, whatever is asked, answered, failed and said again', () => {
    const acts = fc.array(
      fc.record({
        does: fc.constantFrom(
          'capture',
          'void',
          'held',
          'taken',
          'gone',
          'refuse',
          'refund',
          'arrive',
          'fail',
        ),
        amount: fc.integer({ min: 1, max: 3_000 }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(acts, (list) => {
        let payment = asked;
        let booked = 0;
        const open: number[] = [];
        const take = (next: ReturnType<typeof learn>) => {
          payment = next.payment;
          if (next.event?.type === 'captured') booked += payment.captured.amountMinor;
        };
        const settle = (state: 'SUCCEEDED' | 'FAILED') => {
          const amount = open.shift();
          if (!amount) return;
          payment = settleRefund(payment, money(amount, 'GBP'), state);
          if (state === 'SUCCEEDED') booked -= amount;
        };
        const refund = (amount: number) => {
          const reserved = reserveRefund(payment, money(amount, 'GBP'));
          if ('error' in reserved) return;
          payment = reserved;
          open.push(amount);
        };
        for (const { does, amount } of list) {
          if (does === 'capture') take(requestCapture(payment));
          if (does === 'void') take(requestVoid(payment));
          if (does === 'held') take(learn(payment, sight('HELD')));
          if (does === 'taken') take(learn(payment, sight('TAKEN')));
          if (does === 'gone') take(learn(payment, sight('GONE')));
          if (does === 'refuse') take(refuseCapture(payment, 'no'));
          if (does === 'refund') refund(amount);
          if (does === 'arrive') settle('SUCCEEDED');
          if (does === 'fail') settle('FAILED');
          const [authorized, taken, going, back] = [
            payment.authorized,
            payment.captured,
            payment.refunding,
            payment.refunded,
          ].map((one) => one.amountMinor) as [number, number, number, number];
          expect(Math.min(going, back)).toBeGreaterThanOrEqual(0);
          expect(going + back).toBeLessThanOrEqual(taken);
          expect(taken).toBeLessThanOrEqual(authorized);
          expect(booked).toBe(taken - back);
          if (payment.wanted === 'CAPTURE')
            expect(payment).toMatchObject({ state: 'AUTHORIZED', providerId: 'pi_1' });
        }
      }),
      { numRuns: 300 },
    );
  });

  test('two refunds at once share what there is', () => {
    const first = reserveRefund(captured, money(3_000, 'GBP'));
    if ('error' in first) throw new Error('refused');
    expect(reserveRefund(first, money(3_000, 'GBP'))).toEqual({
      error: 'RefundExceedsBalance',
      refundable: money(1_995, 'GBP'),
    });
  });

  test('every movement in the book adds up to nothing, and a refund undoes what the provider owes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 9 }), fc.nat({ max: 100 }), (whole, percent) => {
        const part = Math.max(1, Math.floor((whole * percent) / 100));
        const entries = [...captureEntries(money(whole, 'GBP')), ...refundEntries(money(part, 'GBP'))];
        const balance = (account?: string) =>
          entries
            .filter((entry) => !account || entry.account === account)
            .reduce((sum, { amount }) => sum + amount.amountMinor, 0);
        expect(balance()).toBe(0);
        expect(balance('customer_receivable')).toBe(0);
        expect(balance('provider_clearing')).toBe(whole - part);
        expect(balance('revenue')).toBe(-whole);
      }),
    );
  });
});

test('a payment is read by its customer and by staff, and by nobody else', () => {
  const viewer = anonymous('t1');
  expect(mayRead({ ...viewer, userId: 'c1' }, asked)).toBe(true);
  expect(mayRead({ ...viewer, userId: 'c2' }, asked)).toBe(false);
  expect(mayRead(viewer, asked)).toBe(false);
  expect(mayRead(viewer, { customerId: null })).toBe(false);
  expect(mayRead({ ...viewer, scopes: new Set(['payments:read']) }, asked)).toBe(true);
});

test.each([
  ['pm_card_visa', null],
  ['pm_1RkTzq2eZvKYlo2C4cBnXxYz', null],
  ['4242424242424242', 'Card numbers are not accepted here.'],
  ['4242 4242 4242 4242', 'Card numbers are not accepted here.'],
  ['pm_4242-4242-4242-4242', 'Card numbers are not accepted here.'],
  ['3782 822463 10005', 'Card numbers are not accepted here.'],
  ['', 'This is not a token of the payment provider.'],
  ['cus_123', 'This is not a token of the payment provider.'],
  ['pm_a/../customers', 'This is not a token of the payment provider.'],
])('the token %j', (token, problem) => {
  expect(tokenProblem(token)).toBe(problem);
});
