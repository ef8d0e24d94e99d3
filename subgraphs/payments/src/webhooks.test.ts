import { newId } from '@orderstream/runtime/ids';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openShop, type Shop, secrets } from './test-shop.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const nowSeconds = () => Math.floor(Date.now() / 1000);

const eventBody = (type = 'customer.updated', object: object = { id: 'cus_1', object: 'customer' }) =>
  JSON.stringify({ id: `evt_${newId()}`, object: 'event', type, data: { object } });

const sign = (payload: string, secret = secrets[0]!, timestamp = nowSeconds()): string =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });

const post = async (body: string, signature?: string): Promise<number> => {
  const response = await fetch(shop.doorUrl, {
    method: 'POST',
    body,
    headers: signature === undefined ? {} : { 'stripe-signature': signature },
  });
  await response.text();
  return response.status;
};

const stored = (body: string) =>
  shop.database.sql<{ outcome: string | null; tenant_id: string }>`
    select outcome, tenant_id from webhook_event where event_id = ${JSON.parse(body).id}`;

test('an event sent three times at once is told to the topic of callbacks once, and without its body', async () => {
  const body = eventBody('payment_intent.succeeded', { id: `pi_${newId()}`, object: 'payment_intent' });
  const { id, data } = JSON.parse(body);
  expect(await Promise.all([1, 2, 3].map(() => post(body, sign(body))))).toEqual([200, 200, 200]);
  const told = await shop.database.sql<{ key: string; data: unknown }>`
    select key, message->'data' as data from plumbing.outbox where topic = 'payment-webhooks' and key = ${data.object.id}`;
  expect(told).toEqual([
    {
      key: data.object.id,
      data: { pspPaymentId: data.object.id, eventId: id, type: 'payment_intent.succeeded' },
    },
  ]);
});

describe('the signature', () => {
  const body = eventBody();
  const second = (header: string) => header.split(',').find((part) => part.startsWith('v1='))!;
  const wrong = sign(body, 'whsec_somebody_else');

  test.each<[string, string, string | undefined, number]>([
    ['missing', body, undefined, 400],
    ['empty', body, '', 401],
    ['nonsense', body, 'hello', 401],
    ['made with another secret', body, wrong, 401],
    ['ten minutes old', body, sign(body, secrets[0], nowSeconds() - 600), 401],
    ['ten minutes in the future', body, sign(body, secrets[0], nowSeconds() + 600), 401],
    ['of another body by one byte', body.replace('cus_1', 'cus_2'), sign(body), 401],
    ['of something that is not an event', 'null', sign('null'), 400],
    ['of something that is not JSON', 'a=b', sign('a=b'), 400],
  ])('%s is refused and nothing is written down', async (_, given, signature, status) => {
    const [before] = await shop.database.sql<{ n: number }>`select count(*) as n from webhook_event`;
    expect(await post(given, signature)).toBe(status);
    expect(await shop.database.sql`select count(*) as n from webhook_event`).toEqual([before]);
  });

  test.each<[string, (payload: string) => string]>([
    ['four minutes old', (payload) => sign(payload, secrets[0], nowSeconds() - 240)],
    ['by the secret that is being replaced', (payload) => sign(payload, secrets[1])],
    ['wrong beside a right one', (payload) => `${sign(payload)},${second(sign(payload, 'whsec_else'))}`],
  ])('%s is accepted', async (_, header) => {
    const payload = eventBody();
    expect(await post(payload, header(payload))).toBe(200);
    expect(await stored(payload)).toHaveLength(1);
  });
});

