// Fills empty databases with the demo shop: each subgraph's part in one transaction, the copies that others keep included.

import { platformSettings, readSettings } from '@orderstream/runtime/config';
import pg from 'pg';
import { inTransaction } from './copy.ts';
import { loadCatalog } from './load-catalog.ts';
import { loadFraud } from './load-fraud.ts';
import { loadOrderHistory, loadPaymentHistory } from './load-history.ts';
import { loadInventory } from './load-inventory.ts';
import { loadOrders } from './load-orders.ts';
import { loadRecommendations } from './load-recommendations.ts';
import { loadUsers } from './load-users.ts';
import { goods } from './online-retail.ts';

export type Shop = {
  /** database URL by subgraph; one that is not there is not filled */
  readonly databases: Readonly<Record<string, string>>;
  /** of the three accounts to try */
  readonly password: string;
  readonly env: NodeJS.ProcessEnv;
};

type Load = (client: pg.ClientBase, tenantId: string, password: string) => Promise<void>;

const loaders: Readonly<Record<string, Load>> = {
  users: loadUsers,
  catalog: (client, tenantId) => loadCatalog(client, tenantId, goods()),
  inventory: loadInventory,
  orders: loadOrders,
  recommendations: loadRecommendations,
  fraud: loadFraud,
};

const histories: Readonly<Record<string, Load>> = { orders: loadOrderHistory, payments: loadPaymentHistory };

const fill = async (url: string, load: (client: pg.Client) => Promise<void>): Promise<void> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // A connection that breaks is told to whoever waits for an answer on it, too.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await inTransaction(client, () => load(client));
  } finally {
    await client.end();
  }
};

const fillAll = async (loads: Readonly<Record<string, Load>>, { databases, password, env }: Shop) => {
  const { TENANT_ID } = readSettings(
    { TENANT_ID: env.TENANT_ID },
    platformSettings.pick({ TENANT_ID: true }),
  );
  await Promise.all(
    Object.entries(loads)
      .filter(([name]) => name in databases)
      .map(([name, load]) => fill(databases[name]!, (client) => load(client, TENANT_ID, password))),
  );
};

/** Does nothing where there is data already, so it may run at every start. */
export const seedShop = (shop: Shop): Promise<void> => fillAll(loaders, shop);

/**
 * The sales of the shop before it was ours, as orders and payments. The shop needs none of them to open, so it may be
 * open already. Does nothing where they are.
 */
export const seedHistory = (shop: Shop): Promise<void> => fillAll(histories, shop);
