// `npm run bench -- orders`: customers buy at a given rate and watch their orders live; what they see is timed from
// outside, what it costs is read from the machine, and in the end the books are compared.
import { availableParallelism, cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeId } from '@orderstream/runtime/ids';
import pg from 'pg';
import { isSettled } from '../../tests/invariants/orders.ts';
import { checkInvariants } from '../../tests/invariants.ts';
import { readBook } from '../../tests/provider-book.ts';
import { type Arrival, type Demand, type Good, plan } from './arrivals.ts';
import { type Customer, newCustomer, order, type Sight, watchOrder, watchOwn } from './customer.ts';
import { watchLag } from './lag.ts';
import { type Report, spreadOf } from './report.ts';
import type { Shop } from './shop.ts';
import { type Usage, usageOf } from './usage.ts';

export type Wanted = Demand & {
  /** `order`: a subscription for each order once it is placed; `customer`: one for all of a customer's, from before on */
  readonly watch: 'order' | 'customer';
  /** seconds for orders to come to an end after the last was asked for */
  readonly patience: number;
  /** milliseconds; null where the shop was started by somebody else */
  readonly carrierDayMs: number | null;
  readonly startedAt: Date;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
};

/** An order that has not got there, or never will. */
const notConfirmed: ReadonlySet<Sight['status']> = new Set([
  'PENDING',
  'AWAITING_PAYMENT',
  'AWAITING_REVIEW',
  'CANCELLED',
]);

const rowsOf = async <Row extends object>(url: string, sql: string, values?: unknown[]): Promise<Row[]> => {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
};

/** Many goods, so that customers do not queue for one row: the shop's best stocked. */
const goodsOf = async (shop: Shop): Promise<Good[]> => {
  const rows = await rowsOf<Good>(
    shop.databases.inventory!,
    `select variant_id as variant, available from variant_level join catalog_variant using (variant_id)
     where active and available >= 50 order by sku limit 500`,
  );
  return rows.map(({ variant, available }) => ({ variant: encodeId('variant', variant), available }));
};

/** Orders since then that still wait for somebody; asked often, so on one session: a new one costs more than the answer. */
const openOrders = async (shop: Shop) => {
  const client = new pg.Client(shop.databases.orders!);
  await client.connect();
  return {
    since: async (since: Date): Promise<number> => {
      const { rows } = await client.query<{ n: number }>({
        name: 'unended',
        text: `select count(*)::int as n from saga s join orders o on o.id = s.order_id
          where o.placed_at >= $1 and not ${isSettled}`,
        values: [since],
      });
      return rows[0]!.n;
    },
    close: () => client.end(),
  };
};

type OpenOrders = Awaited<ReturnType<typeof openOrders>>;

/** As sentences; the provider's last news may be on its way when the last order has ended. */
const violationsOf = async (shop: Shop): Promise<string[]> => {
  for (const end = Date.now() + 15_000; ; await pause(500)) {
    const book = await readBook(shop.provider.url, shop.provider.controlToken);
    const found = await checkInvariants(shop.databases, book);
    if (found.length === 0 || Date.now() > end)
      return found.map(({ invariant, what }) => `${invariant}: ${what}`);
  }
};

/** Four at a time: passwords are made to be slow. */
const signUp = async (shop: Shop, { customers, signal }: Wanted): Promise<Customer[]> => {
  const all: Customer[] = [];
  while (all.length < customers) {
    signal.throwIfAborted();
    const next = Array.from({ length: Math.min(4, customers - all.length) }, (_, at) =>
      newCustomer(shop, all.length + at),
    );
    all.push(...(await Promise.all(next)));
  }
  return all;
};

