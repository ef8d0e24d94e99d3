// Our own processes on top of the three services: databases, demo data, simulators, subgraphs, gateway. `npm start` and
// the journeys of the tests start the very same thing.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { gatewayFlags } from '../gateway/flags.ts';
import { seedHistory, seedShop } from '../seed/seed.ts';
import { databaseOf, migrate } from './migrate.ts';
import { type Running, startProcess } from './processes.ts';
import { openSecrets, type Secrets } from './secrets.ts';
import type { Services } from './services.ts';

export const root = resolve(import.meta.dirname, '../..');

type Started = {
  readonly name: string;
  readonly url: string;
  readonly running: Running;
  readonly tookMs: number;
};

export type Product = {
  readonly gatewayUrl: string;
  readonly processes: readonly Started[];
  readonly secrets: Secrets;
  readonly databases: Readonly<Record<string, string>>;
  /** until the sales of the past are in; rejected where the shop is stopped before */
  readonly history: Promise<void>;
  /** Starts one of the processes again, for tests that killed it. */
  readonly restart: (name: string) => Promise<Running>;
  readonly stop: () => Promise<void>;
};

export type ProductOptions = {
  /** the data folder, absolute */
  readonly dir: string;
  readonly services: Services;
  readonly env: NodeJS.ProcessEnv;
  /** of the gateway; null for any free one */
  readonly port: number | null;
  /** one process for each subgraph instead of one for all */
  readonly split: boolean;
  /** False for tests: nothing has to survive a power cut. */
  readonly durable: boolean;
  /** Whether the shop has its sales of the past; they come in while it is open already. */
  readonly history?: boolean;
  readonly report: (step: string, tookMs: number) => void;
};

/** What an endpoint at the provider is to be subscribed to: the events that say something to the shop. */
const providerEvents = [
  'payment_intent.amount_capturable_updated',
  'payment_intent.succeeded',
  'payment_intent.canceled',
  'payment_intent.payment_failed',
  'charge.refunded',
  'refund.created',
  'refund.updated',
  'refund.failed',
] as const;

