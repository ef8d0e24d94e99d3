// A gateway put together: its supergraph, its doors, and everything between. What it serves and how is the configuration's
// affair, and what is particular to a place comes with it.
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '@orderstream/runtime/config';
import type { Log } from '@orderstream/runtime/log';
import { connectRedis, openRedis } from '@orderstream/runtime/redis';
import { sleep } from '@orderstream/runtime/time';
import { type Accepts, nobody, openIdentities } from '../auth/identity.ts';
import { createSavings } from '../cache/savings.ts';
import { createCompression } from '../compression/compression.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import { forwardedNames } from '../headers/forwarded.ts';
import { createAutomaticOperations } from '../persisted/automatic.ts';
import { readAgreed } from '../persisted/files.ts';
import { createPartnerDoor } from '../persisted/partner-door.ts';
import type { Partner } from '../persisted/partners.ts';
import { createOperationDoor } from '../persisted/requested.ts';
import { createRates } from '../rate/rates.ts';
import { createLocalWindows, createRedisWindows } from '../rate/windows.ts';
import { createReloading } from '../reload/reloading.ts';
import { watchSupergraph } from '../reload/supergraph-file.ts';
import { openShedding } from '../shed/shedding.ts';
import { watchShedding } from '../shed/shedding-metrics.ts';
import { contentType as metricsType } from '../telemetry/registry.ts';
import { spanSettings } from '../telemetry/spans.ts';
import { openTelemetry } from '../telemetry/telemetry.ts';
import type { Siblings } from '../workers/workers.ts';
import { withAccounts } from './accounts.ts';
import { createAround } from './around.ts';
import { type Asking, asPartner } from './asking.ts';
import { createBudgets } from './budgets.ts';
import { createHttpWithContracts } from './contracts.ts';
import { createCount } from './counting.ts';
import { createDevelopers } from './developers.ts';
import { type Agreed, type Generation, openGeneration } from './generation.ts';
import type { Particulars } from './particulars.ts';
import { openServedSubscriptions } from './subscriptions.ts';

export type Serving = {
  /** `http://host:port`, or `unix:` and the socket's path */
  readonly origin: string;
  /** this process's metrics */
  readonly counted: () => string;
  readonly stop: () => Promise<void>;
};

