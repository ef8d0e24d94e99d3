// What the shop's gateway reads from the environment, and the configuration that comes of it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigError, platformSettings, port, readSettings } from '@orderstream/runtime/config';
import { z } from 'zod';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import { readConfiguration } from '../configuration/reading.ts';
import { ourIssuer } from './access-tokens.ts';

/** Pages that may call a gateway on a laptop: the web's own server, and Apollo Sandbox. */
const originsOnLaptops =
  'http://localhost:5173,http://127.0.0.1:5173,http://localhost:4173,http://127.0.0.1:4173,https://studio.apollographql.com';

const shape = platformSettings
  .pick({
    NODE_ENV: true,
    HOST: true,
    GATEWAY_SECRET: true,
    TENANT_ID: true,
    LOG_LEVEL: true,
    REDIS_URL: true,
    REDIS_PREFIX: true,
    KAFKA_PREFIX: true,
  })
  .extend({
    PORT: port.default(4000),
    /** Where the subgraphs are hosted, each at /<name>/graphql. `<NAME>_URL` moves one of them elsewhere. */
    SUBGRAPHS_URL: z.url().default('http://127.0.0.1:4100'),
    /** Where the keys of access tokens are published; by default the users subgraph's. */
    JWKS_URL: z.url().optional(),
    /** Origins of web pages that may call, separated by commas. */
    ALLOWED_ORIGINS: z.string().optional(),
    /** Where changes of goods are told. The gateway keeps nothing of them without it. */
    KAFKA_BROKERS: z
      .string()
      .transform((text) => text.split(',').map((broker) => broker.trim()))
      .optional(),
    /** A file of the gateway's own settings; what stands there goes before what the shop says. */
    GATEWAY_CONFIG: z.string().optional(),
    /** Where metrics are served instead of beside the API; in production they are served nowhere else. */
    METRICS_PORT: port.optional(),
    /** `stock`: @apollo/gateway's own executor answers, to compare ours with. */
    EXECUTOR: z.enum(['own', 'stock']).default('own'),
    /** 1: the last entry of X-Forwarded-For and the trace come from a proxy of our own. */
    TRUST_PROXY: z
      .enum(['0', '1'])
      .default('0')
      .transform((value) => value === '1'),
  });

export type Settings = {
  readonly configuration: GatewayConfiguration;
  readonly isProduction: boolean;
  readonly secret: string;
  readonly tenantId: string;
  readonly executor: 'own' | 'stock';
  /** null: nobody tells what changes */
  readonly kafka: { readonly brokers: readonly string[]; readonly prefix: string } | null;
  /** the origin of the process that hosts a subgraph */
  readonly originOf: (subgraph: string) => string;
};

type Values = z.infer<typeof shape>;

/** What shoppers can do without for a moment, before what they would miss, before what is about an order of theirs. */
const givenUp = [
  { name: 'recommendations', fields: ['trending', 'trackActivity'] },
  { name: 'search', fields: ['searchProducts'] },
  { name: 'browsing' },
  {
    name: 'orders',
    fields: [
      ...['cart', 'me', 'order', 'orders', 'payment', 'shipment'],
      ...['setCartLine', 'saveAddress', 'addPaymentMethod', 'checkout', 'cancelOrder', 'refundOrder'],
      ...['login', 'register', 'refreshSession'],
    ],
  },
];

/** The settings that differ from those of a gateway without a shop. */
const ofTheShop = (values: Values): object => {
  const isProduction = values.NODE_ENV === 'production';
  const origins = values.ALLOWED_ORIGINS ?? (isProduction ? '' : originsOnLaptops);
  const perMinute = (by: string, limit: number) => ({ by, counts: 'requests', limit, window: '1m' });
  return {
    listen: { host: values.HOST, port: values.PORT, trustsProxy: values.TRUST_PROXY },
    supergraph: { file: fileURLToPath(new URL('../../supergraph.graphql', import.meta.url)) },
    subgraphs: { all: { largestAnswer: '32MiB' } },
    subscriptions: {
      perNode: 50_000,
      socketsPerAddress: 1_000,
      perSocket: 20,
      perAddress: 2_000,
      perUser: 200,
      largestMessage: '64KiB',
      keepAlive: '15s',
      resumeWithin: '5s',
    },
    limits: {
      // Guessing passwords or carts by the dozen takes a request for each guess, which the throttles count.
      alone: ['login', 'register', 'checkout'],
      // A hundred of anything a page shows, with what belongs to it, and no page in each of a hundred.
      cost: { anonymous: 4_000, signedIn: 10_000 },
    },
    shedding: { classes: givenUp },
    cors: {
      origins: origins
        .split(',')
        .map((origin) => origin.trim())
        .filter((origin) => origin !== ''),
      headers: [
        'authorization',
        'content-type',
        'x-api-key',
        'x-device-id',
        'apollo-require-preflight',
        'x-apollo-operation-name',
      ],
      exposes: ['x-trace-id', 'retry-after'],
    },
    introspection: isProduction ? 'nobody' : 'everybody',
    contracts: [
      {
        name: 'partner',
        path: '/partner/graphql',
        include: ['partner'],
        introspection: isProduction ? 'nobody' : 'everybody',
      },
    ],
    // Load is measured, and tests are run, from one address.
    ...(isProduction && { rates: { rules: [perMinute('address', 3_000), perMinute('user', 1_200)] } }),
    // Goods may be a moment old in the shop window; checkout has prices of its own.
    cache: { entities: { enabled: values.KAFKA_BROKERS !== undefined }, http: { longest: '10s' } },
    redis: { url: values.REDIS_URL, prefix: `${values.REDIS_PREFIX}gateway:` },
    telemetry: {
      logLevel: values.LOG_LEVEL,
      metrics: {
        enabled: !isProduction || values.METRICS_PORT !== undefined,
        ...(values.METRICS_PORT !== undefined && { port: values.METRICS_PORT }),
      },
      accessLog: { enabled: isProduction },
      tracing: { trustsClients: values.TRUST_PROXY, traceHeader: 'x-trace-id' },
    },
  };
};

/** @throws ConfigError */
const fileIn = (path: string | undefined): string => {
  if (path === undefined) return '';
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`GATEWAY_CONFIG: ${(error as Error).message}`]);
  }
};

/** @throws ConfigError naming everything that is wrong */
export const gatewaySettings = (env: NodeJS.ProcessEnv): Settings => {
  const values = readSettings(env, shape);
  const originOf = (subgraph: string): string =>
    new URL(env[`${subgraph.toUpperCase().replaceAll('-', '_')}_URL`] || values.SUBGRAPHS_URL).origin;
  const { GATEWAY_CONFIG: file } = values;
  const read = readConfiguration(fileIn(file), env, file, ofTheShop(values));
  const issuer = ourIssuer(values.JWKS_URL ?? `${originOf('users')}/users/jwks`);
  return {
    // Whoever else signs tokens could make themselves anybody of ours.
    configuration: {
      ...read,
      auth: { ...read.auth, header: 'authorization', scheme: 'Bearer', issuers: [issuer] },
    },
    isProduction: values.NODE_ENV === 'production',
    secret: values.GATEWAY_SECRET,
    tenantId: values.TENANT_ID,
    executor: values.EXECUTOR,
    kafka: values.KAFKA_BROKERS ? { brokers: values.KAFKA_BROKERS, prefix: values.KAFKA_PREFIX } : null,
    originOf,
  };
};
