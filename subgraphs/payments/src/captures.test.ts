// Taking the money once the goods have left, with the provider's simulator as a process of its own.
import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openShop, type Shop } from './test-shop.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop?.close());

const withoutWebhooks = (orderId: string) => shop.faults({ webhooks: { hold: { match: { orderId } } } });

/** An order whose money is held. */
const held = async (orderId = newId()): Promise<string> => {
  await withoutWebhooks(orderId);
  await shop.authorize(await shop.buyer(), orderId);
  await shop.untilState(orderId, 'AUTHORIZED');
  return orderId;
};

const answered = (orderId: string, count: number) =>
  shop.until(async () => (await shop.types(orderId)).length >= count);

const booked = async (orderId: string) =>
  (
    await shop.database.sql<{ kind: string; amount: number }>`
      select t.kind, e.amount_minor::int as amount from ledger_txn t join ledger_entry e on e.txn_id = t.id
      join payment p on p.id = t.payment_id
      where p.order_id = ${orderId} and e.account = 'provider_clearing'`
  ).map(({ kind, amount }) => `${kind} ${amount}`);

describe('the money of an order', () => {
  test('is taken whole, once, and whoever asks again gets the same answer', async () => {
    const orderId = await held();
    await Promise.all([shop.capture(orderId), shop.capture(orderId)]);
    await shop.untilState(orderId, 'CAPTURED');
    await shop.capture(orderId);
    const told = await shop.told(orderId);
    expect(told.map(({ type }) => type)).toEqual([
      'payment.authorized',
      'payment.captured',
      'payment.captured',
    ]);
    expect(told[1]!.data).toMatchObject({ orderId, amountMinor: 4_995, currency: 'GBP' });
    expect(told[2]!.data).toEqual(told[1]!.data);
    expect(await shop.events(orderId)).toEqual(['requested', 'authorized', 'capture-requested', 'captured']);
    expect(await booked(orderId)).toEqual(['CAPTURE 4995']);
    expect(await shop.book(orderId)).toMatchObject([{ status: 'succeeded', amountReceived: 4_995 }]);
  });

  test.each([
    ['hung up', { timeoutAfterSuccess: { count: 1, how: 'hang' } }],
    ['cut off', { timeoutAfterSuccess: { count: 1, how: 'destroy' } }],
    ['a server error before it was done', { serverError: { count: 2, status: 503, when: 'before' } }],
    ['a server error after it was done', { serverError: { count: 2, status: 503, when: 'after' } }],
  ])('is taken once when the reply is lost: %s', async (_, faults) => {
    const orderId = await held();
    const [[name, how]] = Object.entries(faults) as [[string, object]];
    await shop.faults({ [name]: { ...how, match: { orderId }, path: '/capture' } });
    await shop.capture(orderId);
    await shop.untilState(orderId, 'CAPTURED');
    expect(await shop.types(orderId)).toEqual(['payment.authorized', 'payment.captured']);
    expect(await booked(orderId)).toEqual(['CAPTURE 4995']);
    expect(await shop.book(orderId)).toMatchObject([{ status: 'succeeded', amountReceived: 4_995 }]);
  });

  test('is asked for with one key however often it takes', async () => {
    const orderId = await held();
    await shop.capture(orderId);
    const { capture_key: key } = await shop.payment(orderId);
    await shop.faults({
      serverError: { count: 3, status: 503, when: 'before', match: { orderId }, path: '/capture' },
    });
    await shop.untilState(orderId, 'CAPTURED');
    expect(key).toMatch(/^cap_/);
    expect((await shop.payment(orderId)).capture_key).toBe(key);
  });

  test('is taken by another worker when the first one dies with the answer', async () => {
    const orderId = await held();
    await shop.capture(orderId);
    const [row] = await shop.database.sql<{ provider_id: string; capture_key: string }>`
      update payment set leased_until = now() + interval '12 seconds', attempts = 1 where order_id = ${orderId}
      returning provider_id, capture_key`;
    await shop.provider.capture(row!.capture_key, row!.provider_id);
    await shop.work();
    expect((await shop.payment(orderId)).state).toBe('AUTHORIZED');
    await shop.database
      .sql`update payment set leased_until = now() - interval '1 second' where order_id = ${orderId}`;
    await shop.untilState(orderId, 'CAPTURED');
    expect(await shop.types(orderId)).toEqual(['payment.authorized', 'payment.captured']);
  });
});