/** Of no interest to clients, and none of their business. */
const serveMetrics = async (
  text: () => Promise<string>,
  { host, port, path }: { readonly host: string; readonly port: number; readonly path: string },
): Promise<Server> => {
  const server = createServer(async (request, response) => {
    const page = request.url === path ? await text() : null;
    response.writeHead(page === null ? 404 : 200, { 'content-type': metricsType });
    response.end(page ?? '');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
};

type Options = {
  readonly configuration: GatewayConfiguration;
  readonly particulars: Particulars;
  readonly log: Log;
  /** instead of the configuration's file */
  readonly sdl?: string | undefined;
  /** which claims of a token that is sound are good enough */
  readonly accepts?: Accepts;
  /** other processes that serve at the same port */
  readonly siblings: Siblings | null;
};

const agreedWith = (partner: Partner): Agreed[] =>
  [...partner.manifest.values()].map(({ body }) => ({ text: body, identity: asPartner(nobody, partner) }));

/** operations of a partner that are prepared when it is first heard of: who stores a thousand asks for few of them */
const mostPrepared = 200;

/** milliseconds for requests under way when the gateway stops */
const lastAnswers = 10_000;

/** @throws ConfigError */
const supergraphIn = (file: string | undefined): string => {
  if (file === undefined)
    throw new ConfigError(['There is no supergraph: name its file by --supergraph FILE.']);
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError([`The supergraph cannot be read: ${(cause as Error).message}`]);
  }
};

const redisUrl = ({ url, password }: NonNullable<GatewayConfiguration['redis']>): string => {
  const whole = new URL(url);
  if (password !== undefined) whole.password = password;
  return whole.href;
};

/** @throws ConfigError where there is no supergraph to serve */
export const openServing = async (options: Options): Promise<Serving> => {
  const { configuration, particulars, log, accepts, siblings } = options;
  const { listen, supergraph, telemetry, auth, persisted, rates } = configuration;
  const sdl = options.sdl ?? supergraphIn(supergraph.file);
  const { manifest, partners } = await readAgreed(persisted);
  const partnerDoor = createPartnerDoor(partners, particulars.clients);
  const { accessLog, tracing } = telemetry;
  const openedTelemetry = openTelemetry(
    {
      accessLog: accessLog.enabled ? accessLog.sample : null,
      tracing: tracing.sample,
      spans:
        tracing.endpoint === undefined
          ? null
          : spanSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: tracing.endpoint }),
    },
    log,
  );
  const seen = withAccounts(openedTelemetry, partnerDoor);
  const agreed = [
    ...[...manifest.values()].map(({ body }) => ({ text: body, identity: nobody })),
    ...partners.all().flatMap(agreedWith),
  ];
  const redis = configuration.redis ? openRedis(redisUrl(configuration.redis), log) : null;
  if (redis) await connectRedis(redis, log);
  const prefix = configuration.redis?.prefix ?? '';
  const local = createLocalWindows((redis ? rates.localShare : 1) / listen.workers);
  const windows = redis ? createRedisWindows(redis, prefix, local, log) : local;
  const counters = createRates(rates.rules, windows);
  const budgets = createBudgets(rates.rules, counters);
  const { cache } = configuration;
  const savings = createSavings<Asking>({ settings: cache, redis, prefix, metrics: seen.metrics, log });
  const news = savings.store && particulars.hearNews?.(savings.store);
  // A cookie is sent along by pages of others as well, who could try what makes an answer shorter.
  const hasCookies = forwardedNames(configuration).includes('cookie');
  const { enabled: isPacked, atLeast } = configuration.compression;
  const compression = createCompression({ enabled: isPacked && !hasCookies, atLeast });
  const around = { savings, compression, budgets };
  const reloading = await createReloading<Generation>(sdl, {
    open: (text, before) =>
      openGeneration(text, before, agreed, configuration, particulars, seen, log, around),
    onSwap: ({ preparation, upstreams }) => {
      subscriptions
        ?.replace(preparation, upstreams)
        .catch((error: unknown) =>
          log.error({ err: error }, 'subscriptions could not move to the new supergraph'),
        );
    },
    log,
  });
  const file =
    supergraph.watch && supergraph.file !== undefined && options.sdl === undefined
      ? watchSupergraph({
          file: supergraph.file,
          sdl,
          log,
          onText: (text) => {
            reloading.update(text).catch((error: unknown) => log.error({ err: error }, 'no new supergraph'));
          },
        })
      : null;
  particulars.clients?.listen((partner) => {
    reloading
      .current()
      .prepare(agreedWith(partner).slice(0, mostPrepared))
      .catch((error: unknown) => log.warn({ err: error }, "a partner's operations were not prepared"));
  });
  const identities = openIdentities(auth, log, accepts);
  const { automatic } = persisted;
  const operationDoor = createOperationDoor({
    manifest,
    automatic: automatic.enabled
      ? createAutomaticOperations({
          store: redis,
          prefix,
          most: automatic.memory,
          forMs: automatic.keep,
          log,
        })
      : null,
    isRequired: persisted.required,
  });
  seen.metrics.watchPlans(() => {
    const { operations } = reloading.current();
    return { count: operations.count(), bytes: operations.bytes() };
  });
  seen.metrics.watchSubgraphs(() =>
    [...reloading.current().transports].map(([name, transport]) => [name, transport.state()] as const),
  );

  const shedding = openShedding(configuration.shedding);
  if (configuration.shedding.enabled) watchShedding(shedding, seen.metrics.watch);

  const count = createCount(counters, windows, configuration.rates.rules.length > 0);
  const subscriptions = configuration.subscriptions.enabled
    ? openServedSubscriptions(
        reloading.current(),
        configuration,
        particulars,
        { identities, partners: partnerDoor, operationDoor, count },
        seen,
        log,
      )
    : null;
  if (subscriptions)
    seen.metrics.watchSubscriptions(() => {
      const { clients, upstreams, subscriptions: members } = subscriptions.state();
      return { clients: members, sources: upstreams, sockets: clients };
    });

  const checks = {
    ...particulars.checks([...reloading.current().transports.keys()]),
    ...(auth.issuers.length > 0 && { 'access token keys': identities.check }),
  };
  const { metrics } = telemetry;
  const counted = (): string => seen.metrics.registry.text();
  const metricsText = siblings?.metrics ?? (async () => counted());
  let isStopping = false;
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000 },
    createHttpWithContracts({
      configuration,
      particulars,
      around: createAround({
        compression,
        pageAt: particulars.pageAt,
        checks,
        metricsPath: metrics.enabled && metrics.port === undefined ? metrics.path : null,
        metricsText,
        reloading,
        isStopping: () => isStopping,
      }),
      identities,
      partners: partnerDoor,
      operationDoor,
      count,
      compression,
      budgets,
      developers: createDevelopers(configuration),
      shedding,
      telemetry: seen,
      reloading,
      subscriptions,
      log,
    }),
  );
  if (subscriptions) server.on('upgrade', subscriptions.upgrade);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (listen.unix === undefined) return server.listen(listen.port, listen.host, resolve);
    rmSync(listen.unix, { force: true });
    server.listen(listen.unix, resolve);
  });
  if (listen.unix !== undefined) chmodSync(listen.unix, 0o660);
  const metricsServer =
    metrics.enabled && metrics.port !== undefined
      ? await serveMetrics(metricsText, { ...metrics, host: listen.host, port: metrics.port })
      : null;
  const origin =
    listen.unix === undefined
      ? `http://${listen.host}:${(server.address() as AddressInfo).port}`
      : `unix:${listen.unix}`;

  return {
    origin,
    counted,
    stop: async () => {
      isStopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A connection that is kept alive becomes idle, and can be closed, only with its last answer.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      await Promise.race([Promise.all([closed, subscriptions?.drain()]), sleep(lastAnswers)]);
      clearInterval(sweep);
      server.closeAllConnections();
      metricsServer?.close();
      metricsServer?.closeAllConnections();
      identities.close();
      file?.close();
      shedding.close();
      await reloading.close();
      await news?.stop();
      redis?.disconnect();
      await Promise.all([partnerDoor.close(), seen.close()]);
    },
  };
};
