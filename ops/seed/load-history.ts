import type pg from 'pg';
import { seedId } from './ids.ts';
import { analyze, check, checkLater, type ImportedOrder, lockImports, portions } from './imported.ts';
import { goods, invoices } from './online-retail.ts';
import { copyPacked, packer } from './packed.ts';
import { guestAddress, people } from './people.ts';

const numberOf = (invoice: string): string => `H-${invoice}`;

/** The 14,201 real sales as orders that were delivered and paid long ago. What was charged for postage is not known. */
export function* history(): Generator<ImportedOrder> {
  const addresses = new Map(people().map(({ key, address }) => [key, address]));
  const variants = new Map(goods().map(({ sku, name }) => [sku, { id: seedId('variant', sku), name }]));
  const customerIds = new Map([...addresses.keys()].map((key) => [key, seedId('user', key)]));
  for (const { number, placedAt, customer, country, lines } of invoices())
    yield {
      id: seedId('order', number, placedAt),
      number: numberOf(number),
      customerId: customer && customerIds.get(customer)!,
      placedAt,
      status: 'DELIVERED',
      statusReason: null,
      payment: 'CAPTURED',
      address: customer ? addresses.get(customer)! : guestAddress(number, country),
      shippingMinor: 0,
      lines: lines.map(({ sku, quantity, unitPriceMinor }) => {
        const { id, name } = variants.get(sku)!;
        return { variantId: id, sku, name, quantity, unitPriceMinor };
      }),
    };
}

/** Into the orders database. Does nothing where the history is already. */
export const loadOrderHistory = async (client: pg.ClientBase, tenantId: string): Promise<void> => {
  await lockImports(client);
  const [first] = invoices();
  const loaded = await client.query('select from orders where tenant_id = $1 and number = $2', [
    tenantId,
    numberOf(first!.number),
  ]);
  if (loaded.rowCount) return;
  await checkLater(client);
  const { orders } = packer(tenantId);
  for (const portion of portions(history())) await copyPacked(client, orders(portion));
  await analyze(client, 'orders');
  await check(client, 'orders');
};

/** Into the payments database. Does nothing where the history is already. */
export const loadPaymentHistory = async (client: pg.ClientBase, tenantId: string): Promise<void> => {
  await lockImports(client);
  const [first] = history();
  const loaded = await client.query('select from payment where tenant_id = $1 and order_id = $2', [
    tenantId,
    first!.id,
  ]);
  if (loaded.rowCount) return;
  await checkLater(client);
  const { payments } = packer(tenantId);
  for (const portion of portions(history())) await copyPacked(client, payments(portion));
  await analyze(client, 'payments');
  await check(client, 'payments');
};
