// The gateway's one file: what stands in it, and what holds where nothing stands. Everything that opens a door is shut
// unless the file says otherwise.
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import type { Introspection } from '../auth/introspection.ts';
import { auth, limits, persisted, rates, shedding } from './door-settings.ts';
import { headers, subgraphs } from './subgraph-settings.ts';
import {
  count,
  countOrNone,
  flag,
  headerName,
  httpPath,
  isEachOnce,
  part,
  section,
  share,
  size,
  text,
  time,
  webAddress,
} from './values.ts';

const wrongPort = 'needs a port, 0 to 65535';
const portNumber = z.int({ error: wrongPort }).min(0, { error: wrongPort }).max(65_535, { error: wrongPort });

const listen = section({
  host: text.default('127.0.0.1'),
  port: portNumber.default(4_000),
  /** a socket of this machine instead of host and port */
  unix: text.optional(),
  path: httpPath.default('/graphql'),
  /** processes that serve at the port */
  workers: z
    .union([z.literal('cores'), count], { error: 'needs a number, or cores' })
    .default(1)
    .transform((value) => (value === 'cores' ? availableParallelism() : value)),
  /** whether the last entry of X-Forwarded-For comes from a proxy of our own */
  trustsProxy: flag.default(false),
});

const supergraph = section({
  file: text.optional(),
  watch: flag.default(true),
  planner: z.enum(['rust', 'apollo'], { error: 'needs rust or apollo' }).default('rust'),
});

const origin = z
  .string({ error: 'needs an origin such as https://shop.example, or *' })
  .refine((value) => value === '*' || (URL.canParse(value) && new URL(value).origin === value), {
    error: 'needs an origin such as https://shop.example, without a path, or *',
  });

const cors = section({
  origins: z.array(origin, { error: 'needs a list of origins' }).default([]),
  credentials: flag.default(false),
  headers: z
    .array(headerName, { error: 'needs a list of headers' })
    .default(['authorization', 'content-type', 'x-api-key']),
  exposes: z.array(headerName, { error: 'needs a list of headers' }).default([]),
  maxAge: time.default(600_000),
}).refine(({ origins, credentials }) => !(credentials && origins.includes('*')), {
  error: 'has credentials for every origin (*): name the origins',
});

const whoMayLook = 'needs nobody, signedIn, everybody or scope:NAME';

const introspection = z
  .string({ error: whoMayLook })
  .regex(/^(nobody|signedIn|everybody|scope:\S+)$/, { error: whoMayLook })
  .default('nobody')
  .transform((value): Introspection => {
    if (value.startsWith('scope:')) return { for: 'scope', scope: value.slice('scope:'.length) };
    return { for: value as 'nobody' | 'signedIn' | 'everybody' };
  });

/** A part of the supergraph, chosen by its tags, at a path of its own. */
const contract = part({
  name: text,
  path: httpPath,
  include: z.array(text, { error: 'needs a list of tags' }).default([]),
  exclude: z.array(text, { error: 'needs a list of tags' }).default([]),
  introspection,
}).refine(({ include, exclude }) => include.length + exclude.length > 0, {
  error: 'has everything in it: name the tags to include, or to exclude',
});

const contracts = z
  .array(contract, { error: 'needs a list of contracts' })
  .default([])
  .refine((all) => isEachOnce(all, ({ name }) => name), { error: 'has a name twice' })
  .refine((all) => isEachOnce(all, ({ path }) => path), { error: 'has a path twice' });

const telemetry = section({
  metrics: section({
    enabled: flag.default(true),
    path: httpPath.default('/metrics'),
    /** served there, and not beside the API */
    port: portNumber.optional(),
  }),
  accessLog: section({ enabled: flag.default(true), sample: share.default(1) }),
  tracing: section({
    /** where spans are sent; nothing is sent without it */
    endpoint: webAddress.optional(),
    sample: share.default(0.01),
    /** whether a trace that a client began goes on */
    trustsClients: flag.default(false),
    /** in which answers name their trace; none without it */
    traceHeader: headerName.optional(),
  }),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'], {
      error: 'needs fatal, error, warn, info, debug or silent',
    })
    .default('info'),
});

const subscriptions = section({
  enabled: flag.default(true),
  perUser: count.default(100),
  perSocket: count.default(50),
  perAddress: count.default(1_000),
  perNode: count.default(20_000),
  socketsPerAddress: count.default(100),
  /** bytes that wait for one client */
  waiting: size.default(1_048_576),
  largestMessage: size.default(102_400),
  initTimeout: time.default(3_000),
  keepAlive: time.default(12_000),
  /** over which clients come back after a goodbye */
  resumeWithin: time.default(10_000),
  perUpstreamSocket: countOrNone.default(500),
});

const cache = section({
  /** bytes of operations that are planned and compiled */
  operations: size.default(67_108_864),
  /** whether equal queries and calls of people who are not known, under way at the same time, are made once */
  sharing: flag.default(true),
  entities: section({ enabled: flag.default(false), longest: time.default(300_000) }),
  /** whether answers by GET say how long they may be kept; no change is told to those who keep them */
  http: section({ enabled: flag.default(true), longest: time.default(300_000) }),
});

const compression = section({
  enabled: flag.default(true),
  /** bytes; shorter answers go as they are */
  atLeast: size.default(1_024),
});

const redis = part({
  url: z.url({ protocol: /^rediss?$/, error: 'needs an address that begins with redis:// or rediss://' }),
  /** apart from the address, where it would have to be escaped */
  password: text.optional(),
  prefix: z.string({ error: 'needs text' }).default('gateway:'),
});

export const configuration = z
  .strictObject({
    listen,
    supergraph,
    subgraphs,
    headers,
    auth,
    limits,
    persisted,
    rates,
    shedding,
    redis: redis.optional(),
    cors,
    introspection,
    contracts,
    /** scope of those who are told costs, calls and plans; nobody without it */
    developers: section({ scope: text.optional() }),
    telemetry,
    subscriptions,
    cache,
    compression,
  })
  .refine(({ contracts: all, listen: { path } }) => all.every((one) => one.path !== path), {
    path: ['contracts'],
    error: 'has the path at which everything is served',
  })
  .refine(({ cache, redis: found }) => !cache.entities.enabled || found !== undefined, {
    path: ['cache', 'entities'],
    error: 'are kept in Redis: say where by redis.url',
  });

export type GatewayConfiguration = z.infer<typeof configuration>;
