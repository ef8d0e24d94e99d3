import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuthorizePayment, VoidPayment } from './messages.ts';
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
    update payment set leased_until = now() - interval '1 second', next_attempt_at = now() where order_id = ${orderId}`;

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

describe('letting go', () => {
  test('a void before any authorization is confirmed at once, and a late authorization is refused', async () => {
    const orderId = newId();
    await shop.void(orderId);
    await shop.void(orderId);
    await shop.authorize(await shop.buyer(), orderId);
    await shop.work();
    expect(await shop.types(orderId)).toEqual(['payment.voided', 'payment.voided', 'payment.declined']);
    expect(await shop.book(orderId)).toEqual([]);
  });

  test('a void before the provider was called ends the payment without a call', async () => {
    const orderId = await shop.authorize(await shop.buyer());
    await shop.void(orderId);
    await shop.work();
    expect((await shop.payment(orderId)).state).toBe('VOIDED');
    expect(await shop.types(orderId)).toEqual(['payment.voided']);
    expect(await shop.book(orderId)).toEqual([]);
  });

  test('a void while the authorization is under way waits for it and then lets the money go', async () => {
    const orderId = newId();
    await shop.faults({ slowMs: { ms: 200, count: 1, match: { orderId } } });
    await shop.authorize(await shop.buyer(), orderId);
    const working = shop.work();
    await pause(60);
    await shop.void(orderId);
    expect(await shop.types(orderId)).toEqual([]);
    await working;
    await shop.untilState(orderId, 'VOIDED');
    expect(await shop.types(orderId)).toEqual(['payment.voided']);
    expect(await shop.book(orderId)).toMatchObject([{ status: 'canceled', amountReceived: 0 }]);
  });

  test('a void of an unknown payment finds it first and lets it go', async () => {
    const orderId = newId();
    await withoutWebhooks(orderId);
    await shop.authorize(await shop.buyer('pm_orderstream_lostReply'), orderId);
    await shop.work();
    expect((await shop.payment(orderId)).state).toBe('UNKNOWN');
    await shop.void(orderId);
    await shop.untilState(orderId, 'VOIDED');
    expect(await shop.types(orderId)).toEqual(['payment.voided']);
    expect(await shop.book(orderId)).toMatchObject([{ status: 'canceled' }]);
  });

  test('a void of a payment that never reached the provider is confirmed only after a quiet while', async () => {
    const orderId = newId();
    await shop.faults({ serverError: { count: 1, match: { orderId } } });
    await shop.authorize(await shop.buyer(), orderId);
    await shop.work();
    await shop.void(orderId);
    await shop.work();
    expect(await shop.types(orderId)).toEqual([]);
    await shop.database.sql`
      update payment set called_at = called_at - interval '3 seconds', next_attempt_at = now() where order_id = ${orderId}`;
    await shop.untilState(orderId, 'VOIDED');
    expect(await shop.types(orderId)).toEqual(['payment.voided']);
    expect(await shop.book(orderId)).toEqual([]);
  });

  test('a void after the authorization lets the money go, also when the reply is lost, and says so again when asked', async () => {
    const orderId = await shop.authorize(await shop.buyer());
    await shop.untilState(orderId, 'AUTHORIZED');
    await withoutWebhooks(orderId);
    await shop.faults({ timeoutAfterSuccess: { count: 1, path: '/cancel', match: { orderId } } });
    await shop.void(orderId);
    await shop.untilState(orderId, 'VOIDED');
    await shop.void(orderId);
    expect(await shop.types(orderId)).toEqual(['payment.authorized', 'payment.voided', 'payment.voided']);
    expect(await shop.book(orderId)).toMatchObject([{ status: 'canceled', amountCapturable: 0 }]);
  });

  test('a void of a declined payment is confirmed at once', async () => {
    const orderId = await shop.authorize(await shop.buyer('pm_card_chargeCustomerFail'));
    await shop.untilState(orderId, 'FAILED');
    await shop.void(orderId);
    expect(await shop.types(orderId)).toEqual(['payment.declined', 'payment.voided']);
  });

  test('an authorization that turns up after its void was confirmed is let go again', async () => {
    const buyer = await shop.buyer();
    const orderId = newId();
    await shop.faults({ serverError: { count: 1, match: { orderId } } });
    await shop.authorize(buyer, orderId);
    await shop.work();
    await shop.void(orderId);
    await shop.database.sql`
      update payment set called_at = called_at - interval '3 seconds', next_attempt_at = now() where order_id = ${orderId}`;
    await shop.untilState(orderId, 'VOIDED');
    const [row] = await shop.database.sql<{
      id: string;
      provider_key: string;
      customer: string;
      method: string;
    }>`
      select p.id, p.provider_key, c.provider_id as customer, m.provider_id as method
      from payment p join customer c on c.user_id = p.customer_id join payment_method m on m.id = p.payment_method_id
      where order_id = ${orderId}`;
    await shop.provider.authorize({
      key: row!.provider_key,
      orderId,
      paymentId: row!.id,
      tenantId: buyer.tenantId,
      amount: { amountMinor: 4_995, currency: 'GBP' },
      customer: row!.customer,
      method: row!.method,
    });
    await shop.until(async () => (await shop.book(orderId))[0]?.status === 'canceled');
    await shop.untilState(orderId, 'VOIDED');
    expect(await shop.types(orderId)).toEqual(['payment.voided', 'payment.voided']);
  });
});

describe('money that moved behind our back', () => {
  const captured = async () => {
    const orderId = await shop.authorize(await shop.buyer());
    await shop.untilState(orderId, 'AUTHORIZED');
    const [intent] = await shop.book(orderId);
    await shop.control(`payment_intents/${intent!.id}/capture`, {});
    return { orderId, intent: intent!.id };
  };

  const ledger = (orderId: string) =>
    shop.database.sql<{ account: string; amount: number }>`
      select e.account, sum(e.amount_minor)::int as amount
      from ledger_entry e join ledger_txn t on t.id = e.txn_id join payment p on p.id = t.payment_id
      where p.order_id = ${orderId} group by 1 having sum(e.amount_minor) <> 0 order by 1`;

  test('a capture in the provider’s console is told and booked, and can be given back', async () => {
    const { orderId } = await captured();
    await shop.untilState(orderId, 'CAPTURED');
    expect(await ledger(orderId)).toEqual([
      { account: 'provider_clearing', amount: 4_995 },
      { account: 'revenue', amount: -4_995 },
    ]);
    await shop.refund(orderId);
    await shop.refund(orderId);
    await shop.untilState(orderId, 'REFUNDED');
    await shop.refund(orderId);
    expect(await shop.types(orderId)).toEqual([
      'payment.authorized',
      'payment.captured',
      'payment.refunded',
      'payment.refunded',
    ]);
    expect(await ledger(orderId)).toEqual([
      { account: 'refunds', amount: 4_995 },
      { account: 'revenue', amount: -4_995 },
    ]);
    expect(await shop.book(orderId)).toMatchObject([
      { amountReceived: 4_995, amountRefunded: 4_995, refunds: [{ status: 'succeeded' }] },
    ]);
  });

  test('a void that comes too late answers with the capture', async () => {
    const orderId = await shop.authorize(await shop.buyer());
    await shop.untilState(orderId, 'AUTHORIZED');
    await withoutWebhooks(orderId);
    const [intent] = await shop.book(orderId);
    await shop.control(`payment_intents/${intent!.id}/capture`, {});
    await shop.void(orderId);
    await shop.untilState(orderId, 'CAPTURED');
    await shop.void(orderId);
    expect(await shop.types(orderId)).toEqual(['payment.authorized', 'payment.captured', 'payment.captured']);
  });

  test('a refund whose reply is lost is made once', async () => {
    const { orderId } = await captured();
    await shop.untilState(orderId, 'CAPTURED');
    await withoutWebhooks(orderId);
    await shop.faults({ timeoutAfterSuccess: { count: 1, path: '/refunds', match: { orderId } } });
    await shop.refund(orderId);
    await shop.untilState(orderId, 'REFUNDED');
    expect((await shop.book(orderId))[0]?.refunds).toHaveLength(1);
  });

  test('a refund made in the provider’s console is learnt, before or after the capture is', async () => {
    const { orderId, intent } = await captured();
    await shop.provider.refund(`console-${orderId}`, 'not-ours', intent, {
      amountMinor: 1_000,
      currency: 'GBP',
    });
    await shop.untilState(orderId, 'PARTIALLY_REFUNDED');
    await shop.refund(orderId);
    await shop.untilState(orderId, 'REFUNDED');
    expect(await shop.payment(orderId)).toMatchObject({ captured_minor: 4_995, refunded_minor: 4_995 });
    expect(await shop.book(orderId)).toMatchObject([{ amountRefunded: 4_995 }]);
    expect(await shop.types(orderId)).toEqual(['payment.authorized', 'payment.captured', 'payment.refunded']);
  });

  test('our refund of what somebody has refunded already gives way to theirs', async () => {
    const { orderId, intent } = await captured();
    await shop.untilState(orderId, 'CAPTURED');
    await withoutWebhooks(orderId);
    await shop.provider.refund(`console-${orderId}`, 'not-ours', intent, {
      amountMinor: 4_995,
      currency: 'GBP',
    });
    await shop.refund(orderId);
    await shop.untilState(orderId, 'REFUNDED');
    expect(await shop.payment(orderId)).toMatchObject({ refunding_minor: 0, refunded_minor: 4_995 });
    expect((await shop.types(orderId)).at(-1)).toBe('payment.refunded');
  });

  test('a refund that the bank works on for days is pending and settled by the provider’s word', async () => {
    const orderId = await shop.authorize(await shop.buyer('pm_card_pendingRefund'));
    await shop.untilState(orderId, 'AUTHORIZED');
    const [intent] = await shop.book(orderId);
    await shop.control(`payment_intents/${intent!.id}/capture`, {});
    await shop.untilState(orderId, 'CAPTURED');
    await shop.refund(orderId);
    const refunds = () => shop.database.sql<{ state: string; provider_id: string }>`
      select r.state, r.provider_id from refund r join payment p on p.id = r.payment_id where p.order_id = ${orderId}`;
    await shop.until(async () => (await refunds())[0]?.state === 'PENDING');
    expect(await shop.payment(orderId)).toMatchObject({ state: 'CAPTURED', refunding_minor: 4_995 });
    await shop.control(`refunds/${(await refunds())[0]!.provider_id}/settle`, { status: 'failed' });
    await shop.until(async () => (await refunds())[0]?.state === 'FAILED');
    expect(await shop.payment(orderId)).toMatchObject({ state: 'CAPTURED', refunding_minor: 0 });
    await shop.refund(orderId);
    await shop.until(async () => (await refunds()).some(({ state }) => state === 'PENDING'));
    const second = (await refunds()).find(({ state }) => state === 'PENDING')!;
    await shop.control(`refunds/${second.provider_id}/settle`, { status: 'succeeded' });
    await shop.untilState(orderId, 'REFUNDED');
  });

  test('a refund of money that was never taken is refused as an error', async () => {
    const orderId = await shop.authorize(await shop.buyer());
    await shop.untilState(orderId, 'AUTHORIZED');
    await expect(shop.refund(orderId)).rejects.toThrow('nothing was captured');
  });
});

describe('what the database refuses', () => {
  test('the whole book adds up, and unbalanced or changed entries are refused', async () => {
    const { sql } = shop.database;
    const [txn] = await sql<{ id: string; tenant_id: string }>`select id, tenant_id from ledger_txn limit 1`;
    expect(txn).toBeDefined();
    expect(
      await sql`select txn_id from ledger_entry group by txn_id, currency having sum(amount_minor) <> 0`,
    ).toEqual([]);
    await expect(sql`
      insert into ledger_entry (txn_id, line, tenant_id, account, currency, amount_minor)
      values (${txn!.id}, 99, ${txn!.tenant_id}, 'revenue', 'GBP', 1)`).rejects.toThrow('does not add up');
    await expect(sql`update ledger_entry set amount_minor = 1`).rejects.toThrow('append-only');
    await expect(sql`delete from ledger_txn`).rejects.toThrow('append-only');
    await expect(sql`delete from payment_event`).rejects.toThrow('append-only');
  });

  test('more refunded than captured, and more captured than asked for', async () => {
    const orderId = await shop.authorize(await shop.buyer());
    await expect(
      shop.database.sql`update payment set refunded_minor = 1 where order_id = ${orderId}`,
    ).rejects.toThrow('payment_amounts');
    await expect(shop.database.sql`
      update payment set state = 'CAPTURED', authorized_minor = 4996, captured_minor = 4996
      where order_id = ${orderId}`).rejects.toThrow('payment_amounts');
  });

  test('a command heard twice by its id is one wish', async () => {
    const buyer = await shop.buyer();
    const orderId = newId();
    const id = newId();
    const ask = AuthorizePayment({ orderId, ...buyer, amountMinor: 100, currency: 'GBP' });
    await shop.hear(ask, id);
    await shop.hear(ask, id);
    await shop.hear(VoidPayment({ orderId }), newId());
    expect(await shop.events(orderId)).toEqual(['requested', 'voided']);
  });
});
