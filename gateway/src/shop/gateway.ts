// The shop's gateway: the shop's tokens, subgraphs that believe only what is signed, and its own words for errors.
import { formatError } from '@orderstream/runtime/host/format';
import { createLog, type Log } from '@orderstream/runtime/log';
import {
  sign,
  signatureHeader,
  signingKey,
  subscriptionBody,
  viewerHeader,
} from '@orderstream/runtime/signature';
import type { GraphQLError } from 'graphql';
import { hearShopNews } from '../cache/shop-news.ts';
import { fromSubgraph } from '../door/subgraph-errors.ts';
import { openClientBook } from '../persisted/client-book.ts';
import { createClientDoor } from '../persisted/client-door.ts';
import type { Asking } from '../serving/asking.ts';
import type { Particulars } from '../serving/particulars.ts';
import { openServing } from '../serving/serving.ts';
import type { Bounds } from '../subscriptions/bounds.ts';
import type { Running, Siblings } from '../workers/workers.ts';
import { acceptsClaims, viewerOf } from './access-tokens.ts';
import { pageAt } from './explorer.ts';
import { createFieldErrors } from './field-errors.ts';
import { hostChecks } from './readiness.ts';
import { teachScalars } from './scalars.ts';
import { gatewaySettings, type Settings } from './settings.ts';

export type Gateway = Running;

type Options = {
  /** instead of the configuration's file */
  readonly supergraph?: string;
  /** of subscriptions, beside the configuration's */
  readonly bounds?: Partial<Bounds>;
  readonly siblings?: Siblings | null;
};

/** milliseconds for users to say whose a key is */
const askingUsersMs = 4_000;

const shopParticulars = (settings: Settings, bounds: Partial<Bounds>, log: Log): Particulars => {
  const { isProduction, tenantId, originOf, executor, secret, kafka } = settings;
  const key = signingKey(secret);
  const viewer = (asking: Asking) => viewerOf(asking, tenantId);
  return {
    urlOf: (subgraph) => `${originOf(subgraph)}/${subgraph}/graphql`,
    signedCall: (path) => (asking, body) => {
      const signed = sign(key, 'POST', path, viewer(asking), Buffer.from(body, 'latin1'), new Date());
      return [viewerHeader, signed.viewer, signatureHeader, signed.signature];
    },
    signedSubscribe: (path) => (asking, body) => {
      const { query, variables } = JSON.parse(Buffer.from(body, 'latin1').toString());
      return sign(key, 'SUBSCRIBE', path, viewer(asking), subscriptionBody(query, variables), new Date());
    },
    // Nothing in an event of the shop depends on the device or the session.
    shareKeyOf: (asking) => {
      const { tenantId: tenant, userId, scopes } = viewer(asking);
      return JSON.stringify([tenant, userId, [...scopes].sort()]);
    },
    // Nor does anything that somebody unknown can ask for depend on where they are.
    scopeOf: ({ identity, partner }) => (identity.isSignedIn || partner ? null : tenantId),
    variantOf: () => tenantId,
    hearNews: kafka && ((store) => hearShopNews({ store, ...kafka, log })),
    // A partner's program is no person to the subgraphs, whatever it may see.
    standingOf: ({ identity }) =>
      identity.isSignedIn && identity.subject === null ? { ...identity, isSignedIn: false } : identity,
    formatError: createFieldErrors(log),
    tell: (error, { trace }) => formatError(error.toJSON(), error, log, trace),
    tellRefusal: (refused, { trace }) => {
      const error: GraphQLError = fromSubgraph({ ...refused, path: undefined });
      return formatError(error.toJSON(), error, log, trace);
    },
    prepareSchema: teachScalars,
    clients: openClientBook({
      door: createClientDoor({ url: originOf('users'), secret, tenantId, timeoutMs: askingUsersMs }),
      log,
    }),
    tellsAddress: true,
    checks: (subgraphs) => hostChecks(subgraphs, originOf),
    pageAt: isProduction ? null : pageAt,
    explorer: isProduction ? null : '/explore',
    executor,
    bounds,
  };
};

/** @throws ConfigError naming everything that is wrong with the environment */
export const openGateway = async (
  env: NodeJS.ProcessEnv,
  { supergraph, bounds = {}, siblings = null }: Options = {},
): Promise<Gateway> => {
  const settings = gatewaySettings(env);
  const { configuration } = settings;
  const log = createLog('gateway', configuration.telemetry.logLevel);
  const { origin, counted, stop } = await openServing({
    configuration,
    particulars: shopParticulars(settings, bounds, log),
    log,
    sdl: supergraph,
    siblings,
    accepts: acceptsClaims,
  });
  return { url: origin, counted, stop };
};
