// GraphQL over HTTP: @apollo/server's manners for what is asked the first time, and the short way for what is known.
import { AsyncLocalStorage } from 'node:async_hooks';
import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { RequestError } from '@orderstream/runtime/errors';
import { formatError } from '@orderstream/runtime/host/format';
import type { Log } from '@orderstream/runtime/log';
import {
  type DocumentNode,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  execute as introspect,
  Kind,
  SingleFieldSubscriptionsRule,
  validate,
} from 'graphql';
import type { Asking } from './asking.ts';
import { isTooBroad, mostListed } from './breadth.ts';
import { FastGateway } from './fast-gateway.ts';
import { createFieldErrors } from './field-errors.ts';
import { createShortWay, type ShortWay } from './front/short-way.ts';
import { checkVariables, createAdmission, limits, readVariables } from './limits.ts';
import { createOperations, type Operations } from './operations/operations.ts';
import type { Supergraph } from './plan/supergraph.ts';
import { teachScalars } from './scalars.ts';
import { stockSource } from './stock-source.ts';
import { toText } from './transport/binary.ts';
import type { Transport } from './transport/transport.ts';

export type Answer = {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
};

export type GraphQLDoor = {
  readonly shortWay: ShortWay<Asking>;
  readonly operations: Operations<Asking>;
  /** @throws RequestError QUERY_TOO_COMPLEX or BAD_USER_INPUT before anything is looked at more closely */
  readonly answer: (request: {
    /** the parsed body; undefined where it was not JSON */
    readonly body: unknown;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly asking: Asking;
  }) => Promise<Answer>;
  readonly stop: () => Promise<void>;
};

const refusal = (code: string, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { status: 400 } } });

const tooBroad = (): GraphQLError => {
  const originalError = new RequestError(
    'QUERY_TOO_COMPLEX',
    `The query is too complex: it could list more than ${mostListed} things.`,
  );
  return new GraphQLError(originalError.message, {
    originalError,
    extensions: { ...originalError.extensions, http: { status: 400 } },
  });
};

/** What @apollo/gateway would take for a fault of ours. */
const onlyRunnable: ApolloServerPlugin<Asking> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ document, operation, request, schema }) => {
      if (!operation)
        throw refusal(
          'OPERATION_RESOLUTION_FAILURE',
          request.operationName
            ? 'The document has no operation of this name.'
            : 'The document has several operations: name the one to run.',
        );
      if (operation.operation === 'subscription')
        throw refusal('BAD_USER_INPUT', 'Subscriptions go over graphql-ws at the same address.');
      // @apollo/gateway would look at them all and tell of every one.
      const variables = readVariables(schema, operation, request.variables);
      if (isTooBroad(schema, document, operation, variables)) throw tooBroad();
    },
  }),
};

/** The schema answers for itself: the planner knows introspection of years ago only, and no subgraph is needed. */
const introspectsHere: ApolloServerPlugin<Asking> = {
  requestDidStart: async () => ({
    responseForOperation: async ({ operation, document, schema, request }) => {
      const isOwn = operation.selectionSet.selections.every(
        (selection) => selection.kind === Kind.FIELD && selection.name.value.startsWith('__'),
      );
      if (operation.operation !== 'query' || !isOwn) return null;
      const { variables: variableValues, operationName } = request;
      const singleResult = await introspect({ schema, document, variableValues, operationName });
      return {
        http: { headers: new HeaderMap(), status: undefined },
        body: { kind: 'single', singleResult },
      };
    },
  }),
};

/** graphql-js's rule throws, instead of reporting, at a subscription whose root has a condition with a variable. */
const checkSubscriptions = (schema: GraphQLSchema, document: DocumentNode): void => {
  try {
    validate(schema, document, [SingleFieldSubscriptionsRule]);
  } catch (cause) {
    throw new RequestError(
      'BAD_USER_INPUT',
      'A subscription with conditions at its root goes over graphql-ws only.',
      {
        cause,
      },
    );
  }
};

