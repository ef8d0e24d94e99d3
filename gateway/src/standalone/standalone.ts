// A gateway for any supergraph: no database, no broker, no shop. What it serves and how is one file's affair.
import { RequestError } from '@orderstream/runtime/errors';
import { createLog, type Log } from '@orderstream/runtime/log';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import { type FieldError, formatPlainly } from '../execute/operation.ts';
import { forwardedNames } from '../headers/forwarded.ts';
import type { Asking } from '../serving/asking.ts';
import type { Particulars } from '../serving/particulars.ts';
import { openServing } from '../serving/serving.ts';
import type { Running, Siblings } from '../workers/workers.ts';

/** What a subgraph says goes through as it is; what went wrong here does not. */
const wordedFor =
  (log: Log) =>
  (error: FieldError, { trace }: Asking): GraphQLFormattedError => {
    if (error.subgraph !== null || error.failure) return formatPlainly(error);
    log.debug(
      { err: error.message, path: error.path, trace: trace.traceparent },
      'an answer was not as the schema says',
    );
    return {
      message: error.message,
      ...(error.path && { path: error.path }),
      extensions: { code: 'INTERNAL' },
    };
  };

/** Whoever sends equal headers may see the same. */
export const plainParticulars = (configuration: GatewayConfiguration, log: Log): Particulars => {
  const forwarded = forwardedNames(configuration);
  return {
    urlOf: () => null,
    signedCall: null,
    signedSubscribe: null,
    shareKeyOf: ({ identity, headers }) =>
      JSON.stringify([
        identity.issuer,
        identity.subject,
        [...identity.scopes].sort(),
        [...identity.policies].sort(),
        forwarded.map((name) => headers[name] ?? null),
      ]),
    scopeOf: ({ identity, partner, headers }) =>
      identity.isSignedIn || partner ? null : forwarded.map((name) => headers[name] ?? '').join('\n'),
    // Who asks changes nothing of what is public.
    variantOf: ({ headers }) =>
      forwarded.map((name) => (name === configuration.auth.header ? '' : (headers[name] ?? ''))).join('\n'),
    hearNews: null,
    standingOf: ({ identity }) => identity,
    formatError: wordedFor(log),
    tell: (error) => {
      const known = error.originalError instanceof RequestError ? error.originalError : error;
      return new GraphQLError(known.message, { path: error.path, extensions: known.extensions }).toJSON();
    },
    tellRefusal: (refused) => refused,
    prepareSchema: () => undefined,
    clients: null,
    tellsAddress: false,
    checks: () => ({}),
    pageAt: null,
    explorer: null,
    executor: 'own',
    bounds: {},
  };
};

/** @throws ConfigError where there is no supergraph to serve */
export const openStandalone = async (
  configuration: GatewayConfiguration,
  log: Log = createLog('gateway', configuration.telemetry.logLevel),
  siblings: Siblings | null = null,
): Promise<Running> => {
  const particulars = plainParticulars(configuration, log);
  const { origin, counted, stop } = await openServing({ configuration, particulars, log, siblings });
  const { unix, path } = configuration.listen;
  return { url: unix === undefined ? `${origin}${path}` : `${origin}:${path}`, counted, stop };
};
