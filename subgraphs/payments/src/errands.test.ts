import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notUsable } from './payment-method.ts';
import { openShop, type Shop } from './test-shop.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** The provider's events about this order stay away, so that only our own asking can find things out. */
const withoutWebhooks = (orderId: string) => shop.faults({ webhooks: { hold: { match: { orderId } } } });

const expireLeases = (orderId: string) =>
  shop.database.sql`
    update payment set leased_until = now() - interval '1 second', next_attempt_at = now() - interval '1 second' where order_id = ${orderId}`;

describe('authorizing', () => {
  test('a good card is held for the order and nothing is taken', async () => {
    const orderId = await shop.authorize(await shop.buyer());
    await shop.untilState(orderId, 'AUTHORIZED');
    const [told, ...more] = await shop.told(orderId);
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      type: 'payment.authorized',
      data: { orderId, amountMinor: 4_995, currency: 'GBP' },
    });
    expect(await shop.book(orderId)).toMatchObject([
      { status: 'requires_capture', amountCapturable: 4_995, amountReceived: 0 },
    ]);
    expect(
      await shop.database.sql`
      select 1 from ledger_txn join payment p on p.id = payment_id where p.order_id = ${orderId}`,
    ).toEqual([]);
  });

  test('a card that is declined when it is charged says why', async () => {
    const orderId = await shop.authorize(await shop.buyer('pm_card_chargeCustomerFail'));
    await shop.untilState(orderId, 'FAILED');
    const [told, ...more] = await shop.told(orderId);
    expect(more).toEqual([]);
    expect(told).toMatchObject({ type: 'payment.declined', data: { reason: 'The card was declined.' } });
    expect(told?.data.paymentId).toBe((await shop.payment(orderId)).id);
  });

  test('a card that asks for a proof is declined with that reason and the attempt is cancelled', async () => {
    const orderId = await shop.authorize(await shop.buyer('pm_card_authenticationRequired'));
    await shop.untilState(orderId, 'FAILED');
    const [told] = await shop.told(orderId);
    expect(told).toMatchObject({
      type: 'payment.declined',
      data: { reason: 'The bank asks for a proof that this shop cannot take yet.' },
    });
    expect(await shop.book(orderId)).toMatchObject([{ status: 'canceled' }]);
  });

  test('a method of somebody else, a removed and an unknown one are refused alike, and the provider hears nothing', async () => {
    const [owner, thief] = [await shop.buyer(), await shop.buyer()];
    await shop.database.sql`update payment_method set removed_at = now() where id = ${thief.paymentMethodId}`;
    const reasons = [];
    for (const paymentMethodId of [owner.paymentMethodId, thief.paymentMethodId, newId()]) {
      const orderId = await shop.authorize({ customerId: thief.customerId, paymentMethodId });
      await shop.work();
      const [told] = await shop.told(orderId);
      expect(told?.type).toBe('payment.declined');
      expect(await shop.payment(orderId)).toMatchObject({ called_at: null, payment_method_id: null });
      reasons.push(told?.data.reason);
      expect(await shop.book(orderId)).toEqual([]);
    }
    expect(reasons).toEqual([notUsable, notUsable, notUsable]);
  });

  test('hearing the same command twice holds the money once, and a repeated question gets the same answer', async () => {
    const buyer = await shop.buyer();
    const orderId = newId();
    await Promise.all([shop.authorize(buyer, orderId), shop.authorize(buyer, orderId)]);
    await shop.untilState(orderId, 'AUTHORIZED');
    await shop.authorize(buyer, orderId);
    expect(await shop.types(orderId)).toEqual(['payment.authorized', 'payment.authorized']);
    expect(await shop.book(orderId)).toHaveLength(1);
  });
});

