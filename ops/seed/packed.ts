/** Imported orders as rows of the tables they stand in, in COPY's binary format. */
import { captureEntries } from '@orderstream/payments/ledger';
import { money } from '@orderstream/runtime/money';
import type pg from 'pg';
import { BinaryRows, copyBinary, textField, uuidBytes, uuidField } from './copy-binary.ts';
import { amountsOf, type ImportedOrder, lineTotal } from './imported.ts';
import { currency } from './load-catalog.ts';
import type { Address } from './people.ts';

/**
 * The id of a row that belongs to an order: the order's own, with the row's number in the 12 bits behind the version.
 * Unique within its table as the order's other 110 bits are, sorts beside its siblings, and costs no hash.
 */
const ownId = (orderId: Uint8Array, number: number): Uint8Array => {
  if (number > 0xfff) throw new RangeError('An order has more than 4,096 rows of a kind');
  const own = orderId.slice();
  own[6] = (own[6]! & 0xf0) | (number >>> 8);
  own[7] = number;
  return own;
};

/** No request is behind it. */
const untraced = textField(`00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`);

/** What was made for a key is kept: customers, goods and words are far fewer than orders. */
const remembered = <K, V>(make: (key: K) => V): ((key: K) => V) => {
  const made = new Map<K, V>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) {
      value = make(key);
      made.set(key, value);
    }
    return value;
  };
};

const addressFields = new WeakMap<Address, Buffer>();

const fieldsOf = (address: Address): Buffer => {
  let fields = addressFields.get(address);
  if (!fields) {
    const { recipient, line1, city, postcode, country } = address;
    fields = Buffer.concat([recipient, line1, city, postcode, country].map(textField));
    addressFields.set(address, fields);
  }
  return fields;
};

/** Rows of one table in COPY's binary format. */
type Packed = { readonly table: string; readonly columns: readonly string[]; readonly bytes: Buffer };

const orderColumns = [
  ...['id', 'tenant_id', 'number', 'customer_id', 'status', 'status_reason', 'version', 'placed_at'],
  ...['updated_at', 'currency', 'subtotal_minor', 'discount_minor', 'shipping_minor', 'tax_minor'],
  ...['total_minor', 'recipient', 'line1', 'city', 'postcode', 'country'],
];
const lineColumns = [
  ...['id', 'tenant_id', 'order_id', 'position', 'variant_id', 'sku', 'name', 'quantity'],
  ...['unit_price_minor', 'line_total_minor'],
];
const orderEventColumns = [
  ...['order_id', 'seq', 'version', 'tenant_id', 'type', 'at', 'actor', 'to_status', 'reason'],
];
const paymentColumns = [
  ...['id', 'tenant_id', 'order_id', 'customer_id', 'provider', 'provider_key', 'state', 'currency'],
  ...['amount_minor', 'authorized_minor', 'captured_minor', 'failure_reason', 'traceparent', 'version'],
  ...['created_at', 'updated_at'],
];
const paymentEventColumns = ['payment_id', 'version', 'tenant_id', 'at', 'type', 'amount_minor'];
const transactionColumns = ['id', 'tenant_id', 'payment_id', 'kind', 'at'];
const entryColumns = ['txn_id', 'line', 'tenant_id', 'account', 'currency', 'amount_minor'];

