// The gateway put together: supergraph, subgraphs, sign-in, and the two doors to clients.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLog } from '@orderstream/runtime/log';
import { signingKey } from '@orderstream/runtime/signature';
import { sleep } from '@orderstream/runtime/time';
import { openAccessTokens } from './access-tokens.ts';
import type { Asking } from './asking.ts';
import { openDoor } from './door.ts';
import { createFieldErrors } from './field-errors.ts';
import { createShortWay } from './front/short-way.ts';
import { createFront } from './front.ts';
import { createOperations } from './operations/operations.ts';
import { openSupergraph } from './plan/supergraph.ts';
import { hostChecks } from './readiness.ts';
import { teachScalars } from './scalars.ts';
import { gatewaySettings } from './settings.ts';
import { shopRules } from './shop-rules.ts';
import { openShopSubscriptions, openShopUpstream, shopPreparation } from './shop-subscriptions.ts';
import { openSubgraphCalls } from './subgraph-calls.ts';
import type { Bounds } from './subscriptions/bounds.ts';

export type Gateway = { readonly url: string; readonly stop: () => Promise<void> };

/** milliseconds for requests under way when the gateway stops */
const lastAnswers = 10_000;

const committed = (): string => readFileSync(new URL('../supergraph.graphql', import.meta.url), 'utf8');

/**
 * @param supergraphSdl the committed supergraph unless a test brings its own
 * @param bounds of subscriptions, the usual ones unless a test brings its own
 * @throws ConfigError naming everything that is wrong with the environment
 */
export const openGateway = async (
  env: NodeJS.ProcessEnv,
  supergraphSdl: string = committed(),
  bounds?: Bounds,
): Promise<Gateway> => {
  const settings = gatewaySettings(env);
  const log = createLog('gateway', settings.logLevel);
  const key = signingKey(settings.secret);
  const supergraph = openSupergraph(supergraphSdl);
  teachScalars(supergraph.apiSchema);
  const names = [...supergraph.subgraphs.keys()];

  const transports = new Map(
    names.map((name) => [name, openSubgraphCalls(name, settings.originOf(name), key, log)]),
  );
  const upstreams = new Map(
    names.map((name) => [name, openShopUpstream(name, settings.originOf(name), key, log)]),
  );
  const tokens = openAccessTokens(settings.jwksUrl, settings.tenantId, log);
  const { isProduction, executor } = settings;
  const operations = createOperations<Asking>({
    supergraph,
    transports,
    formatError: createFieldErrors(log),
  });
  const rules = shopRules(supergraph.apiSchema);
  const door = await openDoor<Asking>({
    operations,
    transports,
    rules,
    log,
    introspection: !isProduction,
    hidesSchema: isProduction,
    prepareSchema: teachScalars,
    executor,
  });
  const shortWay = createShortWay<Asking>({
    operations,
    admit: ({ document, definition }, variables) => {
      rules.admitVariables(variables);
      rules.check(document, definition, variables);
    },
    // The oracle has no operations of its own to know.
    isFree: ({ known }) => executor === 'own' && (!known.looksAtSchema || !isProduction),
  });
  const subscriptions = openShopSubscriptions({
    preparation: shopPreparation(supergraph, transports, log, isProduction),
    upstreams,
    settings,
    tokens,
    log,
    bounds,
  });

  let isStopping = false;
  const checks = { ...hostChecks(names, settings.originOf), 'access token keys': tokens.check };
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000 },
    createFront({
      settings,
      tokens,
      shortWay,
      door,
      subscriptions,
      checks,
      isStopping: () => isStopping,
      log,
    }),
  );
  server.on('upgrade', subscriptions.upgrade);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, settings.host, resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://${settings.host}:${port}`,
    stop: async () => {
      isStopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A connection that is kept alive becomes idle, and can be closed, only with its last answer.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      await Promise.race([Promise.all([closed, subscriptions.drain()]), sleep(lastAnswers)]);
      clearInterval(sweep);
      server.closeAllConnections();
      tokens.close();
      for (const upstream of upstreams.values()) upstream.close();
      await door.stop();
      supergraph.planner.close();
      await Promise.all([...transports.values()].map((transport) => transport.close()));
    },
  };
};
