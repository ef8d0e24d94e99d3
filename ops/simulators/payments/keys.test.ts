import Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openShop, stripeAt } from './test-shop.ts';

let shop: Awaited<ReturnType<typeof openShop>>;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());
beforeEach(() => shop.control.faults({ clear: true }));

const intentsOf = async (orderId: string) =>
  (await shop.control.book()).intents.filter((intent) => intent.orderId === orderId);

const payment = (orderId: string, method: { customer: string; payment_method: string }) => ({
  amount: 2500,
  currency: 'gbp',
  capture_method: 'manual' as const,
  confirm: true,
  metadata: { orderId },
  ...method,
});

test('the same key answers the same, and says that it is a replay', async () => {
  const request = payment('ord_twice', await shop.card('pm_card_visa'));
  const first = await shop.stripe.paymentIntents.create(request, { idempotencyKey: 'twice' });
  const again = await shop.stripe.paymentIntents.create(request, { idempotencyKey: 'twice' });
  expect(again.id).toBe(first.id);
  expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
  expect(again.lastResponse.headers['original-request']).toBe(first.lastResponse.requestId);
  expect(await intentsOf('ord_twice')).toHaveLength(1);
});

test('a decline is replayed as well, without another attempt to charge', async () => {
  const request = payment('ord_no', await shop.card('pm_card_chargeCustomerFail'));
  const attempt = () =>
    shop.stripe.paymentIntents.create(request, { idempotencyKey: 'no' }).catch((error: unknown) => error);
  const first = await attempt();
  const again = await attempt();
  expect(first).toMatchObject({ statusCode: 402 });
  expect(again).toMatchObject({ statusCode: 402, charge: (first as Stripe.errors.StripeCardError).charge });
  expect(await intentsOf('ord_no')).toHaveLength(1);
});

test('a key used for something else is refused, and a mistake can be mended under its key', async () => {
  const request = payment('ord_mend', await shop.card('pm_card_visa'));
  const options = { idempotencyKey: 'mend' };
  await expect(shop.stripe.paymentIntents.create({ ...request, amount: 3 }, options)).rejects.toMatchObject({
    code: 'amount_too_small',
  });
  await shop.stripe.paymentIntents.create(request, options);
  await expect(
    shop.stripe.paymentIntents.create({ ...request, amount: 2600 }, options),
  ).rejects.toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
});

test('two requests with one key at the same moment make one payment; the second is told to wait', async () => {
  const request = payment('ord_race', await shop.card('pm_card_visa'));
  await shop.control.faults({ slowMs: { ms: 150, match: { orderId: 'ord_race' } } });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 5 }, () => shop.stripe.paymentIntents.create(request, { idempotencyKey: 'race' })),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  for (const reason of refusals) {
    expect(reason).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
  }
  expect(await intentsOf('ord_race')).toHaveLength(1);
});

test('a reply that is lost after success is answered by asking again with the same key', async () => {
  // The SDK repeats by itself what a broken connection swallowed, so that reply has to be lost twice.
  for (const [how, count] of [
    ['hang', 1],
    ['destroy', 2],
  ] as const) {
    const orderId = `ord_${how}`;
    await shop.control.faults({ timeoutAfterSuccess: { count, how, match: { orderId } } });
    const request = payment(orderId, await shop.card('pm_card_visa'));
    const impatient = stripeAt(shop.port, 200);
    await expect(
      impatient.paymentIntents.create(request, { idempotencyKey: orderId }),
    ).rejects.toBeInstanceOf(Stripe.errors.StripeConnectionError);
    const [made] = await intentsOf(orderId);
    expect(made?.status).toBe('requires_capture');
    const answered = await impatient.paymentIntents.create(request, { idempotencyKey: orderId });
    expect(answered.id).toBe(made?.id);
    expect(await intentsOf(orderId)).toHaveLength(1);
  }
});

test('the lost-reply card loses one reply for each payment, and no more', async () => {
  const method = await shop.card('pm_orderstream_lostReply');
  for (const orderId of ['ord_lost_1', 'ord_lost_2']) {
    const request = payment(orderId, method);
    const options = { idempotencyKey: orderId };
    await expect(stripeAt(shop.port, 200).paymentIntents.create(request, options)).rejects.toBeInstanceOf(
      Stripe.errors.StripeConnectionError,
    );
    const replayed = await shop.stripe.paymentIntents.create(request, options);
    expect(replayed).toMatchObject({ status: 'requires_capture', amount_capturable: 2500 });
    expect(await intentsOf(orderId)).toHaveLength(1);
  }
});

test('a 5xx before the effect leaves nothing behind, one after it leaves the payment', async () => {
  const method = await shop.card('pm_card_visa');
  for (const [when, left] of [
    ['before', 0],
    ['after', 1],
  ] as const) {
    const orderId = `ord_5xx_${when}`;
    await shop.control.faults({ serverError: { count: 1, status: 503, when, match: { orderId } } });
    const request = payment(orderId, method);
    await expect(
      shop.stripe.paymentIntents.create(request, { idempotencyKey: orderId }),
    ).rejects.toMatchObject({ statusCode: 503, type: 'StripeAPIError' });
    expect(await intentsOf(orderId)).toHaveLength(left);
    await shop.stripe.paymentIntents.create(request, { idempotencyKey: orderId });
    expect(await intentsOf(orderId)).toHaveLength(1);
  }
});
