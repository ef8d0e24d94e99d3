// What subscriptions of the shop's own clients go by: its tokens, its signatures, its words for errors.
import type { KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { formatError } from '@orderstream/runtime/host/format';
import type { Log } from '@orderstream/runtime/log';
import { sign, subscriptionBody } from '@orderstream/runtime/signature';
import type { Trace } from '@orderstream/runtime/trace';
import type { Viewer } from '@orderstream/runtime/viewer';
import { GraphQLError, parse } from 'graphql';
import type { AccessTokens, SignIn } from './access-tokens.ts';
import type { Asking } from './asking.ts';
import { createFieldErrors } from './field-errors.ts';
import { traceOf, whereaboutsOf } from './front.ts';
import { checkVariables, parseWithinLimits, readVariables } from './limits.ts';
import type { Supergraph } from './plan/supergraph.ts';
import type { Settings } from './settings.ts';
import { shopRules } from './shop-rules.ts';
import { fromSubgraph } from './subgraph-errors.ts';
import type { Bounds } from './subscriptions/bounds.ts';
import type { Reception, Visitor } from './subscriptions/office.ts';
import { createPreparation, type Preparation } from './subscriptions/preparation.ts';
import { openSubscriptions, type Subscriptions } from './subscriptions/subscriptions.ts';
import type { Transport } from './transport/transport.ts';
import { openUpstream, type Upstream } from './transport/upstream.ts';

/** The viewer for as long as the token lasts. */
export const visitorOf = (
  { viewer, expiresAt }: SignIn,
  whereabouts: Pick<Viewer, 'clientAddress' | 'deviceId'>,
  trace: () => Trace,
): Visitor<Asking> => {
  const whole = { ...viewer, ...whereabouts };
  return {
    user: viewer.userId,
    expiresAt: expiresAt?.getTime() ?? null,
    asking: () => ({ viewer: whole, trace: trace() }),
  };
};

/** Who may see the same: nothing in an event of the shop depends on the device or the session. */
const shareKeyOf = ({ viewer: { tenantId, userId, scopes, service } }: Asking): string =>
  JSON.stringify([tenantId, userId, service, [...scopes].sort()]);

const syntaxError = (text: string): GraphQLError => {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { message, nodes, source, positions } = error;
    return new GraphQLError(message, {
      nodes,
      source,
      positions,
      extensions: { code: 'GRAPHQL_PARSE_FAILED' },
    });
  }
  throw new TypeError('a text was refused and then parsed');
};

export const shopPreparation = (
  supergraph: Supergraph,
  transports: ReadonlyMap<string, Transport<Asking>>,
  log: Log,
  hidesSuggestions: boolean,
): Preparation<Asking> => {
  const { check } = shopRules(supergraph.apiSchema);
  return createPreparation<Asking>({
    supergraph,
    transports,
    hidesSuggestions,
    formatError: createFieldErrors(log),
    rules: {
      parse: (text) => {
        const document = parseWithinLimits(text);
        if (!document) throw syntaxError(text);
        return document;
      },
      readVariables: (operation, given) => {
        checkVariables(given);
        return readVariables(supergraph.apiSchema, operation, given);
      },
      check,
    },
  });
};

/** Each subscribe is signed for its own viewer, since one socket serves many. */
export const openShopUpstream = (
  name: string,
  origin: string,
  key: KeyObject,
  log: Log,
): Upstream<Asking> => {
  const path = `/${name}/graphql`;
  return openUpstream<Asking>({
    name,
    origin,
    path,
    log,
    extensionsOf: ({ viewer, trace }, body) => {
      const { query, variables } = JSON.parse(Buffer.from(body, 'latin1').toString());
      const signed = sign(key, 'SUBSCRIBE', path, viewer, subscriptionBody(query, variables), new Date());
      return { ...signed, traceparent: trace.traceparent };
    },
  });
};

type Options = {
  readonly preparation: Preparation<Asking>;
  readonly upstreams: ReadonlyMap<string, Upstream<Asking>>;
  readonly settings: Settings;
  readonly tokens: AccessTokens;
  readonly log: Log;
  readonly bounds?: Bounds | undefined;
};

export const openShopSubscriptions = (options: Options): Subscriptions<Asking> => {
  const { preparation, upstreams, settings, tokens, log, bounds } = options;
  const receive: Reception<Asking>['receive'] = (request: IncomingMessage) => {
    const whereabouts = whereaboutsOf(request, settings);
    const { traceparent } = request.headers;
    const trace = () => traceOf(traceparent, settings);
    return {
      address: whereabouts.clientAddress ?? '',
      signIn: async (authorization) => visitorOf(await tokens.read(authorization), whereabouts, trace),
    };
  };
  return openSubscriptions<Asking>({
    preparation,
    upstreams,
    receive,
    shareKeyOf,
    renew: (asking) => asking,
    tell: (error, { trace }) => formatError(error.toJSON(), error, log, trace),
    tellRefusal: (refused, { trace }) => {
      const error = fromSubgraph({ ...refused, path: undefined });
      return formatError(error.toJSON(), error, log, trace);
    },
    log,
    ...(bounds && { bounds }),
  });
};
