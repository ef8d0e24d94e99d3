/**
 * Orders that another system took: they come with their lines, one event, and a payment with its ledger entries. No
 * checkout stands behind them, so nothing waits for them, no stock is moved and nobody is told.
 */
import { containedTax } from '@orderstream/runtime/money';
import type pg from 'pg';
import { currency } from './load-catalog.ts';
import type { Address } from './people.ts';

type ImportedLine = {
  readonly variantId: string;
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  /** pence sterling, VAT included */
  readonly unitPriceMinor: number;
};

export type ImportedOrder = {
  /** UUID of version 7 whose time is `placedAt` */
  readonly id: string;
  readonly number: string;
  readonly customerId: string | null;
  readonly placedAt: Date;
  readonly status: 'PROCESSING' | 'SHIPPED' | 'DELIVERED' | 'CANCELLED';
  readonly statusReason: string | null;
  readonly payment: 'AUTHORIZED' | 'CAPTURED' | 'VOIDED' | 'FAILED';
  readonly address: Address;
  readonly shippingMinor: number;
  /** at least one */
  readonly lines: readonly ImportedLine[];
};

/** Per cent contained in the demo shop's prices. */
const taxPercent = 20;

const taxOf = (amountMinor: number): number =>
  containedTax({ amountMinor, currency }, taxPercent).amountMinor;

/** Minor units. */
export const lineTotal = ({ quantity, unitPriceMinor }: ImportedLine): number => quantity * unitPriceMinor;

/** Minor units. The tax is taken from each line and then summed, as checkouts do. */
export const amountsOf = ({ lines, shippingMinor }: Pick<ImportedOrder, 'lines' | 'shippingMinor'>) => {
  let subtotal = 0;
  let tax = taxOf(shippingMinor);
  for (const line of lines) {
    const total = lineTotal(line);
    subtotal += total;
    tax += taxOf(total);
  }
  return { subtotal, tax, total: subtotal + shippingMinor };
};

/** Orders in portions: small enough that two databases are fed in turn, large enough for a COPY each. */
export function* portions<T extends ImportedOrder>(orders: Iterable<T>, size = 1_000): Generator<T[]> {
  let portion: T[] = [];
  for (const order of orders) {
    portion.push(order);
    if (portion.length < size) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}

/** One import at a time into a database; the lock ends with the transaction, and the shop goes on meanwhile. */
export const lockImports = (client: pg.ClientBase): Promise<unknown> =>
  client.query("select pg_advisory_xact_lock(hashtext('import'))");

/**
 * For millions of rows: until this transaction ends, what triggers would look up row by row (references, balance) is not
 * looked up, and `check` does it for all rows at once. Constraints of the rows themselves hold as ever. Where the account
 * may not do that, which only a superuser may, each row is looked up after all.
 */
export const checkLater = async (client: pg.ClientBase): Promise<void> => {
  await client.query('savepoint role');
  try {
    await client.query('set local session_replication_role = replica');
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error;
    await client.query('rollback to savepoint role');
  }
};

const strays: Readonly<Record<'orders' | 'payments', readonly string[]>> = {
  orders: [
    'select from order_line l where not exists (select from orders where id = l.order_id)',
    'select from order_event e where not exists (select from orders where id = e.order_id)',
  ],
  payments: [
    'select from payment_event e where not exists (select from payment where id = e.payment_id)',
    'select from ledger_txn t where not exists (select from payment where id = t.payment_id)',
    'select from ledger_entry e where not exists (select from ledger_txn where id = e.txn_id)',
    'select from ledger_entry group by txn_id, currency having sum(amount_minor) <> 0',
  ],
};

/** Rows without the row that they belong to, and movements of the book that do not add up to nothing. */
export const countStrays = async (client: pg.ClientBase, database: keyof typeof strays): Promise<number> => {
  // The whole of it at once needs room to hash.
  await client.query("set local work_mem = '128MB'");
  // Figures from before the load tell of empty tables, and a plan that looks up each row in them takes hours.
  await client.query('set local enable_nestloop = off');
  const counts = strays[database].map((rows) => `(select count(*) from (${rows}) stray)`);
  const { rows } = await client.query<{ n: number }>(`select (${counts.join(' + ')})::int as n`);
  return rows[0]!.n;
};

/** Every row has its order or payment, and the book adds up; else all of the transaction is given up. */
export const check = async (client: pg.ClientBase, database: keyof typeof strays): Promise<void> => {
  const found = await countStrays(client, database);
  if (found > 0) throw new Error(`${found} rows of ${database} do not fit together; nothing was imported`);
};

export const tablesOf = {
  orders: ['orders', 'order_line', 'order_event'],
  payments: ['payment', 'payment_event', 'ledger_txn', 'ledger_entry'],
} as const;

/** Without figures on the new rows the planner would read whole tables. */
export const analyze = (client: pg.ClientBase, database: keyof typeof tablesOf): Promise<unknown> =>
  client.query(`analyze ${tablesOf[database].join(', ')}`);
