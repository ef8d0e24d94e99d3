// Each invariant is shown what it is there to find.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../ops/stack/migrate.ts';
import {
  anHourAgo,
  cancelled,
  charge,
  delivered,
  givenBack,
  id,
  movement,
  type Name,
  reservation,
  shop,
  stranger,
  taken,
  tenant,
} from './invariants/orderly-shop.ts';
import { checkInvariants, invariants, violationsIn } from './invariants.ts';
import type { Charge } from './provider-book.ts';

const names = Object.keys(shop) as Name[];
let databases: Record<string, TestDatabase>;
let clients: Record<string, pg.Client>;
const run = async (name: Name, sql: string): Promise<void> => {
  await clients[name]!.query(`savepoint here; ${sql}; set constraints all immediate`).catch(async (error) => {
    await clients[name]!.query('rollback to here');
    throw error;
  });
};
const look = (book: readonly Charge[]) =>
  violationsIn({
    rows: async <Row extends object>(name: string, sql: string) =>
      (await clients[name]!.query<Row>(sql)).rows,
    subgraphs: names,
    book,
  });

beforeAll(async () => {
  const serverUrl = inject('services').databaseUrl;
  const copies = names.map(
    async (name) => [name, await testDatabase({ serverUrl, subgraph: name })] as const,
  );
  databases = Object.fromEntries(await Promise.all(copies));
  clients = Object.fromEntries(names.map((name) => [name, new pg.Client(databases[name]!.url)]));
  for (const name of names) {
    await clients[name]!.connect();
    await clients[name]!.query(shop[name]);
  }
});
afterAll(async () => {
  await Promise.all(Object.values(clients).map((client) => client.end()));
  await Promise.all(Object.values(databases).map((database) => database.drop()));
});
// What a test plants is never committed.
beforeEach(() => Promise.all(names.map((name) => clients[name]!.query('begin'))));
afterEach(() => Promise.all(names.map((name) => clients[name]!.query('rollback'))));

type Plant = {
  readonly invariant: string;
  readonly what: string;
  readonly in?: Name;
  readonly sql?: string;
  readonly book?: readonly Charge[];
  /** the rule of the database that forbids it, and how to take the rule away, so that the invariant is shown it */
  readonly forbiddenBy?: readonly [constraint: string, removal: string];
  /** what else is wrong then; a wrong figure rarely comes alone */
  readonly also?: readonly string[];
};

const dropCheck = (table: string, name: string) =>
  [name, `alter table ${table} drop constraint ${name};`] as const;
const append = 'is append-only';
const replay = `alter table ledger_entry disable trigger user;`;

