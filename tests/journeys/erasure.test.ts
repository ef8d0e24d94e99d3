// Somebody has had enough of the shop. Afterwards nothing in any of its databases tells who they were, and what they
// bought, paid and got back is still in the books.
import { randomUUID } from 'node:crypto';
import { openDatabase } from '@orderstream/runtime/database';
import { newTrace } from '@orderstream/runtime/trace';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { accepted } from '../../ops/operations/client.ts';
import {
  LoginDocument,
  MeDocument,
  MyNotificationsDocument,
  type OrderViewFragment,
  RefundOrderDocument,
  SaveAddressDocument,
  TrackActivityDocument,
} from '../../ops/operations/generated/graphql.ts';
import { eraseCustomer } from '../../subgraphs/users/src/service.ts';
import { bookOf, shelf, uuidOf } from './books.ts';
import {
  buy,
  type Customer,
  cancel,
  newCustomer,
  orderIs,
  orderWhen,
  type Person,
  putIntoCart,
  settled,
  shippingAddress,
  signIn,
  visitor,
} from './customer.ts';
import { caller, codes } from './wire.ts';

const { databases } = inject('product');

/** In everything that this customer ever wrote. */
const mark = randomUUID().replaceAll('-', '').slice(0, 16);

/** Where the mark stands, as subgraph and table. Whole rows are looked at, so no column can be forgotten. */
const placesOf = async (subgraph: string): Promise<string[]> => {
  const client = new pg.Client({ connectionString: databases[subgraph]!, query_timeout: 20_000 });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(`
      select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') order by 1`);
    const places: string[] = [];
    for (const { name } of tables) {
      const { rowCount } = await client.query(
        `select from ${name} as looked_at where looked_at::text ilike $1 limit 1`,
        [`%${mark}%`],
      );
      if (rowCount) places.push(`${subgraph} ${name}`);
    }
    return places;
  } finally {
    await client.end();
  }
};

const places = async (): Promise<string[]> => {
  const found: string[] = [];
  for (const subgraph of Object.keys(databases).sort()) found.push(...(await placesOf(subgraph)));
  return found;
};

const users = openDatabase({ url: databases.users!, applicationName: 'journeys erasure', size: 1 });
afterAll(() => users.close());

/** As a mutation would do it. */
const erase = async ({ id }: Person): Promise<void> => {
  const userId = uuidOf('user', id);
  const [row] = await bookOf('users')<{
    tenant_id: string;
  }>`select tenant_id from users where id = ${userId}`;
  const tenantId = row!.tenant_id;
  const db = users.for({ tenantId, traceparent: newTrace().traceparent, causationId: null });
  await db.transaction((tx) => eraseCustomer(tx, tenantId, userId, new Date()));
};

let customer: Customer;
let admin: Person;
let delivered: OrderViewFragment;
let calledOff: OrderViewFragment;

const partlyRefunded = ({ refunds, payments }: OrderViewFragment): void => {
  expect(refunds).toMatchObject([{ status: 'SUCCEEDED' }]);
  expect(payments).toMatchObject([{ status: 'PARTIALLY_REFUNDED' }]);
};

beforeAll(async () => {
  const [somebody, staff, goods] = await Promise.all([
    newCustomer(undefined, mark),
    signIn('admin'),
    shelf(15),
  ]);
  admin = staff;
  const address = {
    ...somebody.address,
    recipient: `${shippingAddress.recipient} ${mark}`,
    line1: `${shippingAddress.line1} ${mark}`,
    line2: `Flat ${mark}`,
  };
  customer = { ...somebody, address };
  const { client } = customer;
  const { saveAddress } = await client.send(SaveAddressDocument, { input: { address } });
  accepted(saveAddress, 'AddressSaved');
  const search = { kind: 'SEARCH' as const, at: new Date().toISOString(), query: `a present for ${mark}` };
  await client.send(TrackActivityDocument, { input: { items: [search] } });

  const first = await buy(customer, goods[0]!, 2);
  await settled(customer, first.id);
  const { refundOrder } = await admin.client.send(RefundOrderDocument, {
    input: { idempotencyKey: randomUUID(), orderId: first.id, amount: { amountMinor: 1, currency: 'GBP' } },
  });
  accepted(refundOrder, 'RefundRequested');
  delivered = await orderWhen(customer, first.id, partlyRefunded);

  const second = await buy(customer, goods[1]!);
  await cancel(customer, second.id, { reason: `I am ${mark} and do not want it any more` });
  calledOff = await orderIs(customer, second.id, 'CANCELLED');

  await putIntoCart(customer, goods[2]!, 1);
  await vi.waitFor(
    async () => {
      const { me } = await client.send(MyNotificationsDocument, { first: 10 });
      expect(me!.unreadNotifications).toBeGreaterThanOrEqual(4);
    },
    { timeout: 15_000, interval: 100 },
  );
});

test('while somebody is a customer, their words stand where they belong and nowhere else', async () => {
  expect(await places()).toEqual([
    'orders public.order_event',
    'orders public.orders',
    'shipping public.shipment',
    'users public.address',
    'users public.users',
  ]);
});

test('after the erasure no database has a word of theirs', async () => {
  await erase(customer);
  await vi.waitFor(async () => expect(await places()).toEqual([]), { timeout: 20_000, interval: 500 });
});

test('nothing that was theirs is left: no card, cart, notice, nor a way in', async () => {
  const userId = uuidOf('user', customer.id);
  await vi.waitFor(
    async () => {
      const cards = await bookOf('payments')`
        select brand, last4, detached_at is not null as forgotten from payment_method where user_id = ${userId}`;
      expect(cards).toEqual([{ brand: 'erased', last4: '0000', forgotten: true }]);
    },
    { timeout: 15_000, interval: 100 },
  );
  expect(await bookOf('orders')`select from cart where user_id = ${userId}`).toEqual([]);
  expect(await bookOf('notifications')`select from notification where customer_id = ${userId}`).toEqual([]);
  const { email, password } = customer;
  const { login } = await visitor().send(LoginDocument, { input: { email, password } });
  expect(login.__typename).toBe('InvalidCredentials');
  // The access token is good for some minutes more, and shows nothing.
  expect((await customer.client.send(MeDocument)).me).toBeNull();
  const answer = await caller(customer.token).ask('{ orders { totalCount } }');
  expect([codes(answer), answer.data]).toEqual([[], { orders: { totalCount: 0 } }]);
});

test('their orders remain in the books, with the goods and the money, and are nobody’s', async () => {
  const nobody = { recipient: 'erased', line1: 'erased', line2: null, city: 'erased', postcode: 'erased' };
  for (const before of [delivered, calledOff]) {
    const after = await orderWhen(admin, before.id, ({ customer: whose }) => expect(whose).toBeNull());
    const { number, status, total, lines, refunds } = before;
    expect(after).toMatchObject({ number, status, total, lines, shippingAddress: nobody });
    expect(after.refunds).toEqual(refunds ?? []);
    expect(after.payments).toMatchObject(
      (before.payments ?? []).map(({ id, status: paid, captured }) => ({ id, status: paid, captured })),
    );
  }
  expect(calledOff.statusReason).toContain(mark);
});
