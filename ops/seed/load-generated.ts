import type pg from 'pg';
import { type GeneratedOrder, generatedOrders, type Plan } from './generated-orders.ts';
import { analyze, check, checkLater, copyOrders, copyPayments, lockImports, portions } from './imported.ts';
import { addPeople } from './load-users.ts';
import type { Person } from './people.ts';

/** Connections to the databases that the orders go to, each within a transaction of its own. */
export type Clients = Readonly<Record<'orders' | 'payments' | 'users', pg.ClientBase>>;

/** The seed made other orders here already, by another plan. */
export class OtherPlanError extends Error {}

const ordersWanted = async (
  client: pg.ClientBase,
  tenantId: string,
  { id, number }: GeneratedOrder,
): Promise<boolean> => {
  const { rows } = await client.query<{ id: string }>(
    'select id from orders where tenant_id = $1 and number = $2',
    [tenantId, number],
  );
  if (rows[0] && rows[0].id !== id)
    throw new OtherPlanError(`${number} is there already, and of another time: it came of other options.`);
  return rows.length === 0;
};

const paymentsWanted = async (
  client: pg.ClientBase,
  tenantId: string,
  { id }: GeneratedOrder,
): Promise<boolean> => {
  const { rowCount } = await client.query('select from payment where tenant_id = $1 and order_id = $2', [
    tenantId,
    id,
  ]);
  return rowCount === 0;
};

export type Added = { readonly orders: number; readonly payments: number; readonly accounts: number };

/**
 * The plan's orders into three databases, in one pass. Where one of them has them already, which is so when the program
 * was ended between two commits, only the others are filled.
 * @throws OtherPlanError where the seed made other orders here
 */
export const loadGenerated = async (clients: Clients, tenantId: string, plan: Plan): Promise<Added> => {
  const { orders, payments, users } = clients;
  await Promise.all([lockImports(orders), lockImports(payments)]);
  const [first] = generatedOrders(plan);
  if (!first) return { orders: 0, payments: 0, accounts: 0 };
  const wants = {
    orders: await ordersWanted(orders, tenantId, first),
    payments: await paymentsWanted(payments, tenantId, first),
  };
  if (!wants.orders && !wants.payments) return { orders: 0, payments: 0, accounts: 0 };
  await Promise.all([checkLater(orders), checkLater(payments)]);
  const newcomers: Person[] = [];
  let copying: Promise<unknown> = Promise.resolve();
  for (const portion of portions(generatedOrders(plan))) {
    for (const { newcomer } of portion) if (newcomer) newcomers.push(newcomer);
    // One portion is made while the one before is stored.
    await copying;
    copying = Promise.all([
      wants.orders && copyOrders(orders, tenantId, portion),
      wants.payments && copyPayments(payments, tenantId, portion),
    ]);
  }
  await copying;
  const opened = await addPeople(users, tenantId, newcomers);
  await Promise.all([
    wants.orders && check(orders, 'orders').then(() => analyze(orders, 'orders')),
    wants.payments && check(payments, 'payments').then(() => analyze(payments, 'payments')),
  ]);
  return {
    orders: wants.orders ? plan.orders : 0,
    payments: wants.payments ? plan.orders : 0,
    accounts: opened,
  };
};