/** Looks at the machine and at the broker until it is told to end. */
const observe = (shop: Shop, lag: Awaited<ReturnType<typeof watchLag>>) => {
  const pids = { ...shop.pids, bench: process.pid };
  const before = usageOf(pids);
  let now: Record<string, Usage> = before;
  const peaks: Record<string, number> = {};
  const byGroup: Record<string, number> = {};
  let [looks, most] = [0, 0];
  const lookAtMachine = (): void => {
    now = usageOf(pids);
    for (const [name, { memory }] of Object.entries(now)) peaks[name] = Math.max(peaks[name] ?? 0, memory);
  };
  const lookAtBroker = async (): Promise<void> => {
    const behind = await lag.look();
    looks += 1;
    most = Math.max(
      most,
      Object.values(behind).reduce((sum, each) => sum + each, 0),
    );
    for (const [group, each] of Object.entries(behind)) byGroup[group] = Math.max(byGroup[group] ?? 0, each);
  };
  let isOver = false;
  const looking = (async () => {
    for (; !isOver; await pause(1_000)) {
      lookAtMachine();
      await lookAtBroker();
    }
  })();
  // It fails with the broker; told when it is ended.
  looking.catch(() => undefined);
  return async (orders: number): Promise<Pick<Report, 'lag' | 'processes'>> => {
    isOver = true;
    lookAtMachine();
    await looking;
    const processes = Object.keys(pids).map((name) => {
      const used = now[name]!.cpuMs - before[name]!.cpuMs;
      return [name, { cpuMsPerOrder: used / orders, peakMemoryMb: peaks[name]! / 1_048_576 }] as const;
    });
    return { lag: { looks, most, byGroup }, processes: Object.fromEntries(processes) };
  };
};

/** What customers see, by order; only what was changed after somebody watched is timed. */
const openEyes = () => {
  const askedAt = new Map<string, number>();
  const firstConfirmed = new Map<string, number>();
  const statuses = new Map<string, Sight['status']>();
  const pushed: number[] = [];
  return {
    asked: (id: string, at: number): void => void askedAt.set(id, at),
    see: ({ id, status, updatedAt }: Sight, watchedSince: number): void => {
      const now = Date.now();
      const changedAt = Date.parse(updatedAt);
      if (changedAt >= watchedSince) pushed.push(now - changedAt);
      statuses.set(id, status);
      if (!firstConfirmed.has(id) && !notConfirmed.has(status)) firstConfirmed.set(id, now);
    },
    confirmedCount: (): number => firstConfirmed.size,
    result: () => ({
      pushed,
      statuses: Object.fromEntries(
        [...Map.groupBy(statuses.values(), (status) => status)].map(([status, all]) => [status, all.length]),
      ),
      confirmed: [...askedAt].flatMap(([id, at]) => {
        const seen = firstConfirmed.get(id);
        return seen === undefined ? [] : [seen - at];
      }),
    }),
  };
};

const sentence = (what: string, error: unknown): string =>
  `${what}: ${error instanceof Error ? error.message : String(error)}`;

/** Not counted: the first orders of a process cost a multiple of the later ones, and what it learns at its start as well. */
const warmUp = async (
  shop: Shop,
  wanted: Wanted,
  customers: readonly Customer[],
  unended: OpenOrders,
): Promise<void> => {
  const since = new Date();
  const orders = Math.min(100, wanted.orders);
  const arrivals = plan({ ...wanted, orders, seed: wanted.seed + 1 }, await goodsOf(shop));
  const turns = new Map<number, Promise<unknown>>();
  for (const arrival of arrivals) {
    const customer = customers[arrival.customer]!;
    const buy = async (): Promise<void> => {
      const { id } = await order(customer, arrival);
      void watchOrder(customer, id, () => undefined).catch(() => undefined);
    };
    turns.set(arrival.customer, (turns.get(arrival.customer) ?? Promise.resolve()).then(buy));
    await pause(100, undefined, { signal: wanted.signal });
  }
  await Promise.all(turns.values());
  for (
    const end = Date.now() + 90_000;
    Date.now() < end;
    await pause(500, undefined, { signal: wanted.signal })
  )
    if ((await unended.since(since)) === 0) break;
  // What a shop learns from its sales when it starts takes a few seconds, once.
  await pause(15_000, undefined, { signal: wanted.signal });
  wanted.say(`${orders} orders to warm up are at their end`);
};

