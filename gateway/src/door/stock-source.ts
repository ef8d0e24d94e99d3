// A transport as a data source of @apollo/gateway, for its stock executor: the oracle that ours is compared with.
import type { GraphQLDataSource } from '@apollo/gateway';
import type { RequestError } from '@orderstream/runtime/errors';
import type { GraphQLFormattedError } from 'graphql';
import { toBinary, toText } from '../transport/binary.ts';
import type { Transport } from '../transport/transport.ts';
import { atEveryField, fromSubgraph } from './subgraph-errors.ts';

type Answer = { data?: Record<string, unknown> | null; errors?: readonly GraphQLFormattedError[] };

const isQuery = (text: string): boolean => text.startsWith('query') || text.startsWith('{');

export const stockSource = <Asking>(transport: Transport<Asking>): GraphQLDataSource => ({
  process: async ({ request, context }) => {
    const { query = '', variables, operationName } = request;
    const body = toBinary(JSON.stringify({ query, variables, operationName }));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    transport.send(body, isQuery(query), context as Asking, { answered: resolve, failed: reject });
    try {
      const { data, errors } = JSON.parse(toText(await promise)) as Answer;
      return { data, ...(errors && { errors: errors.map(fromSubgraph) }) };
    } catch (error) {
      return { data: null, errors: atEveryField({ query, variables }, error as RequestError) };
    }
  },
});
