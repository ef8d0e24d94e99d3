// One subgraph's subscriptions: a socket that all clients share, on which every subscribe is signed for its own viewer.
// A signature is good for seconds, so after a break each subscription is signed and sent anew.
import type { KeyObject } from 'node:crypto';
import type { Log } from '@orderstream/runtime/log';
import { sign, subscriptionBody } from '@orderstream/runtime/signature';
import { traceId } from '@orderstream/runtime/trace';
import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Asking } from './asking.ts';

type Listener = {
  readonly next: (event: ExecutionResult) => void;
  /** The subgraph refused; it will not answer otherwise when asked again. */
  readonly refused: (errors: readonly GraphQLFormattedError[]) => void;
  readonly complete: () => void;
};

export type Upstream = {
  /** Goes on through breaks until the subgraph ends it or the returned function is called. */
  readonly subscribe: (
    request: {
      readonly query: string;
      readonly operationName?: string;
      readonly variables: Record<string, unknown>;
    },
    asking: Asking,
    listener: Listener,
  ) => () => void;
  readonly close: () => void;
};

/** milliseconds; half to all of it, so that a thousand clients do not come back in one moment */
const pauseAfter = (failures: number): number =>
  Math.min(100 * 2 ** failures, 5_000) * (0.5 + Math.random() / 2);

class Socket extends WebSocket {
  constructor(url: string, protocol: string) {
    super(url, protocol, { handshakeTimeout: 5_000, perMessageDeflate: false });
  }
}

/** A host that vanished without a word is noticed by a ping left unanswered. */
const connect = (url: string): Client => {
  let unanswered: NodeJS.Timeout | undefined;
  const client = createClient({
    url,
    webSocketImpl: Socket,
    retryAttempts: 0,
    lazyCloseTimeout: 5_000,
    connectionAckWaitTimeout: 5_000,
    keepAlive: 10_000,
    on: {
      ping: (received) => {
        if (!received) unanswered = setTimeout(() => client.terminate(), 5_000);
      },
      pong: (received) => {
        if (received) clearTimeout(unanswered);
      },
      closed: () => clearTimeout(unanswered),
    },
  });
  return client;
};

export const openUpstream = (name: string, origin: string, key: KeyObject, log: Log): Upstream => {
  const path = `/${name}/graphql`;
  const client = connect(`${origin.replace(/^http/, 'ws')}${path}`);
  let isClosed = false;

  return {
    subscribe: ({ query, operationName, variables }, { viewer, trace }, listener) => {
      let isOver = false;
      let failures = 0;
      let leave = (): void => {};
      let timer: NodeJS.Timeout | undefined;

      const open = (): void => {
        const signed = sign(key, 'SUBSCRIBE', path, viewer, subscriptionBody(query, variables), new Date());
        const extensions = { ...signed, traceparent: trace.traceparent };
        leave = client.subscribe(
          { query, operationName, variables, extensions },
          {
            next: (event) => {
              failures = 0;
              if (isOver) return;
              // A resolver that refuses to subscribe is told as a result that has errors and no data at all.
              if (event.data === undefined && event.errors) {
                isOver = true;
                return listener.refused(event.errors);
              }
              listener.next(event as ExecutionResult);
            },
            error: (cause) => {
              if (isOver || isClosed) return;
              if (Array.isArray(cause)) {
                isOver = true;
                return listener.refused(cause);
              }
              log.warn(
                { subgraph: name, traceId: traceId(trace), failures },
                'a subscription lost its subgraph',
              );
              timer = setTimeout(open, pauseAfter(failures));
              failures += 1;
            },
            complete: () => {
              if (isOver || isClosed) return;
              isOver = true;
              listener.complete();
            },
          },
        );
      };
      open();

      return () => {
        isOver = true;
        clearTimeout(timer);
        leave();
      };
    },
    close: () => {
      isClosed = true;
      client.terminate();
      client.dispose();
    },
  };
};
