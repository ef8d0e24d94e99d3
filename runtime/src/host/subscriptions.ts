// Subscriptions of a subgraph over graphql-ws. Only the gateway connects here: each subscribe carries the viewer and a
// signature of its own, because one socket serves many viewers.
import type { KeyObject } from 'node:crypto';
import type { Server } from 'node:http';
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  parse,
  validate,
} from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import { subscriptionBody, verify } from '../signature.ts';
import type { Context, Parts, Service } from '../subgraph.ts';
import { type Trace, traceFrom } from '../trace.ts';
import { formatError } from './format.ts';

type Options = {
  readonly server: Server;
  readonly path: string;
  readonly schema: GraphQLSchema;
  readonly service: Service;
  readonly key: KeyObject;
  readonly log: Log;
};

type Extensions = Readonly<Record<string, unknown>> | null | undefined;

const traceOf = (extensions: Extensions): Trace =>
  traceFrom(typeof extensions?.traceparent === 'string' ? extensions.traceparent : undefined);

const coded = (errors: readonly GraphQLError[], code: string): GraphQLError[] =>
  errors.map(({ message, nodes, source, positions }) => {
    return new GraphQLError(message, { nodes, source, positions, extensions: { code } });
  });

/** What @apollo/server would find wrong, under its codes. Thrown here it would end the socket and all that it serves. */
const readOperation = (
  schema: GraphQLSchema,
  query: string,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>> | null | undefined,
): { document: DocumentNode } | { errors: GraphQLError[] } => {
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch (error) {
    return { errors: coded([error as GraphQLError], 'GRAPHQL_PARSE_FAILED') };
  }
  const invalid = validate(schema, document);
  if (invalid.length > 0) return { errors: coded(invalid, 'GRAPHQL_VALIDATION_FAILED') };
  const operation = getOperationAST(document, operationName);
  if (operation?.operation !== 'subscription')
    return { errors: [new RequestError('BAD_USER_INPUT', 'Only subscriptions come over the socket.')] };
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {});
  return errors ? { errors: coded(errors, 'BAD_USER_INPUT') } : { document };
};

/** Every event is answered with a context of its own, or the loaders would show the second event the first one's rows. */
const subscribe = async (args: ExecutionArgs): Promise<AsyncGenerator<ExecutionResult> | ExecutionResult> => {
  const fresh = args.contextValue as () => Context;
  const source = await createSourceEventStream({ ...args, contextValue: fresh() });
  if (!(Symbol.asyncIterator in source)) return source;
  const events = source[Symbol.asyncIterator]();
  const answers: AsyncGenerator<ExecutionResult> = {
    next: async () => {
      const { done, value } = await events.next();
      if (done) return { done: true, value: undefined };
      return { done: false, value: await execute({ ...args, rootValue: value, contextValue: fresh() }) };
    },
    return: async () => {
      await events.return?.();
      return { done: true, value: undefined };
    },
    throw: async (error) => {
      await events.throw?.(error);
      throw error;
    },
    [Symbol.asyncIterator]: () => answers,
    [Symbol.asyncDispose]: async () => {
      await events.return?.();
    },
  };
  return answers;
};

/** @returns a function that closes every socket with 1001, so that clients come back to another process */
export const serveSubscriptions = ({
  server,
  path,
  schema,
  service,
  key,
  log,
}: Options): (() => Promise<void>) => {
  const told = (errors: readonly GraphQLError[], extensions: Extensions) =>
    errors.map((error) => formatError(error.toJSON(), error, log, traceOf(extensions)));
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
  server.on('upgrade', (request, socket, head) => {
    if (request.url === path)
      sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request));
  });
  const running = useServer(
    {
      connectionInitWaitTimeout: 3_000,
      onSubscribe: (_ctx, _id, { query, variables, operationName, extensions }) => {
        const now = new Date();
        const body = subscriptionBody(query, variables);
        const viewer = verify(key, 'SUBSCRIBE', path, extensions ?? {}, body, now);
        if (!viewer)
          return [new RequestError('UNAUTHENTICATED', 'The subscription is not signed by the gateway.')];
        const read = readOperation(schema, query, operationName, variables);
        if ('errors' in read) return read.errors;
        const trace = traceOf(extensions);
        const parts: Parts = { viewer, now, trace, log };
        const contextValue = () => service.context({ ...parts, now: new Date() });
        return { schema, document: read.document, operationName, variableValues: variables, contextValue };
      },
      subscribe,
      onNext: (_ctx, _id, { extensions }, _args, { data, errors }) =>
        errors ? { data, errors: told(errors, extensions) as never } : undefined,
      onError: (_ctx, _id, { extensions }, errors) => told(errors, extensions),
    },
    sockets,
    12_000,
  );
  return async () => {
    for (const client of sockets.clients) client.close(1001, 'Going away');
    await running.dispose();
  };
};