/** The rows of many portions of one tenant's orders. Packing is apart from storing, so that both can go on at once. */
export const packer = (tenantId: string) => {
  const tenant = uuidBytes(tenantId);
  const word = remembered(textField);
  const person = remembered(uuidField);
  const variant = remembered(uuidField);
  const currencyField = textField(currency);

  /** Orders, lines and events, for the orders database. */
  const orders = (portion: readonly ImportedOrder[]): Packed[] => {
    const headers = new BinaryRows(orderColumns.length);
    const lines = new BinaryRows(lineColumns.length);
    const events = new BinaryRows(orderEventColumns.length);
    for (const order of portion) {
      const id = uuidBytes(order.id);
      const at = order.placedAt.getTime();
      const { subtotal, tax, total } = amountsOf(order);
      headers.row();
      headers.uuid(id);
      headers.uuid(tenant);
      headers.text(order.number);
      headers.fields(person(order.customerId));
      headers.fields(word(order.status));
      headers.fields(word(order.statusReason));
      headers.int(1);
      headers.time(at);
      headers.time(at);
      headers.fields(currencyField);
      for (const amount of [subtotal, 0, order.shippingMinor, tax, total]) headers.bigint(amount);
      headers.fields(fieldsOf(order.address));
      for (let position = 0; position < order.lines.length; position++) {
        const line = order.lines[position]!;
        lines.row();
        lines.uuid(ownId(id, position));
        lines.uuid(tenant);
        lines.uuid(id);
        lines.int(position);
        lines.fields(variant(line.variantId));
        lines.fields(word(line.sku));
        lines.fields(word(line.name));
        lines.int(line.quantity);
        lines.bigint(line.unitPriceMinor);
        lines.bigint(lineTotal(line));
      }
      events.row();
      events.uuid(id);
      events.int(1);
      events.int(1);
      events.uuid(tenant);
      events.fields(word('imported'));
      events.time(at);
      events.fields(word('import'));
      events.fields(word(order.status));
      events.fields(word(order.statusReason));
    }
    return [
      { table: 'orders', columns: orderColumns, bytes: headers.end() },
      { table: 'order_line', columns: lineColumns, bytes: lines.end() },
      { table: 'order_event', columns: orderEventColumns, bytes: events.end() },
    ];
  };

  /** Payments, their events and the book's transactions, for the payments database. */
  const payments = (portion: readonly ImportedOrder[]): Packed[] => {
    const headers = new BinaryRows(paymentColumns.length);
    const events = new BinaryRows(paymentEventColumns.length);
    const transactions = new BinaryRows(transactionColumns.length);
    const entries = new BinaryRows(entryColumns.length);
    for (const order of portion) {
      const orderId = uuidBytes(order.id);
      const id = ownId(orderId, 0);
      const at = order.placedAt.getTime();
      const { total } = amountsOf(order);
      const captured = order.payment === 'CAPTURED' ? total : 0;
      const authorized = order.payment === 'AUTHORIZED' ? total : captured;
      headers.row();
      headers.uuid(id);
      headers.uuid(tenant);
      headers.uuid(orderId);
      headers.fields(person(order.customerId));
      headers.fields(word('import'));
      headers.text(`imp_${order.id}`);
      headers.fields(word(order.payment));
      headers.fields(currencyField);
      for (const amount of [total, authorized, captured]) headers.bigint(amount);
      headers.fields(word(order.payment === 'FAILED' ? order.statusReason : null));
      headers.fields(untraced);
      headers.int(1);
      headers.time(at);
      headers.time(at);
      events.row();
      events.uuid(id);
      events.int(1);
      events.uuid(tenant);
      events.time(at);
      events.fields(word('imported'));
      events.bigint(total);
      if (captured === 0) continue;
      transactions.row();
      transactions.uuid(id);
      transactions.uuid(tenant);
      transactions.uuid(id);
      transactions.fields(word('CAPTURE'));
      transactions.time(at);
      captureEntries(money(captured, currency)).forEach(({ account, amount }, index) => {
        entries.row();
        entries.uuid(id);
        entries.smallint(index + 1);
        entries.uuid(tenant);
        entries.fields(word(account));
        entries.fields(currencyField);
        entries.bigint(amount.amountMinor);
      });
    }
    return [
      { table: 'payment', columns: paymentColumns, bytes: headers.end() },
      { table: 'payment_event', columns: paymentEventColumns, bytes: events.end() },
      { table: 'ledger_txn', columns: transactionColumns, bytes: transactions.end() },
      { table: 'ledger_entry', columns: entryColumns, bytes: entries.end() },
    ];
  };

  return { orders, payments };
};

export const copyPacked = async (client: pg.ClientBase, packed: readonly Packed[]): Promise<void> => {
  for (const { table, columns, bytes } of packed) await copyBinary(client, table, columns, bytes);
};
