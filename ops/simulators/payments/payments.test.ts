import Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { falls } from './faults.ts';
import { openShop } from './test-shop.ts';

let shop: Awaited<ReturnType<typeof openShop>>;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());
beforeEach(() => shop.control.faults({ clear: true }));

const failure = async (work: Promise<unknown>): Promise<Stripe.errors.StripeError> => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Stripe.errors.StripeError)) throw new Error(`expected a Stripe error, not ${error}`);
  return error;
};

describe('paying', () => {
  test('an authorized payment is captured once and refunded in parts', async () => {
    const { stripe } = shop;
    const authorized = await shop.authorize();
    expect(authorized).toMatchObject({
      object: 'payment_intent',
      status: 'requires_capture',
      amount_capturable: 2500,
      amount_received: 0,
      metadata: { orderId: 'ord_1' },
    });
    const captured = await stripe.paymentIntents.capture(authorized.id, { expand: ['latest_charge'] });
    expect(captured).toMatchObject({ status: 'succeeded', amount_capturable: 0, amount_received: 2500 });
    expect(captured.latest_charge).toMatchObject({ object: 'charge', captured: true, amount_captured: 2500 });
    expect((await failure(stripe.paymentIntents.capture(authorized.id))).code).toBe(
      'payment_intent_unexpected_state',
    );

    const part = await stripe.refunds.create({ payment_intent: authorized.id, amount: 1000 });
    expect(part).toMatchObject({ object: 'refund', status: 'succeeded', amount: 1000, currency: 'gbp' });
    const tooMuch = await failure(stripe.refunds.create({ payment_intent: authorized.id, amount: 1501 }));
    expect(tooMuch).toMatchObject({ statusCode: 400, param: 'amount' });
    expect((await stripe.refunds.create({ payment_intent: authorized.id })).amount).toBe(1500);
    const nothingLeft = await failure(stripe.refunds.create({ payment_intent: authorized.id }));
    expect(nothingLeft.code).toBe('charge_already_refunded');
    const refunds = await stripe.refunds.list({ payment_intent: authorized.id });
    expect(refunds.data.map(({ amount }) => amount)).toEqual([1500, 1000]);
  });

  test('a cancelled authorization cannot be captured or refunded any more', async () => {
    const { stripe } = shop;
    const { id } = await shop.authorize();
    const cancelled = await stripe.paymentIntents.cancel(id, { cancellation_reason: 'abandoned' });
    expect(cancelled).toMatchObject({
      status: 'canceled',
      amount_capturable: 0,
      cancellation_reason: 'abandoned',
    });
    expect(cancelled.canceled_at).toBeGreaterThan(1_700_000_000);
    for (const again of [stripe.paymentIntents.capture(id), stripe.paymentIntents.cancel(id)]) {
      const error = await failure(again);
      expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' });
      expect(error.payment_intent?.status).toBe('canceled');
    }
    expect((await failure(stripe.refunds.create({ payment_intent: id }))).statusCode).toBe(400);
  });

  test('an intent goes step by step through confirmation, and automatic capture takes the money at once', async () => {
    const { stripe } = shop;
    const intent = await stripe.paymentIntents.create({ amount: 300, currency: 'eur' });
    expect(intent.status).toBe('requires_payment_method');
    expect((await failure(stripe.paymentIntents.confirm(intent.id))).code).toBe(
      'payment_intent_unexpected_state',
    );
    const paid = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_mastercard' });
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 300 });
    expect((await stripe.paymentIntents.retrieve(intent.id)).status).toBe('succeeded');
  });

  test('attaching a token makes a card of its own, which only its customer can use', async () => {
    const { stripe } = shop;
    const mine = await shop.card('pm_card_amex');
    const method = await stripe.paymentMethods.retrieve(mine.payment_method);
    expect(method.id).not.toBe('pm_card_amex');
    expect(method.card).toMatchObject({ brand: 'amex', last4: '0005', exp_month: 12 });
    const other = await stripe.customers.create({});
    const theft = stripe.paymentIntents.create({
      amount: 500,
      currency: 'gbp',
      payment_method: mine.payment_method,
      customer: other.id,
    });
    expect((await failure(theft)).param).toBe('payment_method');
    await stripe.paymentMethods.detach(mine.payment_method);
    const gone = stripe.paymentIntents.create({ amount: 500, currency: 'gbp', ...mine });
    expect((await failure(gone)).statusCode).toBe(400);
  });

  test('twenty refunds at once never give back more than was received', async () => {
    const { id } = await shop.authorize('pm_card_visa', 'ord_refunds');
    await shop.stripe.paymentIntents.capture(id);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => shop.stripe.refunds.create({ payment_intent: id, amount: 400 })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
    const entry = (await shop.control.book()).intents.find((intent) => intent.id === id);
    expect(entry).toMatchObject({ amountReceived: 2500, amountRefunded: 2400 });
    expect(entry?.refunds).toHaveLength(6);
  });

  test('a pending refund that fails gives the money back to be refunded again', async () => {
    const { id } = await shop.authorize('pm_card_pendingRefund');
    await shop.stripe.paymentIntents.capture(id);
    const refund = await shop.stripe.refunds.create({ payment_intent: id });
    expect(refund.status).toBe('pending');
    await shop.control.post(`refunds/${refund.id}/settle`, { status: 'failed' });
    expect((await shop.stripe.refunds.retrieve(refund.id)).status).toBe('failed');
    expect((await shop.stripe.refunds.create({ payment_intent: id })).amount).toBe(2500);
  });
});