type Options = {
  readonly supergraph: Supergraph;
  readonly transports: ReadonlyMap<string, Transport<Asking>>;
  readonly log: Log;
  readonly isProduction: boolean;
  /** whose executor answers; the stock one is slow, and there to be compared with */
  readonly executor?: 'own' | 'stock';
};

export const openGraphQL = async (options: Options): Promise<GraphQLDoor> => {
  const { supergraph, transports, log, isProduction, executor = 'own' } = options;
  const operations = createOperations<Asking>({
    supergraph,
    transports,
    formatError: createFieldErrors(log),
  });

  /** Errors of answers that are worded already. */
  const worded = new WeakSet<object>();
  const execute: FastGateway['executor'] = async ({ request, document, context }) => {
    const { query = '', operationName, variables: given } = request;
    const { operation, definition } = await operations.prepare(query, operationName ?? undefined, document);
    const variables = readVariables(supergraph.apiSchema, definition, given);
    const body = await new Promise<string>((resolve) => {
      operation.run(variables, context as Asking, { done: resolve });
    });
    const { data, errors } = JSON.parse(toText(body)) as FormattedExecutionResult;
    return {
      data,
      ...(errors && {
        errors: errors.map(({ message, path, extensions }) => {
          const error = new GraphQLError(message, { path, extensions });
          worded.add(error);
          return error;
        }),
      }),
    } as Awaited<ReturnType<FastGateway['executor']>>;
  };

  // Read in the constructor below; without it the vendor is told about us.
  process.env.APOLLO_TELEMETRY_DISABLED = '1';
  const gateway = new FastGateway(
    {
      supergraphSdl: supergraph.sdl,
      buildService: ({ name }) => stockSource(transports.get(name)!),
      logger: log,
      validateSupergraph: false,
      __exposeQueryPlanExperimental: !isProduction,
    },
    executor === 'own' ? execute : null,
  );
  let schema: GraphQLSchema | undefined;
  gateway.onSchemaLoadOrUpdate(({ apiSchema }) => {
    schema = teachScalars(apiSchema);
  });

  // @apollo/server words errors where the request is out of sight; ours carry its trace.
  const current = new AsyncLocalStorage<Asking>();
  const server = new ApolloServer<Asking>({
    gateway,
    introspection: !isProduction,
    hideSchemaDetailsFromClientErrors: isProduction,
    includeStacktraceInErrorResponses: false,
    // By text only: an operation that arrives as a hash would pass by the limits.
    persistedQueries: false,
    parseOptions: { maxTokens: limits.tokens },
    maxRecursiveSelections: limits.selections,
    stopOnTerminationSignals: false,
    formatError: (formatted, error) =>
      typeof error === 'object' && error !== null && worded.has(error)
        ? formatted
        : formatError(formatted, error, log, current.getStore()!.trace),
    logger: log,
    plugins: [
      onlyRunnable,
      introspectsHere,
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
    ],
  });
  await server.start();
  const admit = createAdmission((document) => checkSubscriptions(schema!, document));

  const shortWay = createShortWay(operations, ({ document, definition }, variables) => {
    checkVariables(variables);
    if (isTooBroad(supergraph.apiSchema, document, definition, variables)) throw tooBroad();
  });

  return {
    shortWay,
    operations,
    answer: async ({ body, headers, asking }) => {
      if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
        if ('query' in body && typeof body.query === 'string') admit(body.query);
        if ('variables' in body) checkVariables(body.variables);
      }
      const map = new HeaderMap();
      for (const [name, value] of Object.entries(headers))
        if (typeof value === 'string') map.set(name, value);
      const response = await current.run(asking, () =>
        server.executeHTTPGraphQLRequest({
          httpGraphQLRequest: { method: 'POST', headers: map, search: '', body },
          context: async () => asking,
        }),
      );
      let text = '';
      if (response.body.kind === 'complete') text = response.body.string;
      else for await (const chunk of response.body.asyncIterator) text += chunk;
      return { status: response.status ?? 200, headers: Object.fromEntries(response.headers), body: text };
    },
    stop: () => server.stop(),
  };
};
