// A shop of its own for tests that break it: its processes can be killed at the moment an order comes to a step, and what
// is left of it looked at.
import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';
import { databaseUrl } from '../../ops/stack/migrate.ts';
import { removeData } from '../../ops/stack/place.ts';
import type { Running } from '../../ops/stack/processes.ts';
import { type Product, startProduct, subgraphNames } from '../../ops/stack/product.ts';
import { isSettled } from '../invariants/orders.ts';
import { checkInvariants, type Violation } from '../invariants.ts';
import { type Charge, readBook } from '../provider-book.ts';

/** Told by the database itself, in the moment in which the step is committed. */
const tellSteps = `
  create or replace function tell_step() returns trigger language plpgsql as $$ begin
    if tg_op = 'INSERT' or new.step <> old.step then perform pg_notify('step', new.step || ' ' || new.order_id); end if;
    return null;
  end $$;
  create or replace trigger tell_step after insert or update on saga for each row execute function tell_step();
  listen step`;

export type Stage = {
  readonly gatewayUrl: string;
  /** of the three accounts to try */
  readonly password: string;
  readonly names: readonly string[];
  readonly pidOf: (name: string) => number;
  /** SIGKILL; resolves when it is gone */
  readonly kill: (name: string) => Promise<void>;
  /** SIGTERM; resolves when it has ended */
  readonly stop: (name: string) => Promise<void>;
  /** Resolves when it is ready. */
  readonly start: (name: string) => Promise<void>;
  /** Kills as soon as any order comes to the step. @returns the order */
  readonly killAt: (step: string, name: string) => Promise<string>;
  readonly rows: <Row extends object>(subgraph: string, sql: string, values?: unknown[]) => Promise<Row[]>;
  /** Resolves when these orders wait for nobody any more. @throws naming those that still do after 30 seconds */
  readonly settled: (orders: readonly string[]) => Promise<void>;
  /** What is wrong with the shop in the middle of things. */
  readonly violationsNow: () => Promise<Violation[]>;
  /** What is wrong with the shop once it has come to rest. */
  readonly violations: () => Promise<Violation[]>;
  readonly book: () => Promise<Charge[]>;
  /** The provider's back door. */
  readonly control: (path: string, body: object) => Promise<void>;
  /** The carrier's. */
  readonly controlCarrier: (path: string, body: object) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** milliseconds in which everything has come to an end after the last process is back */
const patience = 30_000;

/** Everything of this stage bears its name, so that others may share the services. */
const ownPlace = (databaseUrlOfServer: string) => {
  const mark = `crash_${randomUUID().slice(0, 8)}`;
  const databases = subgraphNames().map((name) => `${mark}_${name.replaceAll('-', '_')}`);
  return {
    databases,
    env: {
      ...Object.fromEntries(
        subgraphNames().map((name, index) => [
          `${name.toUpperCase().replaceAll('-', '_')}_DATABASE_URL`,
          databaseUrl(databaseUrlOfServer, databases[index]!),
        ]),
      ),
      KAFKA_PREFIX: `${mark}.`,
      REDIS_PREFIX: `${mark}:`,
      // A worker that was killed is given up for dead after twice this and two seconds.
      PAYMENT_TIMEOUT_MS: '1000',
      CARRIER_TIMEOUT_MS: '1000',
      // Two of these until a parcel is there.
      CARRIER_DAY_MS: '400',
      LOG_LEVEL: 'warn',
    },
  };
};

/** Databases, data folder and prefixes that outlive the processes: the shop may come up on them again. */
export const openStage = async () => {
  const services = inject('services');
  const place = ownPlace(services.databaseUrl);
  const dir = await mkdtemp(join(tmpdir(), 'orderstream-crash-'));
  return {
    raise: async ({ split }: { readonly split: boolean }): Promise<Stage> =>
      stageOf(
        await startProduct({
          dir,
          services: { ...services, list: [], stop: async () => undefined },
          env: { ...process.env, ...place.env },
          port: null,
          split,
          durable: false,
          report: () => undefined,
        }),
      ),
    close: async (): Promise<void> => {
      const server = new pg.Client(services.databaseUrl);
      await server.connect();
      for (const name of place.databases) await server.query(`drop database if exists ${name} with (force)`);
      await server.end();
      removeData(dir);
    },
  };
};

const stageOf = async (product: Product): Promise<Stage> => {
  const running = new Map<string, Running>(product.processes.map(({ name, running: own }) => [name, own]));
  const names = [...running.keys()];
  const urlOf = (process: string): string => product.processes.find(({ name }) => name === process)!.url;
  const simulator = urlOf('payments-simulator');
  const clients = new Map(
    await Promise.all(
      Object.entries(product.databases).map(async ([name, url]) => {
        const client = new pg.Client(url);
        await client.connect();
        return [name, client] as const;
      }),
    ),
  );
  const rows: Stage['rows'] = async <Row extends object>(subgraph: string, sql: string, values?: unknown[]) =>
    (await clients.get(subgraph)!.query<Row>(sql, values)).rows;
  await rows('orders', tellSteps);

  const kill = async (name: string): Promise<void> => {
    running.get(name)!.kill('SIGKILL');
    await running.get(name)!.exited;
  };
  const control = async (url: string, path: string, body: object): Promise<void> => {
    const response = await fetch(`${url}/control/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${product.secrets.CONTROL_TOKEN}`,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    });
    if (!response.ok) throw new Error(`${url} refused ${path}: ${await response.text()}`);
  };
  const book = (): Promise<Charge[]> => readBook(simulator, product.secrets.CONTROL_TOKEN);

  return {
    gatewayUrl: product.gatewayUrl,
    password: product.secrets.DEMO_PASSWORD,
    names,
    pidOf: (name) => running.get(name)!.pid,
    kill,
    stop: (name) => running.get(name)!.stop(),
    start: async (name) => {
      running.set(name, await product.restart(name));
    },
    killAt: (step, name) =>
      new Promise((resolve, reject) => {
        const told = ({ payload = '' }: pg.Notification) => {
          const [at, order] = payload.split(' ');
          if (at !== step) return;
          clients.get('orders')!.off('notification', told);
          kill(name).then(() => resolve(order!), reject);
        };
        clients.get('orders')!.on('notification', told);
      }),
    rows,
    settled: async (orders) => {
      for (const end = Date.now() + patience; ; await pause(50)) {
        const open = await rows<{ order: string }>(
          'orders',
          `select order_id || ' ' || step as order from saga where order_id = any($1) and not ${isSettled}`,
          [orders],
        );
        if (open.length === 0) return;
        if (Date.now() > end)
          throw new Error(`not at an end after ${patience} ms: ${open.map(({ order }) => order).join(', ')}`);
      }
    },
    violationsNow: async () => checkInvariants(product.databases, await book(), 'always'),
    violations: async () => {
      // The last answers and the provider's last news are still on their way when the last order has ended.
      for (const end = Date.now() + patience / 2; ; await pause(200)) {
        const found = await checkInvariants(product.databases, await book());
        if (found.length === 0 || Date.now() > end) return found;
      }
    },
    book,
    control: (path, body) => control(simulator, path, body),
    controlCarrier: (path, body) => control(urlOf('carrier-simulator'), path, body),
    close: async () => {
      await product.stop();
      await Promise.all([...clients.values()].map((client) => client.end()));
    },
  };
};