describe('being declined', () => {
  test.each([
    ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
  ])('%s refuses to be attached and declines a payment', async (token, code, declineCode) => {
    const expected = { type: 'StripeCardError', statusCode: 402, code, decline_code: declineCode };
    expect(await failure(shop.card(token))).toMatchObject(expected);
    const charged = shop.stripe.paymentIntents.create({
      amount: 900,
      currency: 'gbp',
      payment_method: token,
      confirm: true,
    });
    expect(await failure(charged)).toMatchObject(expected);
  });

  test('a card that fails later leaves an intent that another card can pay', async () => {
    const error = await failure(shop.authorize('pm_card_chargeCustomerFail', 'ord_declined'));
    expect(error).toMatchObject({ code: 'card_declined', decline_code: 'generic_decline' });
    const intent = error.payment_intent;
    expect(intent).toMatchObject({ status: 'requires_payment_method', payment_method: null });
    expect(intent?.last_payment_error).toMatchObject({ code: 'card_declined', charge: error.charge });
    const paid = await shop.stripe.paymentIntents.confirm(intent?.id ?? '', {
      payment_method: 'pm_card_visa',
    });
    expect(paid).toMatchObject({ status: 'requires_capture', last_payment_error: null });
  });

  test('a card that wants proof waits for the customer, and declines when there is none', async () => {
    const waiting = await shop.authorize('pm_card_authenticationRequired');
    expect(waiting.status).toBe('requires_action');
    expect(waiting.next_action?.type).toBe('use_stripe_sdk');
    await shop.control.post(`payment_intents/${waiting.id}/authenticate`);
    expect((await shop.stripe.paymentIntents.retrieve(waiting.id)).status).toBe('requires_capture');
    const alone = shop.stripe.paymentIntents.create({
      amount: 900,
      currency: 'gbp',
      confirm: true,
      off_session: true,
      ...(await shop.card('pm_card_authenticationRequired')),
    });
    expect((await failure(alone)).code).toBe('authentication_required');
  });

  test('a share of payments is declined, decided by the key and the seed and nothing else', async () => {
    await shop.control.faults({ declinePercent: { percent: 40, seed: 'spring' } });
    const method = await shop.card('pm_card_visa');
    const keys = Array.from({ length: 40 }, (_, number) => `share-${number}`);
    const paid: string[] = [];
    for (const idempotencyKey of keys) {
      const order = { amount: 900, currency: 'gbp', confirm: true, ...method };
      await shop.stripe.paymentIntents.create(order, { idempotencyKey }).then(
        () => paid.push(idempotencyKey),
        () => {},
      );
    }
    expect(paid).toEqual(keys.filter((key) => !falls(40, 'spring', key)));
    const declined = (seed: string) => Array.from({ length: 1000 }, (_, n) => falls(40, seed, `${n}`));
    expect(declined('spring').filter(Boolean).length).toBeGreaterThan(350);
    expect(declined('spring').filter(Boolean).length).toBeLessThan(450);
    expect(declined('autumn')).not.toEqual(declined('spring'));
  });
});

describe('finding payments', () => {
  test('a payment is found by its order, and lists go page by page', async () => {
    const { stripe } = shop;
    const method = await shop.card('pm_card_visa');
    for (const part of ['a', 'b', 'c']) {
      await stripe.paymentIntents.create({
        amount: 700,
        currency: 'gbp',
        metadata: { orderId: 'ord_found', part },
        ...method,
      });
    }
    const found = await stripe.paymentIntents.search({
      query: "metadata['orderId']:'ord_found' AND metadata['part']:'b'",
    });
    expect(found.data.map(({ metadata }) => metadata.part)).toEqual(['b']);
    const listed: (string | undefined)[] = [];
    for await (const intent of stripe.paymentIntents.list({ customer: method.customer, limit: 2 })) {
      listed.push(intent.metadata.part);
    }
    expect(listed).toEqual(['c', 'b', 'a']);
    expect((await failure(stripe.paymentIntents.search({ query: 'drop table' }))).param).toBe('query');
  });

  test('the book tells what changed since it was last read', async () => {
    const { next } = await shop.control.book();
    const { id } = await shop.authorize('pm_card_visa', 'ord_book');
    const later = await shop.control.book(next);
    expect(later.intents).toMatchObject([{ id, orderId: 'ord_book', amountCapturable: 2500, refunds: [] }]);
    await shop.control.post(`payment_intents/${id}/capture`);
    const latest = await shop.control.book(later.next);
    expect(latest.intents).toMatchObject([{ id, status: 'succeeded', amountReceived: 2500 }]);
    const events = await shop.stripe.events.list({ type: 'charge.captured', limit: 1 });
    expect(events.data[0]?.data.object).toMatchObject({ payment_intent: id, captured: true });
  });
});