describe('when the provider does not answer', () => {
  test('a lost reply is unknown at first, then found out with the same key: one payment at the provider', async () => {
    const orderId = newId();
    await withoutWebhooks(orderId);
    await shop.authorize(await shop.buyer('pm_orderstream_lostReply'), orderId);
    await shop.work();
    expect((await shop.payment(orderId)).state).toBe('UNKNOWN');
    expect(await shop.types(orderId)).toEqual([]);
    await shop.untilState(orderId, 'AUTHORIZED');
    expect(await shop.types(orderId)).toEqual(['payment.authorized']);
    expect(await shop.book(orderId)).toMatchObject([{ status: 'requires_capture', amountCapturable: 4_995 }]);
    expect(await shop.events(orderId)).toEqual(['requested', 'unknown', 'authorized']);
  });

  test('a reply that never comes is given up after the time-out and found out', async () => {
    const orderId = newId();
    await withoutWebhooks(orderId);
    await shop.faults({ timeoutAfterSuccess: { count: 1, how: 'hang', match: { orderId } } });
    await shop.authorize(await shop.buyer(), orderId);
    await shop.untilState(orderId, 'AUTHORIZED');
    expect(await shop.events(orderId)).toEqual(['requested', 'unknown', 'authorized']);
    expect(await shop.book(orderId)).toHaveLength(1);
  });

  test.each(['before', 'after'])('a server error %s the effect ends in one payment', async (when) => {
    const orderId = newId();
    await withoutWebhooks(orderId);
    await shop.faults({ serverError: { count: 2, status: 503, when, match: { orderId } } });
    await shop.authorize(await shop.buyer(), orderId);
    await shop.untilState(orderId, 'AUTHORIZED');
    expect(await shop.book(orderId)).toHaveLength(1);
    expect(await shop.types(orderId)).toEqual(['payment.authorized']);
  });

  test('the provider’s own event settles what the lost reply left open', async () => {
    const orderId = await shop.authorize(await shop.buyer('pm_orderstream_lostReply'));
    await shop.work();
    // Asking again is put off, so that only the event can tell.
    await shop.database
      .sql`update payment set next_attempt_at = now() + interval '1 hour' where order_id = ${orderId}`;
    await shop.untilState(orderId, 'AUTHORIZED');
    expect(await shop.types(orderId)).toEqual(['payment.authorized']);
  });

  test('what has been unknown for a minute is looked for in the provider’s list', async () => {
    const orderId = newId();
    await withoutWebhooks(orderId);
    await shop.authorize(await shop.buyer('pm_orderstream_lostReply'), orderId);
    await shop.work();
    await shop.database.sql`
      update payment set next_attempt_at = now() + interval '1 hour', created_at = now() - interval '61 seconds'
      where order_id = ${orderId}`;
    await shop.reconcile();
    expect((await shop.payment(orderId)).state).toBe('AUTHORIZED');
    expect(await shop.types(orderId)).toEqual(['payment.authorized']);
  });
});

describe('crashes and rivals', () => {
  test('a worker that dies between the call and its record is followed by another: one charge, one answer', async () => {
    const orderId = newId();
    await withoutWebhooks(orderId);
    const buyer = await shop.buyer();
    await shop.authorize(buyer, orderId);
    const [row] = await shop.database.sql<{
      id: string;
      provider_key: string;
      customer: string;
      method: string;
    }>`
      update payment set leased_until = now() + interval '12 seconds', attempts = 1, called_at = now()
      where order_id = ${orderId}
      returning id, provider_key, (select provider_id from customer where user_id = ${buyer.customerId}) as customer,
        (select provider_id from payment_method where id = ${buyer.paymentMethodId}) as method`;
    // The call that the dead worker made; nobody wrote down its answer.
    const made = await shop.provider.authorize({
      key: row!.provider_key,
      orderId,
      paymentId: row!.id,
      tenantId: buyer.tenantId,
      amount: { amountMinor: 4_995, currency: 'GBP' },
      customer: row!.customer,
      method: row!.method,
    });
    expect(made).toMatchObject({ kind: 'answered', value: { state: 'HELD' } });
    await shop.work();
    expect((await shop.payment(orderId)).state).toBe('AUTHORIZING');
    await expireLeases(orderId);
    await shop.untilState(orderId, 'AUTHORIZED');
    expect(await shop.book(orderId)).toHaveLength(1);
    expect(await shop.types(orderId)).toEqual(['payment.authorized']);
  });

  test('two workers at once, even with the same payment in hand, never charge twice', async () => {
    const buyer = await shop.buyer();
    const orders = await Promise.all(Array.from({ length: 12 }, () => shop.authorize(buyer)));
    const [one, other] = [shop.till(), shop.till()];
    await Promise.all([shop.work(one), shop.work(other)]);
    for (const orderId of orders) await shop.untilState(orderId, 'AUTHORIZED');
    for (const orderId of orders) {
      expect(await shop.book(orderId)).toHaveLength(1);
      expect(await shop.types(orderId)).toEqual(['payment.authorized']);
    }
    // A lease that ends while the first call is still under way puts one payment into two hands.
    const orderId = newId();
    await shop.faults({ slowMs: { ms: 300, count: 2, match: { orderId } } });
    await shop.authorize(buyer, orderId);
    const first = shop.work(one);
    await pause(100);
    await expireLeases(orderId);
    await Promise.all([first, shop.work(other)]);
    await shop.untilState(orderId, 'AUTHORIZED');
    expect(await shop.book(orderId)).toHaveLength(1);
    expect(await shop.types(orderId)).toEqual(['payment.authorized']);
  });
});
