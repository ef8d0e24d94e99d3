// What must be true of the shop whatever happened to its processes. Asked by tests after every crash, and good for a look
// at a running shop: it only reads.
import pg from 'pg';
import type { Invariant, Look } from './invariants/invariant.ts';
import { ofMessages } from './invariants/messages.ts';
import { ofMoney } from './invariants/money.ts';
import { ofOrders } from './invariants/orders.ts';
import { ofStock } from './invariants/stock.ts';
import type { Charge } from './provider-book.ts';

export const invariants: readonly Invariant[] = [...ofStock, ...ofOrders, ...ofMoney, ...ofMessages];

export type Violation = { readonly invariant: string; readonly what: string };

/** A database as it stands at this moment, however many questions are asked. */
const openSnapshot = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 3_000,
    query_timeout: 10_000,
  });
  await client.connect();
  await client.query('begin transaction isolation level repeatable read read only');
  return client;
};

/** What is wrong in what can be seen. `always`: only what must hold in the middle of things, too. */
export const violationsIn = async (look: Look, when: Invariant['holds'] = 'quiet'): Promise<Violation[]> => {
  const violations: Violation[] = [];
  // One after the other: a snapshot answers one question at a time.
  for (const { name, holds, broken } of invariants)
    if (when === 'quiet' || holds === 'always')
      violations.push(...(await broken(look)).map((what) => ({ invariant: name, what })));
  return violations;
};

/**
 * @param databases the URL of each subgraph's database; orders, inventory and payments must be among them
 * @param book the payment provider's
 */
export const checkInvariants = async (
  databases: Readonly<Record<string, string>>,
  book: readonly Charge[],
  when: Invariant['holds'] = 'quiet',
): Promise<Violation[]> => {
  const subgraphs = Object.keys(databases);
  const opened = subgraphs.map(async (name) => [name, await openSnapshot(databases[name]!)] as const);
  const snapshots = new Map(await Promise.all(opened));
  try {
    const rows = async <Row extends object>(subgraph: string, sql: string): Promise<Row[]> =>
      (await snapshots.get(subgraph)!.query<Row>(sql)).rows;
    return await violationsIn({ rows, subgraphs, book }, when);
  } finally {
    await Promise.all([...snapshots.values()].map((client) => client.end()));
  }
};
