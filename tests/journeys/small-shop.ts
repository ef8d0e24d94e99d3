// The shop within the test's own process, on databases of its own: where statements and calls can be counted.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalog } from '@orderstream/catalog';
import { fraud } from '@orderstream/fraud';
import { inventory } from '@orderstream/inventory';
import { notifications } from '@orderstream/notifications';
import { orders } from '@orderstream/orders';
import { payments } from '@orderstream/payments';
import { host } from '@orderstream/runtime/host/host';
import type { Subgraph } from '@orderstream/runtime/subgraph';
import { shipping } from '@orderstream/shipping';
import { users } from '@orderstream/users';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { openGateway } from '../../gateway/src/shop/gateway.ts';
import { seedShop } from '../../ops/seed/seed.ts';
import { startSimulator as startCarrier } from '../../ops/simulators/carrier/simulator.ts';
import { startSimulator } from '../../ops/simulators/payments/simulator.ts';
import { testDatabase } from '../../ops/stack/migrate.ts';

const { databaseUrl, redisUrl, kafkaBrokers } = inject('services');
const subgraphs = [catalog, fraud, inventory, notifications, orders, payments, shipping, users];
const prefix = 'small-shop-';

/** of the people who come with the shop */
export const staffPassword = 'only for this shop';

/** Where nobody listens; taken soon after. */
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** It answers, and does nothing of its own accord. */
const atRest = (subgraph: Subgraph): Subgraph => ({
  ...subgraph,
  open: async (platform) => ({ ...(await subgraph.open(platform)), handlers: [], jobs: [] }),
});

/** Calls to subgraphs by name, and statements by database, while something is done. */
export type Tally = { readonly calls: Record<string, number>; readonly statements: Record<string, number> };

export const openSmallShop = async () => {
  const dir = await mkdtemp(join(tmpdir(), 'orderstream-small-shop-'));
  const apiKey = `sk_test_${'s'.repeat(32)}`;
  const carrierKey = 'c'.repeat(32);
  const [carrier, simulator, ...databases] = await Promise.all([
    // Its day is a day: it gives labels, and takes no parcel while the test lasts.
    startCarrier({
      host: '127.0.0.1',
      port: 0,
      dataFile: join(dir, 'carrier.sqlite'),
      durable: false,
      apiKey: carrierKey,
      controlToken: null,
      webhook: null,
      dayMs: 86_400_000,
    }),
    startSimulator({
      host: '127.0.0.1',
      port: 0,
      dataFile: join(dir, 'payments.sqlite'),
      durable: false,
      apiKey,
      controlToken: null,
      webhook: null,
    }),
    ...subgraphs.map(async ({ name }) => ({
      name,
      ...(await testDatabase({ serverUrl: databaseUrl, subgraph: name })),
    })),
  ]);
  await seedShop({
    databases: Object.fromEntries(databases.map(({ name, url }) => [name, url])),
    password: staffPassword,
    env: {},
  });

  // Last of all, so that none of the others takes it.
  const port = await freePort();
  const env = {
    ...Object.fromEntries(databases.map(({ name, url }) => [`${name.toUpperCase()}_DATABASE_URL`, url])),
    PORT: String(port),
    ORDERS_URL: `http://127.0.0.1:${port}`,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: prefix,
    KAFKA_BROKERS: kafkaBrokers.join(','),
    KAFKA_PREFIX: prefix,
    ACCESS_TOKEN_KEY: inject('product').secrets.accessTokenKey,
    STRIPE_API_KEY: apiKey,
    STRIPE_API_URL: simulator.url,
    CARRIER_API_KEY: carrierKey,
    CARRIER_API_URL: carrier.url,
    LOG_LEVEL: 'silent',
  };
  let hosted = await host(subgraphs, env);
  // Nobody tells it of changes, so it keeps nothing, and makes each call that is needed.
  const gateway = await openGateway({ ...env, PORT: '0', SUBGRAPHS_URL: hosted.url, KAFKA_BROKERS: '' });
  const redis = new Redis(redisUrl);

  /** From now on every statement belongs to a request: no job looks for work and no message is heard. */
  const rest = async (): Promise<void> => {
    await hosted.stop();
    hosted = await host(subgraphs.map(atRest), env);
  };

  /** Nothing is in the cache. */
  const forget = async (): Promise<void> => {
    const keys = await redis.keys(`${prefix}*`);
    if (keys.length > 0) await redis.del(keys);
  };

  const statementsSoFar = (): Record<string, number> =>
    Object.fromEntries([...hosted.databases].map(([name, database]) => [name, database.statements()]));

  /** By the gateway's own count, which knows of a call when it is answered. */
  const callsSoFar = (): Record<string, number> => {
    const calls: Record<string, number> = {};
    const told = /^gateway_subgraph_calls_total\{subgraph="(\w+)",outcome="\w+"\} (\d+)$/gm;
    for (const [, name, count] of gateway.counted().matchAll(told))
      calls[name!] = (calls[name!] ?? 0) + Number(count);
    return calls;
  };

  const since = (before: Record<string, number>, after: Record<string, number>): Record<string, number> =>
    Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]));

  const counted = async (work: () => Promise<unknown>): Promise<Tally> => {
    const [before, asked] = [statementsSoFar(), callsSoFar()];
    await work();
    const made = Object.entries(since(asked, callsSoFar())).filter(([, count]) => count > 0);
    return { calls: Object.fromEntries(made), statements: since(before, statementsSoFar()) };
  };

  return {
    url: `${gateway.url}/graphql`,
    rest,
    forget,
    counted,
    close: async () => {
      await gateway.stop();
      await hosted.stop();
      await Promise.all([simulator.close(), carrier.close()]);
      redis.disconnect();
      await Promise.all(databases.map((database) => database.drop()));
      await rm(dir, { recursive: true });
    },
  };
};
