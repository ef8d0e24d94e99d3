import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuthorizePayment, VoidPayment } from './messages.ts';
import { openShop, type Shop } from './test-shop.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** The provider's events about this order stay away, so that only our own asking can find things out. */
const withoutWebhooks = (orderId: string) => shop.faults({ webhooks: { hold: { match: { orderId } } } });

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
      'payment.refund-made',
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
    expect(await shop.types(orderId)).toEqual([
      'payment.authorized',
      'payment.captured',
      'payment.refund-made',
      'payment.refund-made',
      'payment.refunded',
    ]);
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
