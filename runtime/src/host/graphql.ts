// One subgraph's GraphQL over HTTP. @apollo/server parses, validates and admits an operation the first time; from then on
// the gateway's signed requests for it run straight away, at half the cost. Everything unusual goes to @apollo/server.
import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { GraphQLError, GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { Log } from '../log.ts';
import type { Context } from '../subgraph.ts';
import { compile, type Operation } from './execute.ts';
import { formatError } from './format.ts';

export type Answer = {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
};

export type GraphQLDoor = {
  readonly answer: (request: {
    readonly body: unknown;
    readonly contentType: string | undefined;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly context: Context;
  }) => Promise<Answer>;
  readonly stop: () => Promise<void>;
};

type Request = {
  query: string;
  operationName?: string;
  variables?: Record<string, unknown>;
  extensions?: unknown;
};

const json = { 'content-type': 'application/json; charset=utf-8' };

/** operations; the gateway's plans, of which there are few */
const most = 2_000;

/** Whoever prefers something else is answered in it, by @apollo/server. */
const takesJson = (accept: unknown): boolean =>
  accept === undefined || accept === '*/*' || accept === 'application/json';

const isPlain = (body: unknown): body is Request => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  const { query, operationName, variables, extensions } = body as Record<string, unknown>;
  return (
    typeof query === 'string' &&
    (operationName == null || (typeof operationName === 'string' && /^\w+$/.test(operationName))) &&
    (variables == null || (typeof variables === 'object' && !Array.isArray(variables))) &&
    extensions == null
  );
};

export const openGraphQL = async (
  schema: GraphQLSchema,
  log: Log,
  options: { plain: boolean },
): Promise<GraphQLDoor> => {
  const admitted = new Map<string, Operation>();
  const keyOf = (query: string, operationName?: string | null): string => `${operationName ?? ''}\n${query}`;

  const toJson = (error: GraphQLError, context: unknown) => {
    const ctx = context as Context;
    return formatError(error.toJSON(), error, ctx.log, ctx.trace);
  };

  // @apollo/server words errors before the context is at hand; ours need its trace.
  const originals = new WeakMap<GraphQLFormattedError, unknown>();

  const admit: ApolloServerPlugin<Context> = {
    requestDidStart: async () => ({
      didResolveOperation: async ({ request, document, operation }) => {
        if (options.plain || admitted.size >= most || operation?.operation === 'subscription') return;
        // Introspection is rare and stays where it is validated.
        if (/\b__(schema|type)\b/.test(request.query!)) return;
        const name = request.operationName ?? undefined;
        admitted.set(keyOf(request.query!, name), compile(schema, document, name, toJson));
      },
      willSendResponse: async ({ response, contextValue }) => {
        if (response.body.kind !== 'single' || !response.body.singleResult.errors) return;
        response.body.singleResult.errors = response.body.singleResult.errors.map((formatted) =>
          formatError(formatted, originals.get(formatted), contextValue.log, contextValue.trace),
        );
      },
    }),
  };

  const server = new ApolloServer<Context>({
    schema,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: false,
    stopOnTerminationSignals: false,
    stringifyResult: (result) => JSON.stringify(result),
    formatError: (formatted, error) => {
      originals.set(formatted, error);
      return formatted;
    },
    logger: log,
    plugins: [
      admit,
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
    ],
  });
  await server.start();

  /** Requests that are refused before any plugin hears of them have errors in @apollo/server's words only. */
  const worded = (text: string, { log: own, trace }: Context): string => {
    const answer: { errors?: GraphQLFormattedError[] } = JSON.parse(text);
    const errors = answer.errors?.map((error) =>
      error.extensions?.traceId ? error : formatError(error, undefined, own, trace),
    );
    return JSON.stringify({ ...answer, errors });
  };

  const throughApollo: GraphQLDoor['answer'] = async ({ body, contentType, headers, context }) => {
    const map = new HeaderMap();
    map.set('content-type', contentType ?? '');
    if (typeof headers.accept === 'string') map.set('accept', headers.accept);
    const response = await server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method: 'POST', headers: map, search: '', body },
      context: async () => context,
    });
    let text = '';
    if (response.body.kind === 'complete') text = response.body.string;
    else for await (const chunk of response.body.asyncIterator) text += chunk;
    const status = response.status ?? 200;
    return {
      status,
      headers: Object.fromEntries(response.headers),
      body: status < 400 ? text : worded(text, context),
    };
  };

  return {
    answer: async (request) => {
      const { body, contentType, headers, context } = request;
      const operation =
        contentType?.startsWith('application/json') && takesJson(headers.accept) && isPlain(body)
          ? admitted.get(keyOf(body.query, body.operationName))
          : undefined;
      if (!operation) return throughApollo(request);
      const variables = (body as Request).variables ?? undefined;
      return new Promise((resolve, reject) => {
        operation
          .run(variables, context, (answer) => {
            if ('text' in answer) resolve({ status: 200, headers: json, body: answer.text });
            // Wrong variables: nothing has run yet, and @apollo/server words the refusal.
            else throughApollo(request).then(resolve, reject);
          })
          .catch(reject);
      });
    },
    stop: () => server.stop(),
  };
};