export const benchOrders = async (shop: Shop, wanted: Wanted): Promise<Report> => {
  const { orders, watch, say, signal } = wanted;
  const arrivals = plan(wanted, await goodsOf(shop));
  const customers = await signUp(shop, wanted);
  const eyes = openEyes();
  const failures: string[] = [];
  let isOver = false;
  const watched = (work: Promise<void>): void =>
    void work.then(
      () => isOver || failures.push('a subscription ended by itself'),
      (error: unknown) => isOver || failures.push(sentence('a subscription broke', error)),
    );
  const lag = await watchLag(shop.kafkaBrokers, Object.keys(shop.databases));
  const unended = await openOrders(shop);
  try {
    if (watch === 'customer') {
      const since = Date.now();
      for (const customer of customers) watched(watchOwn(customer, (sight) => eyes.see(sight, since)));
      await pause(1_000);
    }
    say(`${customers.length} customers are signed in`);
    await warmUp(shop, wanted, customers, unended);

    const loadBefore = loadavg()[0]!;
    const ended = observe(shop, lag);
    const began = performance.now();
    const since = new Date();
    const late: number[] = [];
    const checkout: number[] = [];
    const buy = async (arrival: Arrival): Promise<void> => {
      const customer = customers[arrival.customer]!;
      late.push(performance.now() - began - arrival.atMs);
      const { id, askedAt, tookMs } = await order(customer, arrival);
      checkout.push(tookMs);
      eyes.asked(id, askedAt);
      if (watch === 'order') {
        const from = Date.now();
        watched(watchOrder(customer, id, (sight) => eyes.see(sight, from)));
      }
    };
    const progress = setInterval(
      () =>
        say(
          `${late.length} of ${orders} begun, ${checkout.length} placed, ${eyes.confirmedCount()} confirmed`,
        ),
      5_000,
    );
    try {
      // A customer's next purchase waits for the one before, as there is one cart; everybody else comes as planned.
      const turns = new Map<number, Promise<void>>();
      for (const arrival of arrivals) {
        const wait = arrival.atMs - (performance.now() - began);
        if (wait > 0) await pause(wait, undefined, { signal });
        const turn = (turns.get(arrival.customer) ?? Promise.resolve())
          .then(() => buy(arrival))
          .catch((error: unknown) => void failures.push(sentence('an order', error)));
        turns.set(arrival.customer, turn);
      }
      await Promise.all(turns.values());
      const placedAfterMs = performance.now() - began;

      let open = orders;
      for (const end = Date.now() + wanted.patience * 1_000; Date.now() < end; await pause(250)) {
        signal.throwIfAborted();
        open = await unended.since(since);
        if (open === 0) break;
      }
      const endedAfterMs = performance.now() - began;
      const cost = await ended(orders);
      // What is on its way to those who watch.
      await pause(500);
      const loadAfter = loadavg()[0]!;
      const { pushed, confirmed, statuses } = eyes.result();
      return {
        conditions: {
          startedAt: wanted.startedAt.toISOString(),
          orders,
          customers: wanted.customers,
          rate: wanted.rate,
          seed: wanted.seed,
          watch,
          carrierDayMs: wanted.carrierDayMs,
          cores: availableParallelism(),
          processor: cpus()[0]?.model ?? 'unknown',
          node: process.versions.node,
          loadAverage: [loadBefore, loadAfter],
        },
        placedAfterMs: Math.round(placedAfterMs),
        endedAfterMs: Math.round(endedAfterMs),
        statuses,
        unconfirmed: orders - confirmed.length,
        failures: [...(open > 0 ? [`${open} orders have not come to an end`] : []), ...failures],
        late: spreadOf(late),
        checkout: spreadOf(checkout),
        confirmed: spreadOf(confirmed),
        pushed: spreadOf(pushed),
        ...cost,
        violations: await violationsOf(shop),
      };
    } finally {
      clearInterval(progress);
    }
  } finally {
    isOver = true;
    await Promise.all(customers.map(({ client }) => client.close()));
    await Promise.all([lag.close(), unended.close()]);
  }
};