/** Folders of subgraphs/ are the list of subgraphs. */
export const subgraphNames = (): string[] =>
  readdirSync(join(root, 'subgraphs'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

/** Nobody listens there at the moment; taken soon after. */
const freePort = (): Promise<number> =>
  new Promise((done, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });

const timed = async <T>(report: ProductOptions['report'], step: string, work: Promise<T>): Promise<T> => {
  const began = performance.now();
  const result = await work;
  report(step, Math.round(performance.now() - began));
  return result;
};

export const startProduct = async (options: ProductOptions): Promise<Product> => {
  const { dir, services, env, report } = options;
  const secrets = openSecrets(dir, env);
  const names = subgraphNames();
  const places = names.map((name) => ({ name, ...databaseOf(name, services.databaseUrl, env) }));
  const databases = Object.fromEntries(places.map(({ name, url }) => [name, url]));

  await timed(
    report,
    'databases',
    Promise.all(
      places.map(({ name, serverUrl, database }) => migrate({ serverUrl, subgraph: name, database })),
    ),
  );
  const shop = { databases, password: secrets.DEMO_PASSWORD, env };
  await timed(report, 'demo shop', seedShop(shop));

  const groups = options.split ? names.map((name) => [name]) : [names];
  const [paymentsPort, carrierPort, gatewayPort, ...hostPorts] = await Promise.all([
    freePort(),
    freePort(),
    options.port ?? freePort(),
    ...groups.map(freePort),
  ]);
  const urlOf = (port: number): string => `http://127.0.0.1:${port}`;
  const hosts = groups.map((group, index) => ({
    name: options.split ? group[0]! : 'subgraphs',
    group,
    port: hostPorts[index]!,
  }));
  const portOf = (subgraph: string): number => hosts.find(({ group }) => group.includes(subgraph))!.port;

  const subgraphUrls = Object.fromEntries(
    names.map((name) => [`${name.toUpperCase().replaceAll('-', '_')}_URL`, urlOf(portOf(name))]),
  );

  const common: NodeJS.ProcessEnv = {
    ...env,
    ...secrets,
    HOST: '127.0.0.1',
    DATABASE_URL: services.databaseUrl,
    REDIS_URL: services.redisUrl,
    KAFKA_BROKERS: services.kafkaBrokers.join(','),
    STRIPE_API_URL: env.STRIPE_API_URL || urlOf(paymentsPort),
    CARRIER_API_URL: env.CARRIER_API_URL || urlOf(carrierPort),
    ...subgraphUrls,
    APOLLO_TELEMETRY_DISABLED: '1',
    // Everybody on a laptop registers from one address.
    REGISTRATIONS_PER_HOUR: env.REGISTRATIONS_PER_HOUR || '100000',
  };
  const withoutSignIns = { ...common };
  delete withoutSignIns.DEMO_PASSWORD;

  // kafkajs makes Node warn of a negative time-out at each connection; harmless, and of no use to a reader of logs.
  const node = ['--disable-warning=TimeoutNegativeWarning'];
  const one = (
    name: string,
    file: string,
    args: string[],
    port: number,
    ready: string,
    own: NodeJS.ProcessEnv,
    flags: readonly string[] = [],
  ) => ({
    name,
    url: urlOf(port),
    start: () =>
      startProcess({
        name,
        args: [...node, ...flags, join(root, file), ...args],
        env: { ...withoutSignIns, PORT: String(port), ...own },
        readyUrl: `${urlOf(port)}${ready}`,
        logFile: join(dir, 'logs', `${name}.log`),
        timeoutMs: 60_000,
        cwd: root,
      }),
  });
  mkdirSync(join(dir, 'simulators'), { recursive: true, mode: 0o700 });
  const plan = [
    ...(env.STRIPE_API_URL
      ? []
      : [
          one('payments-simulator', 'ops/simulators/payments/main.ts', [], paymentsPort, '/health', {
            DATA_FILE: join(dir, 'simulators', 'payments.sqlite'),
            WEBHOOK_URL: `${urlOf(portOf('payments'))}/payments/webhooks/stripe`,
            WEBHOOK_SECRET: secrets.STRIPE_WEBHOOK_SECRET.split(',')[0],
            WEBHOOK_EVENTS: providerEvents.join(),
            DURABLE: options.durable ? '1' : '0',
          }),
        ]),
    ...(env.CARRIER_API_URL
      ? []
      : [
          one('carrier-simulator', 'ops/simulators/carrier/main.ts', [], carrierPort, '/health', {
            DATA_FILE: join(dir, 'simulators', 'carrier.sqlite'),
            WEBHOOK_URL: `${urlOf(portOf('shipping'))}/shipping/webhooks/carrier`,
            DAY_MS: env.CARRIER_DAY_MS,
            DURABLE: options.durable ? '1' : '0',
          }),
        ]),
    ...hosts.map(({ name, group, port }) => one(name, 'subgraphs/main.ts', group, port, '/health/ready', {})),
    one('gateway', 'gateway/src/main.ts', [], gatewayPort, '/health', {}, gatewayFlags),
  ];

  const running = new Map<string, Running>();
  const start = async (name: string): Promise<Running> => {
    const process = await plan.find((each) => each.name === name)!.start();
    running.set(name, process);
    return process;
  };
  const stop = async (): Promise<void> => {
    rmSync(join(dir, 'stack.json'), { force: true });
    // The gateway first, so that nothing new comes in; the simulators last, so that they hear what is still to be said.
    await running.get('gateway')?.stop();
    await Promise.all(hosts.map(({ name }) => running.get(name)?.stop()));
    await Promise.all(['payments-simulator', 'carrier-simulator'].map((name) => running.get(name)?.stop()));
  };

  try {
    const processes = await Promise.all(
      plan.map(async ({ name, url }): Promise<Started> => {
        const began = performance.now();
        const process = await start(name);
        const tookMs = Math.round(performance.now() - began);
        report(name, tookMs);
        return { name, url, running: process, tookMs };
      }),
    );
    const product: Product = {
      gatewayUrl: urlOf(gatewayPort),
      processes,
      secrets,
      databases,
      history: options.history ? timed(report, 'history', seedHistory(shop)) : Promise.resolve(),
      restart: start,
      stop,
    };
    writeStackFile(dir, services, product);
    return product;
  } catch (error) {
    await stop();
    throw error;
  }
};

/** Tells tools what runs where. Holds the database's password, so it is readable for its owner only. */
const writeStackFile = (
  dir: string,
  services: Services,
  { gatewayUrl, processes, databases, secrets }: Product,
): void =>
  writeFileSync(
    join(dir, 'stack.json'),
    JSON.stringify(
      {
        gateway: {
          graphql: `${gatewayUrl}/graphql`,
          subscriptions: `${gatewayUrl.replace('http', 'ws')}/graphql`,
          explorer: `${gatewayUrl}/explore`,
        },
        services: {
          databaseUrl: services.databaseUrl,
          redisUrl: services.redisUrl,
          kafkaBrokers: services.kafkaBrokers,
          list: services.list,
        },
        databases,
        processes: processes.map(({ name, url, running }) => ({ name, pid: running.pid, url })),
        signIns: { password: secrets.DEMO_PASSWORD },
      },
      null,
      2,
    ),
    { mode: 0o600 },
  );