describe('no money', () => {
  test('is to be had of an order that nobody paid for, whose card was declined, or that was let go', async () => {
    const unknown = newId();
    await shop.capture(unknown);
    const declined = await shop.authorize(await shop.buyer('pm_card_chargeCustomerFail'));
    await shop.untilState(declined, 'FAILED');
    await shop.capture(declined);
    const voided = await held();
    await shop.void(voided);
    await shop.untilState(voided, 'VOIDED');
    await shop.capture(voided);
    await shop.capture(voided);
    const reasons = async (orderId: string) =>
      (await shop.told(orderId)).flatMap(({ type, data }) =>
        type === 'payment.capture-refused' ? [data.reason] : [],
      );
    expect(await reasons(unknown)).toEqual(['There is no payment.']);
    expect(await reasons(declined)).toEqual(['The payment had failed.']);
    expect(await reasons(voided)).toEqual(['The hold was released.', 'The hold was released.']);
    expect(await booked(voided)).toEqual([]);
  });

  test('is to be had once the bank let the authorization lapse, which is found out by asking', async () => {
    const orderId = await held();
    const [row] = await shop.database.sql<{ provider_id: string }>`
      select provider_id from payment where order_id = ${orderId}`;
    await shop.provider.cancel(row!.provider_id);
    await shop.capture(orderId);
    await shop.untilState(orderId, 'EXPIRED');
    await shop.capture(orderId);
    const [, ...told] = await shop.told(orderId);
    expect(told.map(({ type, data }) => `${type}: ${data.reason}`)).toEqual([
      'payment.capture-refused: The bank let its authorization lapse.',
      'payment.capture-refused: The bank let its authorization lapse.',
    ]);
    expect(await booked(orderId)).toEqual([]);
  });

  test('while the provider refuses for another reason: the hold stands, and asking later is a new attempt', async () => {
    const orderId = await held();
    await shop.capture(orderId);
    const [before] = await shop.database.sql<{ provider_id: string; capture_key: string }>`
      select provider_id, capture_key from payment where order_id = ${orderId}`;
    // A name that the provider does not know is as clear a no as there is.
    await shop.database.sql`update payment set provider_id = 'pi_unknown' where order_id = ${orderId}`;
    await answered(orderId, 2);
    expect(await shop.payment(orderId)).toMatchObject({ state: 'AUTHORIZED', wanted: null });
    expect((await shop.types(orderId)).at(-1)).toBe('payment.capture-refused');
    await shop.database.sql`
      update payment set provider_id = ${before!.provider_id} where order_id = ${orderId}`;
    await shop.capture(orderId);
    await shop.untilState(orderId, 'CAPTURED');
    expect((await shop.payment(orderId)).capture_key).not.toBe(before!.capture_key);
    expect(await booked(orderId)).toEqual(['CAPTURE 4995']);
  });
});

describe('capture and void at once', () => {
  test('a void that comes while a capture is wanted: the provider decides, and one of the two is told', async () => {
    const orders = await Promise.all(Array.from({ length: 8 }, () => held()));
    await Promise.all(
      orders.map(async (orderId, index) => {
        await shop.capture(orderId);
        if (index % 2) await shop.work();
        await shop.void(orderId);
      }),
    );
    for (const orderId of orders) {
      await shop.untilState(orderId, 'CAPTURED', 'VOIDED');
      await shop.work();
      const { state, wanted } = await shop.payment(orderId);
      expect(wanted).toBeNull();
      const told = new Set((await shop.types(orderId)).slice(1));
      expect([...told]).toEqual([state === 'CAPTURED' ? 'payment.captured' : 'payment.voided']);
      const [charge] = await shop.book(orderId);
      expect(charge!.amountReceived).toBe(state === 'CAPTURED' ? 4_995 : 0);
      expect(await booked(orderId)).toEqual(state === 'CAPTURED' ? ['CAPTURE 4995'] : []);
    }
  });

  test('a void after a capture whose reply was lost hears that the money has moved', async () => {
    const orderId = await held();
    await shop.faults({
      timeoutAfterSuccess: { count: 1, how: 'destroy', match: { orderId }, path: '/capture' },
    });
    await shop.capture(orderId);
    await shop.work();
    await shop.void(orderId);
    await shop.untilState(orderId, 'CAPTURED');
    expect([...new Set(await shop.types(orderId))]).toEqual(['payment.authorized', 'payment.captured']);
  });

  test('a capture that comes while a void is wanted does not overtake it', async () => {
    const orderId = await held();
    await shop.void(orderId);
    await shop.capture(orderId);
    await shop.untilState(orderId, 'VOIDED');
    expect(await shop.types(orderId)).toEqual(['payment.authorized', 'payment.voided']);
    await shop.capture(orderId);
    expect((await shop.types(orderId)).at(-1)).toBe('payment.capture-refused');
  });
});