describe('what an event does', () => {
  const held = async () => {
    const orderId = newId();
    await shop.faults({ webhooks: { hold: { match: { orderId } } } });
    await shop.authorize(await shop.buyer(), orderId);
    await shop.untilState(orderId, 'AUTHORIZED');
    const [intent] = await shop.book(orderId);
    return { orderId, intent: intent!.id };
  };

  /** The provider's own events about a payment, newest first. */
  const events = async (intent: string): Promise<Stripe.Event[]> => {
    const stripe = new Stripe(shop.apiKey, {
      host: '127.0.0.1',
      port: new URL(shop.simulatorUrl).port,
      protocol: 'http',
    });
    const { data } = await stripe.events.list({ limit: 100 });
    return data.filter((event) => {
      const object = event.data.object as { id: string; payment_intent?: string };
      return object.id === intent || object.payment_intent === intent;
    });
  };

  const deliver = async (event: Stripe.Event) => {
    const body = JSON.stringify(event);
    return post(body, sign(body));
  };

  test('an unknown type is stored and ignored', async () => {
    const body = eventBody('radar.early_fraud_warning.created', { id: 'issfr_1', object: 'x' });
    expect(await post(body, sign(body))).toBe(200);
    await shop.until(async () => (await stored(body))[0]?.outcome === 'IGNORED');
  });

  test('an event about somebody else’s payment is ignored', async () => {
    const { orderId } = await held();
    const { id } = await shop.payment(orderId);
    const foreign = eventBody('payment_intent.succeeded', {
      id: 'pi_of_another_shop',
      object: 'payment_intent',
      status: 'succeeded',
      amount_received: 4_995,
      metadata: { paymentId: id, tenantId: newId() },
    });
    expect(await post(foreign, sign(foreign))).toBe(200);
    await shop.until(async () => (await stored(foreign))[0]?.outcome === 'IGNORED');
    expect((await shop.payment(orderId)).state).toBe('AUTHORIZED');
  });

  test('the same capture three times at once is one effect', async () => {
    const { orderId, intent } = await held();
    await shop.control(`payment_intents/${intent}/capture`, {});
    const [succeeded] = (await events(intent)).filter(({ type }) => type === 'payment_intent.succeeded');
    const { statuses } = await shop.control<{ statuses: number[] }>(`events/${succeeded!.id}/deliver`, {
      times: 3,
    });
    expect(statuses).toEqual([200, 200, 200]);
    await shop.untilState(orderId, 'CAPTURED');
    expect(await deliver(succeeded!)).toBe(200);
    await shop.work();
    expect(await shop.types(orderId)).toEqual(['payment.authorized', 'payment.captured']);
    expect(
      await shop.database.sql`
        select t.kind from ledger_txn t join payment p on p.id = t.payment_id where p.order_id = ${orderId}`,
    ).toEqual([{ kind: 'CAPTURE' }]);
  });

  test('a refund that arrives before its capture brings both', async () => {
    const { orderId, intent } = await held();
    await shop.control(`payment_intents/${intent}/capture`, {});
    await shop.provider.refund(`k-${orderId}`, 'x', intent, { amountMinor: 4_995, currency: 'GBP' });
    const all = await events(intent);
    const [refunded] = all.filter(({ type }) => type === 'charge.refunded');
    await deliver(refunded!);
    await shop.untilState(orderId, 'REFUNDED');
    for (const event of all) expect(await deliver(event)).toBe(200);
    await shop.until(async () => (await shop.work()) === 0);
    expect(await shop.types(orderId)).toEqual([
      'payment.authorized',
      'payment.captured',
      'payment.refund-made',
      'payment.refunded',
    ]);
  });

  test('everything in reverse order ends where the provider’s book stands', async () => {
    const orderId = newId();
    await shop.faults({ webhooks: { hold: { match: { orderId } } } });
    await shop.authorize(await shop.buyer('pm_orderstream_lostReply'), orderId);
    await shop.work();
    expect((await shop.payment(orderId)).state).toBe('UNKNOWN');
    await shop.database
      .sql`update payment set next_attempt_at = now() + interval '1 hour' where order_id = ${orderId}`;
    const [intent] = await shop.book(orderId);
    await shop.control(`payment_intents/${intent!.id}/capture`, {});
    for (const event of await events(intent!.id)) {
      await deliver(event);
      await shop.work();
    }
    await shop.untilState(orderId, 'CAPTURED');
    await shop.until(async () => (await shop.work()) === 0);
    expect(await shop.types(orderId)).toEqual(['payment.captured']);
    expect(await shop.payment(orderId)).toMatchObject({ captured_minor: 4_995, wanted: null });
  });

  test('old news of a hold does not disturb a void', async () => {
    const { orderId, intent } = await held();
    await shop.void(orderId);
    await shop.untilState(orderId, 'VOIDED');
    const [hold] = (await events(intent)).filter(
      ({ type }) => type === 'payment_intent.amount_capturable_updated',
    );
    await deliver(hold!);
    const outcome = async () =>
      (
        await shop.database.sql<{
          outcome: string;
        }>`select outcome from webhook_event where event_id = ${hold!.id}`
      )[0]?.outcome;
    await shop.until(async () => (await outcome()) === 'OLD_NEWS');
    expect((await shop.payment(orderId)).state).toBe('VOIDED');
    expect(await shop.types(orderId)).toEqual(['payment.authorized', 'payment.voided']);
  });

  test('bad signatures and old times are sent again by the provider until they are right', async () => {
    const orderId = newId();
    await shop.faults({
      webhooks: {
        badSignature: { count: 1, match: { orderId } },
        oldTimestamp: { count: 1, match: { orderId } },
      },
    });
    await shop.authorize(await shop.buyer('pm_orderstream_lostReply'), orderId);
    await shop.work();
    await shop.database
      .sql`update payment set next_attempt_at = now() + interval '1 hour' where order_id = ${orderId}`;
    await shop.untilState(orderId, 'AUTHORIZED');
  });
});