const plants: readonly Plant[] = [
  {
    invariant: 'I1 no unit is sold twice',
    what: 'more units are allocated than there are',
    in: 'inventory',
    sql: 'update stock set allocated = 8',
    forbiddenBy: dropCheck('stock', 'stock_counts'),
    also: ['I3', 'I4', 'I17'],
  },
  {
    invariant: 'I2 no unit appears or vanishes',
    what: 'a unit is gone and nobody knows where',
    in: 'inventory',
    sql: 'update stock set on_hand = 6',
    forbiddenBy: dropCheck('stock', 'stock_conserved'),
    also: ['I17'],
  },
  {
    invariant: 'I3 what is held and allocated is what orders have',
    what: 'an order lost its reservation and the units stay set aside',
    in: 'inventory',
    sql: `update stock set allocated = 2; ${movement('allocated', 2)}`,
    also: ['I17'],
  },
  {
    invariant: 'I4 movements add up to the counters',
    what: 'a movement too many',
    in: 'inventory',
    sql: movement('returned', 3),
  },
  {
    invariant: 'I3 what has left and come back is what orders were sent and gave back',
    what: 'units came back that nobody sent',
    in: 'inventory',
    sql: `update stock set returned = 1, on_hand = 8; update variant_level set available = 8; ${movement('returned', 1)}`,
    also: ['I17 orders'],
  },
  {
    invariant: 'I17 what can be sold is summed up rightly',
    what: 'the sum was not told again',
    in: 'inventory',
    sql: 'update variant_level set available = 8',
    also: ['I17 orders'],
  },
  {
    invariant: 'I17 orders know what can be sold',
    what: 'a change of the level never came',
    in: 'orders',
    sql: 'update stock_level set available = 9',
  },
  {
    invariant: 'I5 every order comes to an end',
    what: 'an order hangs',
    in: 'orders',
    sql: `update saga set step = 'SHIPPING' where order_id = '${delivered}'`,
    also: ['I12', 'I6'],
  },
  {
    invariant: 'I6 only living orders have stock, and all they ordered',
    what: 'a cancelled order keeps its units',
    in: 'inventory',
    sql: `update reservation set state = 'ALLOCATED' where order_id = '${cancelled}';
      update stock set allocated = 2; ${movement('allocated', 2)}`,
    also: ['I17'],
  },
  {
    invariant: 'I6 only living orders have stock, and all they ordered',
    what: 'the units of a delivered order never left',
    in: 'inventory',
    sql: `update reservation set state = 'EXPIRED'`,
    also: ['I3'],
  },
  {
    invariant: 'I6 only living orders have stock, and all they ordered',
    what: 'a delivered order had fewer units than it is of',
    in: 'inventory',
    sql: `update reservation_part set quantity = 1`,
    also: ['I3'],
  },
  {
    invariant: 'I6 only living orders have stock, and all they ordered',
    what: 'stock is kept for nobody',
    in: 'inventory',
    sql: `${reservation(stranger, 'HELD')} update stock set held = 2; ${movement('held', 2)}`,
    also: ['I17'],
  },
  {
    invariant: 'I7 the money of an order is the same in all three books',
    what: 'the provider never took the money that we believe to have',
    book: [charge(delivered, { amountCapturable: 500, amountReceived: 0 }), givenBack],
  },
  {
    invariant: 'I7 the money of an order is the same in all three books',
    what: 'the provider has a payment that we never heard of',
    book: [taken, givenBack, charge(stranger, {})],
  },
  {
    invariant: 'I7 the money of an order is the same in all three books',
    what: 'the provider did not give the money back',
    book: [taken, { ...givenBack, amountRefunded: 0 }],
  },
  {
    invariant: 'I7 the money of an order is the same in all three books',
    what: 'a delivered order whose money was let go',
    in: 'payments',
    sql: `alter table ledger_entry disable trigger user; alter table ledger_txn disable trigger user;
      delete from ledger_entry where txn_id = '${id(8, 3)}'; delete from ledger_txn where id = '${id(8, 3)}';
      update payment set state = 'VOIDED', authorized_minor = 0, captured_minor = 0 where order_id = '${delivered}'`,
    book: [{ ...taken, amountReceived: 0 }, givenBack],
  },
  {
    invariant: 'I7 the money of an order is the same in all three books',
    what: 'a cancelled order whose money is still held',
    in: 'payments',
    sql: `alter table ledger_entry disable trigger user; alter table ledger_txn disable trigger user;
      delete from ledger_entry where txn_id <> '${id(8, 3)}'; delete from ledger_txn where id <> '${id(8, 3)}'; delete from refund;
      update payment set state = 'AUTHORIZED', captured_minor = 0, refunded_minor = 0 where order_id = '${cancelled}'`,
    book: [taken, charge(cancelled, { amountReceived: 0, amountCapturable: 500 })],
    also: ['I7'],
  },
  {
    invariant: 'I7 the money of an order is the same in all three books',
    what: 'the ledger was not told of a capture',
    in: 'payments',
    sql: `delete from ledger_entry where txn_id = '${id(8, 1)}'`,
    forbiddenBy: [append, replay],
  },
  {
    invariant: 'I8 the ledger is balanced',
    what: 'an entry without its counterpart',
    in: 'payments',
    sql: `insert into ledger_entry (txn_id, line, tenant_id, account, currency, amount_minor)
      values ('${id(8, 1)}', 3, '${tenant}', 'revenue', 'GBP', 1)`,
    forbiddenBy: ['does not add up to nothing', replay],
  },
  {
    invariant: 'I9 the provider takes the money of an order once',
    what: 'two holds for one order',
    book: [taken, givenBack, { ...taken, id: 'pi_again' }],
    also: ['I7'],
  },
  {
    invariant: 'I10 no more goes back than was taken, no more is taken than was promised',
    what: 'more money on its way back than was taken',
    in: 'payments',
    sql: `update payment set refunding_minor = 1 where order_id = '${cancelled}'`,
    forbiddenBy: dropCheck('payment', 'payment_amounts'),
  },
  {
    invariant: 'I10 no piece is refunded more often than it was paid for',
    what: 'a piece that its refunds know nothing of',
    in: 'payments',
    sql: `insert into paid_line (payment_id, order_line_id, tenant_id, variant_id, quantity, unit_price_minor, refunded_quantity)
      values ('${delivered}', '${stranger}', '${tenant}', '${stranger}', 2, 200, 1)`,
  },
  {
    invariant: 'I11 everything that was said has left',
    what: 'a message stays in the outbox',
    in: 'payments',
    sql: `insert into plumbing.outbox (tenant_id, shard, topic, key, hinted, message)
      values ('${tenant}', 1, 'payment-events', 'k', false, '{}')`,
  },
  {
    invariant: 'I11 nothing had to be put aside',
    what: 'a message that could not be handled',
    in: 'inventory',
    sql: `insert into plumbing.parked_message (topic, partition, "offset", key, payload)
      values ('inventory-commands', 0, 0, 'k', '{}')`,
  },
  {
    invariant: 'I11 every order has been heard of',
    what: 'the command to reserve never came',
    in: 'inventory',
    sql: `delete from reservation_part where reservation_id = '${cancelled}';
      delete from reservation where order_id = '${cancelled}'`,
  },
  {
    invariant: 'I11 what moved an order stands in the inbox',
    what: 'a step without the message that it was taken on',
    in: 'orders',
    sql: 'delete from plumbing.inbox',
  },
  {
    invariant: 'I12 no step is taken twice or against the rules',
    what: 'an event is missing',
    in: 'orders',
    sql: `delete from order_event where order_id = '${delivered}' and seq = 3`,
    also: ['I13'],
  },
  {
    invariant: 'I12 no step is taken twice or against the rules',
    what: 'a step begins where the order was not',
    in: 'orders',
    sql: `update order_event set from_step = 'RESERVING' where order_id = '${delivered}' and seq = 3`,
  },
  {
    invariant: 'I12 no step is taken twice or against the rules',
    what: 'a delivered order is released without its money being let go',
    in: 'orders',
    sql: `update order_event set to_step = 'RELEASING' where order_id = '${cancelled}' and version = 5;
      update order_event set from_step = 'RELEASING' where order_id = '${cancelled}' and version = 6`,
  },
  {
    invariant: 'I12 an order stands where its last event left it',
    what: 'a step that nobody wrote down',
    in: 'orders',
    sql: `update orders set status = 'SHIPPED' where id = '${delivered}'`,
  },
  {
    invariant: 'I13 the version of an order is the number of its events',
    what: 'a version without an event',
    in: 'orders',
    sql: `update orders set version = version + 1 where id = '${delivered}'`,
  },
  {
    invariant: 'I13 a timeline has no gap',
    what: 'an entry that was skipped',
    in: 'orders',
    sql: `insert into order_event (order_id, seq, tenant_id, type, at, actor, to_status)
      values ('${delivered}', 10, '${tenant}', 'notification.sent', now(), 'test', 'DELIVERED')`,
  },
  {
    invariant: 'I13 the version of a payment is the number of its events',
    what: 'a version without an event',
    in: 'payments',
    sql: `update payment set version = 2 where order_id = '${delivered}'`,
  },
  {
    invariant: 'I14 one key makes one order',
    what: 'a double click buys twice',
    in: 'orders',
    sql: `update orders set idempotency_key = 'N-1'`,
    forbiddenBy: dropCheck('orders', 'orders_once'),
  },
  {
    invariant: 'I14 every order that was answered is there',
    what: 'a customer was promised an order that is not there',
    in: 'orders',
    sql: `update plumbing.idempotency set response = '{"orderId": "${stranger}"}' where key = 'N-1'`,
  },
  {
    invariant: 'I20 no deadline has been forgotten',
    what: 'an order should have moved on an hour ago',
    in: 'orders',
    sql: `update saga set deadline_at = ${anHourAgo}`,
  },
  {
    invariant: 'I20 no errand is left',
    what: 'the provider was never asked to let go',
    in: 'payments',
    sql: `update payment set wanted = 'VOID' where order_id = '${delivered}'`,
  },
];

test('a shop in order violates nothing', async () => {
  const urls = Object.fromEntries(names.map((name) => [name, databases[name]!.url]));
  expect(await checkInvariants(urls, [taken, givenBack])).toEqual([]);
});

test('there is a violation for each invariant', () => {
  expect([...new Set(plants.map(({ invariant }) => invariant))].sort()).toEqual(
    [...new Set(invariants.map(({ name }) => name))].sort(),
  );
});

describe('the invariant names what is wrong', () => {
  test.each(plants)(
    '$invariant: $what',
    async ({ invariant, sql, forbiddenBy, also = [], book, ...plant }) => {
      if (forbiddenBy) {
        const [rule, removal] = forbiddenBy;
        await expect(run(plant.in!, sql!)).rejects.toThrow(rule);
        await run(plant.in!, removal);
      }
      if (sql) await run(plant.in!, sql);
      const found = (await look(book ?? [taken, givenBack])).map((one) => one.invariant);
      expect(found).toContain(invariant);
      // Only what was to be expected: a sentence that is always found says nothing.
      expect(
        found.filter((name) => name !== invariant && !also.some((other) => name.startsWith(other))),
      ).toEqual([]);
    },
  );
});
