// Subscriptions of a subgraph over graphql-ws. Only the gateway connects here: each subscribe carries the viewer and a
// signature of its own, because one socket serves many viewers.

import type { KeyObject } from 'node:crypto';
import type { Server } from 'node:http';
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  getOperationAST,
  parse,
  validate,
} from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import { subscriptionBody, verify } from '../signature.ts';
import type { Context, Parts, Service } from '../subgraph.ts';
import { traceFrom } from '../trace.ts';
import { formatError } from './format.ts';

type Options = {
  readonly server: Server;
  readonly path: string;
  readonly schema: GraphQLSchema;
  readonly service: Service;
  readonly key: KeyObject;
  readonly log: Log;
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
        const document = parse(query);
        const errors = validate(schema, document);
        if (errors.length > 0) return errors;
        if (getOperationAST(document, operationName)?.operation !== 'subscription')
          return [new RequestError('BAD_USER_INPUT', 'Only subscriptions come over the socket.')];
        const trace = traceFrom(
          typeof extensions?.traceparent === 'string' ? extensions.traceparent : undefined,
        );
        const parts: Parts = { viewer, now, trace, log };
        const contextValue = () => service.context({ ...parts, now: new Date() });
        return { schema, document, operationName, variableValues: variables, contextValue };
      },
      subscribe,
      onError: (_ctx, _id, _payload, errors) =>
        errors.map((error) => formatError(error.toJSON(), error, log, traceFrom(undefined))),
    },
    sockets,
    12_000,
  );
  return async () => {
    for (const client of sockets.clients) client.close(1001, 'Going away');
    await running.dispose();
  };
};
