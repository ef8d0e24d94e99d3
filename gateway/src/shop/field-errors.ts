// What a client is told of an error in a part of the answer.
import { formatError } from '@orderstream/runtime/host/format';
import type { Log } from '@orderstream/runtime/log';
import { traceId } from '@orderstream/runtime/trace';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { fromSubgraph } from '../door/subgraph-errors.ts';
import type { FieldError } from '../execute/operation.ts';
import type { Asking } from '../serving/asking.ts';

const toError = ({ message, path, extensions, failure }: FieldError): GraphQLError => {
  if (failure) return new GraphQLError(failure.message, { path, originalError: failure });
  return fromSubgraph({ message, path, extensions });
};

export const createFieldErrors =
  (log: Log) =>
  (found: FieldError, { trace }: Asking): GraphQLFormattedError | null => {
    // What an owner keeps from a viewer is null without a word, also where the schema promises more: an error would tell
    // that there is something.
    if (found.subgraph === null && !found.failure) {
      log.debug({ path: found.path, traceId: traceId(trace) }, found.message);
      return null;
    }
    const error = toError(found);
    return formatError(error.toJSON(), error, log, trace);
  };
