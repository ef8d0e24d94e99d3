import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../tests/database.ts';
import type { Plan } from './generated-orders.ts';
import { countStrays } from './imported.ts';
import { loadGenerated, type Options, OtherPlanError } from './load-generated.ts';

const tenantId = newId();
const plan: Plan = { orders: 2_500, seed: 'A', customers: 50, until: new Date('2026-11-01') };
const names = ['orders', 'payments', 'users'] as const;
type Name = (typeof names)[number];

let shop: Record<Name, TestDatabase<undefined>>;

/** Those that are named keep what they got; the program ended before the others did. */
const add = async (kept: readonly Name[], wanted: Plan = plan, options: Options = {}) => {
  const clients = {
    orders: await shop.orders.database.pool.connect(),
    payments: await shop.payments.database.pool.connect(),
    users: await shop.users.database.pool.connect(),
  };
  try {
    for (const name of names) await clients[name].query('begin');
    const added = await loadGenerated(clients, tenantId, wanted, options);
    for (const name of kept) await clients[name].query('commit');
    return added;
  } finally {
    for (const name of names) {
      // Does nothing where it was committed.
      await clients[name].query('rollback');
      clients[name].release();
    }
  }
};

const counts = async () => {
  const [orders] = await shop.orders.database.sql<{ n: number }>`select count(*) as n from orders`;
  const [payments] = await shop.payments.database.sql<{ n: number }>`select count(*) as n from payment`;
  const [users] = await shop.users.database.sql<{ n: number }>`select count(*) as n from users`;
  return { orders: orders!.n, payments: payments!.n, users: users!.n };
};

beforeAll(async () => {
  const [orders, payments, users] = await Promise.all(names.map((name) => testDatabase(name)));
  shop = { orders: orders!, payments: payments!, users: users! };
});
afterAll(() => Promise.all(names.map((name) => shop?.[name].close())));

test('ended between two commits, the next run adds what is missing, and one more adds nothing', async () => {
  await add(['users', 'payments']);
  const { users } = await counts();
  expect(users).toBeGreaterThan(20);
  expect(await counts()).toEqual({ orders: 0, payments: 2_500, users });
  expect(await add(names)).toEqual({ orders: 2_500, payments: 0, accounts: 0 });
  expect(await add(names)).toEqual({ orders: 0, payments: 0, accounts: 0 });
  expect(await counts()).toEqual({ orders: 2_500, payments: 2_500, users });
});

test('what was taken is in the book, what was not taken is not', async () => {
  const wrong = await shop.payments.database.sql`
    select p.id from payment p left join ledger_txn t on t.payment_id = p.id
      left join ledger_entry e on e.txn_id = t.id and e.account = 'provider_clearing'
    where p.captured_minor <> coalesce(e.amount_minor, 0) or p.provider <> 'import' or p.wanted is not null
      or (p.captured_minor > 0) <> (p.state = 'CAPTURED')`;
  expect(wrong).toEqual([]);
  const states = await shop.payments.database.sql`select distinct state from payment order by 1`;
  expect(states.map(({ state }) => state)).toEqual(['AUTHORIZED', 'CAPTURED', 'FAILED', 'VOIDED']);
});

test('every order has one event, version 1, its lines add up to it, and nothing waits for it', async () => {
  const wrong = await shop.orders.database.sql`
    select o.id from orders o
      join lateral (select count(*) as n from order_event e where e.order_id = o.id and e.version = 1
        and e.to_status = o.status) e on true
      join lateral (select sum(line_total_minor) as total from order_line l where l.order_id = o.id) l on true
    where o.version <> 1 or e.n <> 1 or l.total is distinct from o.subtotal_minor`;
  expect(wrong).toEqual([]);
  const [still] = await shop.orders.database.sql`
    select (select count(*) from saga) as sagas, (select count(*) from plumbing.outbox) as messages`;
  expect(still).toEqual({ sagas: 0, messages: 0 });
});

test('another plan of the same seed is refused and leaves everything as it was', async () => {
  const before = await counts();
  await expect(add(names, { ...plan, orders: 2_600 })).rejects.toThrow(OtherPlanError);
  expect(await counts()).toEqual(before);
});

/** Every row that a load brings, told by their sums; the load is given up again. */
const broughtBy = async (wanted: Plan, options: Options) => {
  const clients = {
    orders: await shop.orders.database.pool.connect(),
    payments: await shop.payments.database.pool.connect(),
    users: await shop.users.database.pool.connect(),
  };
  try {
    for (const name of names) await clients[name].query('begin');
    const added = await loadGenerated(clients, tenantId, wanted, options);
    const { rows: orders } = await clients.orders.query(`
      select (select md5(string_agg(o::text, '' order by o.id)) from orders o) as orders,
        (select md5(string_agg(l::text, '' order by l.id)) from order_line l) as lines,
        (select md5(string_agg(e::text, '' order by e.order_id, e.seq)) from order_event e) as events`);
    const { rows: payments } = await clients.payments.query(`
      select count(*)::int as entries, md5(string_agg(e::text, '' order by e.txn_id, e.line)) as book
      from ledger_entry e`);
    return { added, orders, payments };
  } finally {
    for (const name of names) {
      await clients[name].query('rollback');
      clients[name].release();
    }
  }
};

test('a load for which the shop stands still says so, and brings what one brings for which it goes on', async () => {
  const large: Plan = { ...plan, seed: 'LARGE', orders: 3_000 };
  let standstills = 0;
  const onStandstill = () => {
    standstills += 1;
  };
  const apart = await broughtBy(large, { many: 3_000, onStandstill });
  expect(standstills).toBe(1);
  const meanwhile = await broughtBy(large, { many: 3_000, open: true, onStandstill });
  expect(standstills).toBe(1);
  expect(apart.added.orders).toBe(3_000);
  expect(apart).toEqual(meanwhile);
});

test('a load smaller than what is there leaves the shop open', async () => {
  const small: Plan = { ...plan, seed: 'SMALL', orders: 2_400 };
  const onStandstill = () => expect.unreachable();
  const { added } = await broughtBy(small, { many: 1, onStandstill });
  expect(added.orders).toBe(2_400);
});

test('rows without their order, and a book that does not add up, would be found', async () => {
  const orders = await shop.orders.database.pool.connect();
  const payments = await shop.payments.database.pool.connect();
  try {
    await orders.query('begin');
    await payments.query('begin');
    expect(await countStrays(orders, 'orders')).toBe(0);
    expect(await countStrays(payments, 'payments')).toBe(0);
    await orders.query('set local session_replication_role = replica');
    await payments.query('set local session_replication_role = replica');
    await orders.query("delete from orders where number = 'G-A-0000001'");
    await payments.query(
      'update ledger_entry set amount_minor = amount_minor + 1 where line = 1 and txn_id = (select min(id::text)::uuid from ledger_txn)',
    );
    expect(await countStrays(orders, 'orders')).toBeGreaterThan(1);
    expect(await countStrays(payments, 'payments')).toBe(1);
  } finally {
    await orders.query('rollback');
    await payments.query('rollback');
    orders.release();
    payments.release();
  }
});
