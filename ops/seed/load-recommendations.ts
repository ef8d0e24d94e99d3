import type pg from 'pg';
import { type Cell, copyRows } from './copy.ts';
import { seedId } from './ids.ts';
import { invoices } from './online-retail.ts';

/** A row for each good of each sale; the pieces of several lines are one row's. */
function* purchases(tenantId: string): Generator<readonly Cell[]> {
  const productIds = new Map<string, string>();
  const productOf = (sku: string): string => {
    const id = productIds.get(sku) ?? seedId('product', sku);
    productIds.set(sku, id);
    return id;
  };
  for (const { number, placedAt, customer, lines } of invoices()) {
    const pieces = new Map<string, number>();
    for (const { sku, quantity } of lines) pieces.set(sku, (pieces.get(sku) ?? 0) + quantity);
    const orderId = seedId('order', number, placedAt);
    const customerId = customer && seedId('user', customer);
    const at = placedAt.toISOString();
    for (const [sku, quantity] of pieces) yield [tenantId, orderId, productOf(sku), customerId, quantity, at];
  }
}

/** The real sales, as recommendations would have heard of them. Does nothing where there are purchases already. */
export const loadRecommendations = async (client: pg.ClientBase, tenantId: string): Promise<void> => {
  // Two starters: the second waits, and then finds what the first has loaded.
  await client.query('lock table learning in share row exclusive mode');
  const { rowCount } = await client.query('select 1 from purchase where tenant_id = $1 limit 1', [tenantId]);
  if (rowCount) return;
  await copyRows(
    client,
    'purchase',
    ['tenant_id', 'order_id', 'product_id', 'customer_id', 'quantity', 'at'],
    purchases(tenantId),
  );
  // Without figures on the new rows the planner would read the whole table for each page.
  await client.query('analyze purchase');
  // Nothing is computed here: the subgraph's job finds that it has something to learn.
  await client.query('insert into learning (tenant_id) values ($1) on conflict do nothing', [tenantId]);
};
