// What a client is told of an error in a part of the answer.
import { formatError } from '@orderstream/runtime/host/format';
import type { Log } from '@orderstream/runtime/log';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Asking } from './asking.ts';
import type { FieldError } from './execute/operation.ts';
import { fromSubgraph } from './subgraph-errors.ts';

const toError = ({ message, path, extensions, subgraph, failure }: FieldError): GraphQLError => {
  if (failure) return new GraphQLError(failure.message, { path, originalError: failure });
  return subgraph === null
    ? new GraphQLError(message, { path })
    : fromSubgraph({ message, path, extensions });
};

export const createFieldErrors =
  (log: Log) =>
  (found: FieldError, { trace }: Asking): GraphQLFormattedError => {
    const error = toError(found);
    return formatError(error.toJSON(), error, log, trace);
  };
