// What a client is told about an error, the same on both ways through the host: our own errors as they are, everything
// else without its text and under the trace id by which the log names it.
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Trace, traceId } from '../trace.ts';

/** Codes that @apollo/server gives to requests that are wrong before anything runs. */
const callers = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

const ours = (error: unknown): RequestError | null => {
  for (let at = error; at instanceof Error; at = at instanceof GraphQLError ? at.originalError : undefined)
    if (at instanceof RequestError) return at;
  return null;
};

export const formatError = (
  formatted: GraphQLFormattedError,
  error: unknown,
  log: Log,
  trace: Trace,
): GraphQLFormattedError => {
  const known = ours(error);
  const { message, locations, path } = formatted;
  const place = { ...(locations && { locations }), ...(path && { path }) };
  if (known)
    return { message: known.message, ...place, extensions: { ...known.extensions, traceId: traceId(trace) } };
  const code = formatted.extensions?.code;
  // A value that a scalar refuses is the caller's fault; it surfaces as an error of graphql-js without a code.
  if (typeof code === 'string' && callers.has(code))
    return { message, ...place, extensions: { code, retryable: false, traceId: traceId(trace) } };
  log.error({ err: error, path, traceId: traceId(trace) }, 'request failed');
  return {
    message: 'Something went wrong on our side.',
    ...place,
    extensions: { code: 'INTERNAL', retryable: false, traceId: traceId(trace) },
  };
};
