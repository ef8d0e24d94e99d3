import { afterEach, beforeEach, expect, test } from 'vitest';
import { openShop, until, webhookEndpoint } from './test-shop.ts';

let endpoint: Awaited<ReturnType<typeof webhookEndpoint>>;
let shop: Awaited<ReturnType<typeof openShop>>;
beforeEach(async () => {
  endpoint = await webhookEndpoint();
  shop = await openShop(endpoint.url);
});
afterEach(async () => {
  await shop.close();
  await endpoint.close();
});

const AUTHORIZED = ['payment_intent.created', 'charge.succeeded', 'payment_intent.amount_capturable_updated'];

test('everything that happens to a payment is told, signed and in order', async () => {
  const { id } = await shop.authorize();
  await shop.stripe.paymentIntents.capture(id);
  await shop.stripe.refunds.create({ payment_intent: id });
  await until(() => endpoint.heard.length === 7);
  expect(endpoint.types()).toEqual([
    ...AUTHORIZED,
    'charge.captured',
    'payment_intent.succeeded',
    'refund.created',
    'charge.refunded',
  ]);
  const event = endpoint.heard[2]?.event;
  expect(event?.data.object).toMatchObject({ id, amount_capturable: 2500, metadata: { orderId: 'ord_1' } });
  expect(await shop.stripe.events.retrieve(event?.id ?? '')).toMatchObject({
    id: event?.id,
    type: event?.type,
  });
});

test('an endpoint is told of what it is subscribed to, and the rest is only kept', async () => {
  const choosy = await openShop(endpoint.url, ['payment_intent.succeeded', 'refund.created']);
  const { id } = await choosy.authorize();
  await choosy.stripe.paymentIntents.capture(id);
  await choosy.stripe.refunds.create({ payment_intent: id });
  await until(() => endpoint.heard.length === 2);
  expect(endpoint.types()).toEqual(['payment_intent.succeeded', 'refund.created']);
  const kept = await choosy.stripe.events.list();
  expect(kept.data).toHaveLength(7);
  expect(kept.data.filter(({ pending_webhooks }) => pending_webhooks > 0)).toHaveLength(2);
  await choosy.close();
});

test('a decline and a cancellation are told as well', async () => {
  await expect(shop.authorize('pm_card_chargeCustomerFail')).rejects.toMatchObject({ statusCode: 402 });
  const { id } = await shop.authorize();
  await shop.stripe.paymentIntents.cancel(id);
  await until(() => endpoint.heard.length === 8);
  expect(endpoint.types()).toEqual(
    expect.arrayContaining(['payment_intent.payment_failed', 'payment_intent.canceled']),
  );
});

test('an event is sent again until the shop says that it has it', async () => {
  endpoint.answers.push(500, 503, 302);
  await shop.stripe.paymentIntents.create({ amount: 500, currency: 'gbp' });
  await until(() => endpoint.heard.length === 4);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(new Set(endpoint.heard.map(({ event }) => event?.id)).size).toBe(1);
  expect(endpoint.heard).toHaveLength(4);
});

test('duplicates carry the same event', async () => {
  await shop.control.faults({ webhooks: { duplicate: 2 } });
  await shop.stripe.paymentIntents.create({ amount: 500, currency: 'gbp' });
  await until(() => endpoint.heard.length === 3);
  expect(new Set(endpoint.heard.map(({ raw }) => raw)).size).toBe(1);
});

test('reordered events overtake each other in pairs', async () => {
  await shop.control.faults({ webhooks: { reorder: true } });
  await shop.authorize();
  await until(() => endpoint.heard.length === 3);
  expect(endpoint.types()).toEqual([AUTHORIZED[1], AUTHORIZED[0], AUTHORIZED[2]]);
});

test('a bad signature and an old one are not verified, and the event still arrives afterwards', async () => {
  await shop.control.faults({ webhooks: { badSignature: 1 } });
  await shop.stripe.paymentIntents.create({ amount: 500, currency: 'gbp' });
  await until(() => endpoint.heard.length === 2);
  expect(endpoint.types()).toEqual(['unverified', 'payment_intent.created']);
  await shop.control.faults({ webhooks: { oldTimestamp: { count: 1, ageSeconds: 600 } } });
  await shop.stripe.paymentIntents.create({ amount: 500, currency: 'gbp' });
  await until(() => endpoint.heard.length === 4);
  expect(endpoint.types().slice(2)).toEqual(['unverified', 'payment_intent.created']);
});

test('held events wait for their release, and those of other orders do not', async () => {
  await shop.control.faults({ webhooks: { hold: { match: { orderId: 'ord_held' } } } });
  await shop.authorize('pm_card_visa', 'ord_held');
  await shop.authorize('pm_card_visa', 'ord_free');
  await until(() => endpoint.heard.length === 3);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(endpoint.heard).toHaveLength(3);
  expect(await shop.control.post('release', { orderId: 'ord_held' })).toEqual({ released: 3 });
  await until(() => endpoint.heard.length === 6);
});

test('late events come after their delay', async () => {
  await shop.control.faults({ webhooks: { delayMs: 250 } });
  const started = Date.now();
  await shop.stripe.paymentIntents.create({ amount: 500, currency: 'gbp' });
  await until(() => endpoint.heard.length === 1);
  expect(Date.now() - started).toBeGreaterThanOrEqual(250);
});

test('an event can be delivered three times at once, wrongly signed or ten minutes old', async () => {
  await shop.stripe.paymentIntents.create({ amount: 500, currency: 'gbp' });
  await until(() => endpoint.heard.length === 1);
  const deliver = (body: object) =>
    shop.control.post<{ statuses: number[] }>(`events/${endpoint.heard[0]?.event?.id}/deliver`, body);
  expect((await deliver({ times: 3 })).statuses).toEqual([200, 200, 200]);
  expect((await deliver({ badSignature: true })).statuses).toEqual([400]);
  expect((await deliver({ ageSeconds: 600 })).statuses).toEqual([400]);
});

test('an endpoint that refuses some events does not hold up the others', async () => {
  endpoint.answers.push(...Array.from({ length: 3 }, () => 500));
  const made = Array.from({ length: 30 }, () =>
    shop.stripe.paymentIntents.create({ amount: 500, currency: 'gbp' }),
  );
  const ids = (await Promise.all(made)).map(({ id }) => id);
  await until(() => endpoint.heard.length === 33);
  const told = endpoint.heard.map(({ raw }) => JSON.parse(raw).data.object.id);
  expect(new Set(told)).toEqual(new Set(ids));
});
