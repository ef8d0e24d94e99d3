// What is left of a customer who is erased: money, and nothing of theirs. The bank is the provider's simulator.
import { newId } from '@orderstream/runtime/ids';
import { newTrace } from '@orderstream/runtime/trace';
import { UserErased } from '@orderstream/users/messages';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addPaymentMethod, eraseCustomer } from './payment-method-service.ts';
import type { Provider } from './provider.ts';
import { openShop, type Shop, tenantId } from './test-shop.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop?.close());

const erased = (userId: string) => UserErased({ userId, at: new Date().toISOString() });

const add = (userId: string, provider: Provider = shop.provider, token = 'pm_card_visa') =>
  addPaymentMethod(shop.as(userId), provider, token);

type Row = {
  id: string;
  provider_id: string;
  brand: string;
  last4: string;
  gone: boolean;
  forgotten: boolean;
};

const methodsOf = (userId: string) => shop.database.sql<Row>`
  select id, provider_id, brand, last4, removed_at is not null as gone, detached_at is not null as forgotten
  from payment_method where user_id = ${userId} order by id`;

const unauthenticated = expect.objectContaining({ code: 'UNAUTHENTICATED' });

const paidOrder = async (buyer: Awaited<ReturnType<Shop['buyer']>>): Promise<string> => {
  const orderId = await shop.authorize(buyer);
  await shop.untilState(orderId, 'AUTHORIZED');
  await shop.capture(orderId);
  await shop.untilState(orderId, 'CAPTURED');
  return orderId;
};

test('somebody erased has no cards any more, here and at the provider, and heard twice is heard once', async () => {
  const [buyer, other] = [await shop.buyer(), await shop.buyer()];
  const { customerId } = buyer;
  await add(customerId, shop.provider, 'pm_card_mastercard');
  await shop.hear(erased(customerId));
  await shop.hear(erased(customerId));
  expect(await shop.as(customerId).loaders.methodsOfUser.load(customerId)).toEqual([]);
  await shop.forgetMethods();
  await shop.hear(erased(customerId));
  const kept = { brand: 'erased', last4: '0000', gone: true, forgotten: true };
  const methods = await methodsOf(customerId);
  expect(methods).toMatchObject([kept, kept]);
  // The provider knows none of them any more.
  for (const { provider_id } of methods)
    expect((await shop.provider.detach(provider_id)).kind).toBe('refused');
  expect(await methodsOf(other.customerId)).toMatchObject([{ brand: 'visa', gone: false }]);
});

test('the books keep what was paid, it can still go back, and nobody is told with which card', async () => {
  const buyer = await shop.buyer();
  const orderId = await paidOrder(buyer);
  const before = await shop.payment(orderId);
  const entries = () => shop.database.sql`
    select e.* from ledger_txn t join ledger_entry e on e.txn_id = t.id
    where t.payment_id = ${before.id} order by e.txn_id, e.line`;
  const booked = await entries();
  expect(booked.length).toBeGreaterThan(0);
  await shop.hear(erased(buyer.customerId));
  await shop.forgetMethods();
  expect(await shop.payment(orderId)).toEqual(before);
  expect(await entries()).toEqual(booked);
  const staff = shop.as(newId(), 'payments:read');
  expect(await staff.loaders.payment.load(before.id)).toMatchObject({ state: 'CAPTURED' });
  expect(await staff.loaders.method.load(buyer.paymentMethodId)).toBeNull();
  await shop.refund(orderId);
  await shop.untilState(orderId, 'REFUNDED');
  expect((await shop.book(orderId))[0]!.amountRefunded).toBe(4_995);
});

test('what the provider says about a customer is forgotten once it is read, whenever it comes', async () => {
  const buyer = await shop.buyer();
  const heard = async () => {
    const [events] = await shop.database.sql<{ all: number; read: number; kept: number }>`
      select count(*)::int as all, count(processed_at)::int as read,
        (count(*) filter (where processed_at is not null and body <> ''))::int as kept
      from webhook_event`;
    return events!;
  };
  const before = await heard();
  await paidOrder(buyer);
  // The capture is told at last, perhaps long after somebody was erased.
  await shop.hear(erased(buyer.customerId));
  await shop.until(async () => {
    const now = await heard();
    return now.all >= before.all + 2 && now.read === now.all;
  });
  expect((await heard()).kept).toBe(0);
});

test('nothing is kept for somebody erased whose token is still good, known here before or not', async () => {
  const [known, unknown] = [(await shop.buyer()).customerId, newId()];
  for (const userId of [known, unknown]) {
    await shop.hear(erased(userId));
    await expect(add(userId)).rejects.toEqual(unauthenticated);
  }
  expect(await methodsOf(known)).toHaveLength(1);
  expect(await methodsOf(unknown)).toEqual([]);
});

test('a card that comes between is let go again, wherever the erasure falls', async () => {
  const during = (step: 'addCustomer' | 'attach', userId: string): Provider => {
    const call = shop.provider[step] as (...args: unknown[]) => Promise<unknown>;
    return {
      ...shop.provider,
      [step]: async (...args: unknown[]) => {
        const answer = await call(...args);
        await shop.hear(erased(userId));
        return answer;
      },
    };
  };
  const early = newId();
  await expect(add(early, during('addCustomer', early))).rejects.toEqual(unauthenticated);
  expect(await methodsOf(early)).toEqual([]);

  const late = newId();
  await expect(add(late, during('attach', late))).rejects.toEqual(unauthenticated);
  expect(await methodsOf(late)).toMatchObject([{ brand: 'erased', last4: '0000', gone: true }]);
  await shop.forgetMethods();
  const [{ provider_id, forgotten }] = (await methodsOf(late)) as [Row];
  expect(forgotten).toBe(true);
  expect((await shop.provider.detach(provider_id)).kind).toBe('refused');
});

test('a card that is written down at the very moment of the erasure waits for it', async () => {
  const { customerId } = await shop.buyer();
  const { traceparent } = newTrace();
  const origin = { tenantId, traceparent, causationId: null };
  const adding = await shop.database.for(origin).transaction(async (tx) => {
    await eraseCustomer(tx, tenantId, customerId);
    // The customer was read before the erasure is committed, so only the lock can tell.
    const answer = add(customerId, shop.provider, 'pm_card_amex').then(
      () => 'kept',
      (error: unknown) => error,
    );
    await vi.waitFor(
      async () => {
        const waiting = await shop.database.sql`
          select from pg_locks where not granted and pid in (
            select pid from pg_stat_activity where datname = current_database())`;
        expect(waiting).toHaveLength(1);
      },
      { timeout: 10_000 },
    );
    return { answer };
  });
  expect(await adding.answer).toEqual(unauthenticated);
  expect(await methodsOf(customerId)).toMatchObject([{ gone: true }, { gone: true }]);
});

test('an order whose payment is asked for after the erasure is declined and charges nobody', async () => {
  const buyer = await shop.buyer();
  await shop.hear(erased(buyer.customerId));
  const orderId = await shop.authorize(buyer);
  expect(await shop.types(orderId)).toEqual(['payment.declined']);
  expect(await shop.book(orderId)).toEqual([]);
});
