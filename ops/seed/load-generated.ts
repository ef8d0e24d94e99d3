import type pg from 'pg';
import { type GeneratedOrder, generatedOrders, type Plan } from './generated-orders.ts';
import { analyze, check, checkLater, lockImports, portions, tablesOf } from './imported.ts';
import { putIndexesAside } from './indexes.ts';
import { addPeople } from './load-users.ts';
import { copyPacked, packer } from './packed.ts';
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

const isMostlyNew = async (
  client: pg.ClientBase,
  table: 'orders' | 'payment',
  coming: number,
): Promise<boolean> => {
  // Counts no further than the answer needs.
  const { rows } = await client.query<{ n: number }>(
    `select count(*)::int as n from (select from ${table} limit $1) there`,
    [coming],
  );
  return rows[0]!.n < coming;
};

/** Work for one database, done in turn; `add` waits while two portions lie there already. */
const lane = () => {
  let [earlier, last]: Promise<void>[] = [Promise.resolve(), Promise.resolve()];
  const add = async (work: () => Promise<void>): Promise<void> => {
    const before = earlier!;
    earlier = last;
    last = last!.then(work);
    // Told to whoever awaits the lane; until then it is nobody's failure.
    last.catch(() => undefined);
    await before;
  };
  return { add, end: (): Promise<void> => last! };
};

export type Options = {
  /** The indexes stay, so that the shop goes on meanwhile. It takes longer. */
  readonly open?: boolean;
  /** From how many on the indexes are made anew, where more come than are there; 50,000 otherwise. */
  readonly many?: number;
  /** Told before the shop's tables are locked. */
  readonly onStandstill?: () => void;
};

/**
 * The plan's orders into three databases, in one pass. Where one of them has them already, which is so when the program
 * was ended between two commits, only the others are filled.
 * @throws OtherPlanError where the seed made other orders here
 */
export const loadGenerated = async (
  clients: Clients,
  tenantId: string,
  plan: Plan,
  { open = false, many = 50_000, onStandstill }: Options = {},
): Promise<Added> => {
  const { orders, payments, users } = clients;
  await Promise.all([lockImports(orders), lockImports(payments)]);
  const [first] = generatedOrders(plan);
  if (!first) return { orders: 0, payments: 0, accounts: 0 };
  const wants = {
    orders: await ordersWanted(orders, tenantId, first),
    payments: await paymentsWanted(payments, tenantId, first),
  };
  if (!wants.orders && !wants.payments) return { orders: 0, payments: 0, accounts: 0 };
  const isLarge = !open && plan.orders >= many;
  const aside = {
    orders: wants.orders && isLarge && (await isMostlyNew(orders, 'orders', plan.orders)),
    payments: wants.payments && isLarge && (await isMostlyNew(payments, 'payment', plan.orders)),
  };
  if (aside.orders || aside.payments) onStandstill?.();
  const [indexOrders, indexPayments] = await Promise.all([
    aside.orders && putIndexesAside(orders, tablesOf.orders),
    aside.payments && putIndexesAside(payments, tablesOf.payments),
  ]);
  await Promise.all([checkLater(orders), checkLater(payments)]);
  const newcomers: Person[] = [];
  const pack = packer(tenantId);
  const [orderLane, paymentLane] = [lane(), lane()];
  for (const portion of portions(generatedOrders(plan))) {
    for (const { newcomer } of portion) if (newcomer) newcomers.push(newcomer);
    // Portions are made while earlier ones are stored.
    if (wants.orders) {
      const packed = pack.orders(portion);
      await orderLane.add(() => copyPacked(orders, packed));
    }
    if (wants.payments) {
      const packed = pack.payments(portion);
      await paymentLane.add(() => copyPacked(payments, packed));
    }
  }
  const finish = async (
    client: pg.ClientBase,
    database: 'orders' | 'payments',
    index: typeof indexOrders,
  ) => {
    if (index) await index();
    await analyze(client, database);
    await check(client, database);
  };
  const [opened] = await Promise.all([
    addPeople(users, tenantId, newcomers),
    orderLane.end().then(async () => {
      if (wants.orders) await finish(orders, 'orders', indexOrders);
    }),
    paymentLane.end().then(async () => {
      if (wants.payments) await finish(payments, 'payments', indexPayments);
    }),
  ]);
  return {
    orders: wants.orders ? plan.orders : 0,
    payments: wants.payments ? plan.orders : 0,
    accounts: opened,
  };
};
