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
import { RequestError, statusOf } from '@orderstream/runtime/errors';
import { formatError } from '@orderstream/runtime/host/format';
import type { Log } from '@orderstream/runtime/log';
import type { Trace } from '@orderstream/runtime/trace';
import {
  type DocumentNode,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  execute as introspect,
  Kind,
  type OperationDefinitionNode,
  SingleFieldSubscriptionsRule,
  validate,
} from 'graphql';
import type { Variables } from '../execute/operation.ts';
import { readVariables } from '../limits/variables.ts';
import type { Operations } from '../operations/operations.ts';
import { toText } from '../transport/binary.ts';
import type { Transport } from '../transport/transport.ts';
import { FastGateway, withoutDemands } from './fast-gateway.ts';
import { stockSource } from './stock-source.ts';

export type Traced = { readonly trace: Trace };

export type Answer = {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
};

export type Door<Asking> = {
  /** @throws RequestError before anything is looked at more closely */
  readonly answer: (request: {
    /** the parsed body; undefined where it was not JSON */
    readonly body: unknown;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly asking: Asking;
  }) => Promise<Answer>;
  readonly stop: () => Promise<void>;
};

/** What a request has to stand; each says no by throwing a RequestError. */
export type Rules<Asking = never> = {
  /** before a text is parsed by anybody else */
  readonly admitText: (text: string) => void;
  /** before graphql-js walks them */
  readonly admitVariables: (variables: unknown) => void;
  /** what only this asker has to stand, and to pay for; @param document valid, within the limits */
  readonly checkAsker?: (
    document: DocumentNode,
    definition: OperationDefinitionNode,
    variables: Variables,
    asking: Asking,
  ) => Promise<void> | undefined;
  /** @param document valid, within the limits */
  readonly check: (document: DocumentNode, definition: OperationDefinitionNode, variables: Variables) => void;
};

type Options<Asking> = {
  readonly operations: Operations<Asking>;
  readonly transports: ReadonlyMap<string, Transport<Asking>>;
  readonly rules: Rules<Asking>;
  readonly log: Log;
  readonly introspection: boolean;
  /** whether errors may help with names of the schema */
  readonly hidesSchema: boolean;
  /** what is done to the schema that variables are read with, such as teaching it scalars */
  readonly prepareSchema?: (schema: GraphQLSchema) => unknown;
  /** whose executor answers; the stock one is slow, and there to be compared with */
  readonly executor?: 'own' | 'stock';
};

const refusal = (code: string, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { status: 400 } } });

/** Our own errors with the status that @apollo/server is to send, and the time to come back. */
const withStatus = (error: unknown): unknown => {
  if (!(error instanceof RequestError)) return error;
  const { retryAfterMs } = error.extensions;
  const headers = new HeaderMap();
  if (typeof retryAfterMs === 'number') headers.set('retry-after', String(Math.ceil(retryAfterMs / 1_000)));
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { ...error.extensions, http: { status: statusOf(error.code), headers } },
  });
};

/** What @apollo/gateway would take for a fault of ours. */
const onlyRunnable = <Asking extends Traced>({
  check,
  checkAsker,
}: Rules<Asking>): ApolloServerPlugin<Asking> => ({
  requestDidStart: async () => ({
    didResolveOperation: async ({ document, operation, request, schema, contextValue }) => {
      if (!operation)
        throw refusal(
          'OPERATION_RESOLUTION_FAILURE',
          request.operationName
            ? 'The document has no operation of this name.'
            : 'The document has several operations: name the one to run.',
        );
      if (operation.operation === 'subscription')
        throw refusal('BAD_USER_INPUT', 'Subscriptions go over graphql-ws or as an event stream.');
      // @apollo/gateway would look at them all and tell of every one.
      const variables = readVariables(schema, operation, request.variables);
      try {
        check(document, operation, variables);
        await checkAsker?.(document, operation, variables, contextValue);
      } catch (error) {
        throw withStatus(error);
      }
    },
  }),
});

/** The schema answers for itself: the planner knows introspection of years ago only, and no subgraph is needed. */
const introspectsHere: ApolloServerPlugin<Traced> = {
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
export const checkSubscriptions = (schema: GraphQLSchema, document: DocumentNode): void => {
  try {
    validate(schema, document, [SingleFieldSubscriptionsRule]);
  } catch (cause) {
    throw new RequestError(
      'BAD_USER_INPUT',
      'A subscription with conditions at its root goes over graphql-ws only.',
      { cause },
    );
  }
};

export const openDoor = async <Asking extends Traced>(options: Options<Asking>): Promise<Door<Asking>> => {
  const { operations, transports, rules, log, introspection, hidesSchema, prepareSchema } = options;
  const { supergraph } = operations;

  /** Errors of answers that are worded already. */
  const worded = new WeakSet<object>();
  const execute: FastGateway['executor'] = async ({ request, document, context }) => {
    const { query = '', operationName, variables: given } = request;
    const asking = context as Asking;
    const definition = getOperationAST(document, operationName)!;
    const variables = readVariables(supergraph.apiSchema, definition, given);
    let operation: Awaited<ReturnType<typeof operations.prepare>>;
    try {
      operation = await operations.prepare(query, operationName ?? undefined, document, asking);
    } catch (error) {
      throw withStatus(error);
    }
    const body = await new Promise<string>((resolve) => {
      operation.run(variables, asking, { done: resolve });
    });
    const { data, errors, extensions } = JSON.parse(toText(body)) as FormattedExecutionResult;
    return {
      data,
      ...(extensions && { extensions }),
      ...(errors && {
        errors: errors.map(({ message, path, extensions: own }) => {
          const error = new GraphQLError(message, { path, extensions: own });
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
      supergraphSdl: withoutDemands(supergraph.sdl),
      buildService: ({ name }) => stockSource(transports.get(name)!),
      logger: log,
      validateSupergraph: false,
      __exposeQueryPlanExperimental: false,
    },
    options.executor === 'stock' ? null : execute,
  );
  gateway.onSchemaLoadOrUpdate(({ apiSchema }) => prepareSchema?.(apiSchema));

  // @apollo/server words errors where the request is out of sight; ours carry its trace.
  const current = new AsyncLocalStorage<Asking>();
  const server = new ApolloServer<Asking>({
    gateway,
    introspection,
    hideSchemaDetailsFromClientErrors: hidesSchema,
    includeStacktraceInErrorResponses: false,
    // Hashes are resolved before a request comes here: one that is resolved here would pass by the limits.
    persistedQueries: false,
    maxRecursiveSelections: 10_000,
    stopOnTerminationSignals: false,
    formatError: (formatted, error) =>
      typeof error === 'object' && error !== null && worded.has(error)
        ? formatted
        : formatError(formatted, error, log, current.getStore()!.trace),
    logger: log,
    plugins: [
      onlyRunnable(rules),
      introspectsHere as ApolloServerPlugin<Asking>,
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
    ],
  });
  await server.start();

  return {
    answer: async ({ body, headers, asking }) => {
      if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
        if ('query' in body && typeof body.query === 'string') rules.admitText(body.query);
        if ('variables' in body) rules.admitVariables(body.variables);
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
