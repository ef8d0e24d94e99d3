/**
 * Orders that another system took: they come with their lines, one event, and a payment with its ledger entries. No
 * checkout stands behind them, so nothing waits for them, no stock is moved and nobody is told.
 */
import { captureEntries } from '@orderstream/payments/ledger';
import { containedTax, money } from '@orderstream/runtime/money';
import type pg from 'pg';
import { cells, copyLines } from './copy.ts';
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

const lineTotal = ({ quantity, unitPriceMinor }: ImportedLine): number => quantity * unitPriceMinor;

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

/**
 * The id of a row that belongs to an order: the order's own, with the row's number in the 12 bits behind the version.
 * Unique within its table as the order's other 110 bits are, sorts beside its siblings, and costs no hash.
 */
const ownId = (orderId: string, number: number): string => {
  if (number > 0xfff) throw new RangeError(`Order ${orderId} has more than 4,096 rows of a kind`);
  return `${orderId.slice(0, 15)}${number.toString(16).padStart(3, '0')}${orderId.slice(18)}`;
};

const paymentId = (orderId: string): string => ownId(orderId, 0);

/** No request is behind it. */
const untraced = `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`;

const addressCells = new WeakMap<Address, string>();

/** Made once for each customer, for there are far more orders. */
const cellsOfAddress = (address: Address): string => {
  const made = addressCells.get(address);
  if (made !== undefined) return made;
  const { recipient, line1, city, postcode, country } = address;
  const text = cells(recipient, line1, city, postcode, country);
  addressCells.set(address, text);
  return text;
};

/** Orders, lines and events into the orders database. */
export const copyOrders = async (
  client: pg.ClientBase,
  tenantId: string,
  orders: readonly ImportedOrder[],
): Promise<void> => {
  const [headers, lines, events]: [string[], string[], string[]] = [[], [], []];
  for (const order of orders) {
    const { id, number, customerId, status, statusReason, shippingMinor, address } = order;
    const at = order.placedAt.toISOString();
    const { subtotal, tax, total } = amountsOf(order);
    headers.push(
      `${cells(id, tenantId, number, customerId, status, statusReason)}\t1\t${at}\t${at}\t${currency}\t${subtotal}\t0\t${shippingMinor}\t${tax}\t${total}\t${cellsOfAddress(address)}`,
    );
    order.lines.forEach((line, position) => {
      const { variantId, sku, name, quantity, unitPriceMinor } = line;
      lines.push(
        `${ownId(id, position)}\t${tenantId}\t${id}\t${position}\t${variantId}\t${cells(sku, name)}\t${quantity}\t${unitPriceMinor}\t${lineTotal(line)}`,
      );
    });
    events.push(`${id}\t1\t1\t${tenantId}\timported\t${at}\timport\t${cells(status, statusReason)}`);
  }
  await copyLines(
    client,
    'orders',
    [
      ...['id', 'tenant_id', 'number', 'customer_id', 'status', 'status_reason', 'version', 'placed_at'],
      ...['updated_at', 'currency', 'subtotal_minor', 'discount_minor', 'shipping_minor', 'tax_minor'],
      ...['total_minor', 'recipient', 'line1', 'city', 'postcode', 'country'],
    ],
    headers,
  );
  await copyLines(
    client,
    'order_line',
    [
      ...['id', 'tenant_id', 'order_id', 'position', 'variant_id', 'sku', 'name', 'quantity'],
      ...['unit_price_minor', 'line_total_minor'],
    ],
    lines,
  );
  await copyLines(
    client,
    'order_event',
    ['order_id', 'seq', 'version', 'tenant_id', 'type', 'at', 'actor', 'to_status', 'reason'],
    events,
  );
};

/** Payments, their events and the book's transactions into the payments database. */
export const copyPayments = async (
  client: pg.ClientBase,
  tenantId: string,
  orders: readonly ImportedOrder[],
): Promise<void> => {
  const [payments, events, transactions, entries]: [string[], string[], string[], string[]] = [
    [],
    [],
    [],
    [],
  ];
  for (const order of orders) {
    const id = paymentId(order.id);
    const at = order.placedAt.toISOString();
    const { total } = amountsOf(order);
    const captured = order.payment === 'CAPTURED' ? total : 0;
    const authorized = order.payment === 'AUTHORIZED' ? total : captured;
    const failure = order.payment === 'FAILED' ? order.statusReason : null;
    payments.push(
      `${id}\t${tenantId}\t${order.id}\t${cells(order.customerId)}\timport\timp_${order.id}\t${order.payment}\t${currency}\t${total}\t${authorized}\t${captured}\t${cells(failure)}\t${untraced}\t1\t${at}\t${at}`,
    );
    events.push(`${id}\t1\t${tenantId}\t${at}\timported\t${total}`);
    if (captured === 0) continue;
    transactions.push(`${id}\t${tenantId}\t${id}\tCAPTURE\t${at}`);
    captureEntries(money(captured, currency)).forEach(({ account, amount }, index) => {
      entries.push(`${id}\t${index + 1}\t${tenantId}\t${account}\t${currency}\t${amount.amountMinor}`);
    });
  }
  await copyLines(
    client,
    'payment',
    [
      ...['id', 'tenant_id', 'order_id', 'customer_id', 'provider', 'provider_key', 'state', 'currency'],
      ...['amount_minor', 'authorized_minor', 'captured_minor', 'failure_reason', 'traceparent', 'version'],
      ...['created_at', 'updated_at'],
    ],
    payments,
  );
  const columns = ['payment_id', 'version', 'tenant_id', 'at', 'type', 'amount_minor'];
  await copyLines(client, 'payment_event', columns, events);
  await copyLines(client, 'ledger_txn', ['id', 'tenant_id', 'payment_id', 'kind', 'at'], transactions);
  await copyLines(
    client,
    'ledger_entry',
    ['txn_id', 'line', 'tenant_id', 'account', 'currency', 'amount_minor'],
    entries,
  );
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
  const counts = strays[database].map((rows) => `(select count(*) from (${rows}) stray)`);
  const { rows } = await client.query<{ n: number }>(`select (${counts.join(' + ')})::int as n`);
  return rows[0]!.n;
};

/** Every row has its order or payment, and the book adds up; else all of the transaction is given up. */
export const check = async (client: pg.ClientBase, database: keyof typeof strays): Promise<void> => {
  const found = await countStrays(client, database);
  if (found > 0) throw new Error(`${found} rows of ${database} do not fit together; nothing was imported`);
};

const tablesOf = {
  orders: 'orders, order_line, order_event',
  payments: 'payment, payment_event, ledger_txn, ledger_entry',
};

/** Without figures on the new rows the planner would read whole tables. */
export const analyze = (client: pg.ClientBase, database: keyof typeof tablesOf): Promise<unknown> =>
  client.query(`analyze ${tablesOf[database]}`);
