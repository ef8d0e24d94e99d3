import type pg from 'pg';
import { copyRows } from './copy.ts';
import { seedId } from './ids.ts';
import { invoices } from './online-retail.ts';
import { people, signIns } from './people.ts';

type Usual = { orders: number; sum: number; logSum: number; logSquares: number };

const add = (usual: Usual, amountMinor: number): void => {
  const log = Math.log(Math.max(amountMinor, 1));
  usual.orders += 1;
  usual.sum += amountMinor;
  usual.logSum += log;
  usual.logSquares += log * log;
};

/**
 * What the real sales say of what is usual, for each customer and for the shop, and since when everybody has an account.
 * Nothing says which of the sales was a fraud, so no network is made of them: that is learnt from people's decisions.
 * Does nothing where something is known of customers already.
 */
export const loadFraud = async (client: pg.ClientBase, tenantId: string): Promise<void> => {
  // Two starters: the second waits, and then finds what the first has loaded.
  await client.query('lock table usual in share row exclusive mode');
  const { rowCount } = await client.query('select 1 from usual where tenant_id = $1 limit 1', [tenantId]);
  if (rowCount) return;
  const nothing = (): Usual => ({ orders: 0, sum: 0, logSum: 0, logSquares: 0 });
  const shop = nothing();
  const byCustomer = new Map<string, Usual>();
  for (const { customer, lines } of invoices()) {
    const amount = lines.reduce((sum, { quantity, unitPriceMinor }) => sum + quantity * unitPriceMinor, 0);
    add(shop, amount);
    if (customer === null) continue;
    const own = byCustomer.get(customer) ?? nothing();
    byCustomer.set(customer, own);
    add(own, amount);
  }
  await copyRows(
    client,
    'customer',
    [
      'tenant_id',
      'customer_id',
      'registered_at',
      'currency',
      'orders',
      'sum_minor',
      'log_sum',
      'log_squares',
    ],
    [...Object.values(signIns), ...people()].map(({ key, createdAt }) => {
      const { orders, sum, logSum, logSquares } = byCustomer.get(key) ?? nothing();
      const currency = orders > 0 ? 'GBP' : null;
      return [
        tenantId,
        seedId('user', key),
        createdAt.toISOString(),
        currency,
        orders,
        sum,
        logSum,
        logSquares,
      ];
    }),
  );
  await client.query(
    'insert into usual (tenant_id, currency, orders, log_sum, log_squares) values ($1, $2, $3, $4, $5)',
    [tenantId, 'GBP', shop.orders, shop.logSum, shop.logSquares],
  );
};
