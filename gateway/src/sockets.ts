// Clients' sockets: graphql-ws's protocol, with bounds on what one socket may send, hold and leave unread.
import type { IncomingMessage, Server } from 'node:http';
import { RequestError } from '@orderstream/runtime/errors';
import { formatError } from '@orderstream/runtime/host/format';
import type { Log } from '@orderstream/runtime/log';
import { newTrace } from '@orderstream/runtime/trace';
import type { Viewer } from '@orderstream/runtime/viewer';
import { type ExecutionArgs, type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql';
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AccessTokens } from './access-tokens.ts';
import type { Asking } from './asking.ts';
import { traceOf, viewerOf } from './front.ts';
import type { Settings } from './settings.ts';
import type { Live, Subscriptions } from './subscriptions.ts';

type Bounds = {
  /** bytes */
  readonly frame: number;
  readonly subscriptions: number;
  /** frames in ten seconds, pings included */
  readonly frames: number;
  /** bytes that a client may leave unread for `unreadMs` */
  readonly unread: number;
  readonly unreadMs: number;
};

const socketBounds: Bounds = {
  frame: 64 * 1024,
  subscriptions: 20,
  frames: 300,
  unread: 1024 * 1024,
  unreadMs: 30_000,
};

/** milliseconds between two looks at each socket */
const lookEvery = 5_000;
const pingEvery = 15_000;
const tooMany = 4429;
/** milliseconds between telling a flooding client to go and cutting it off */
const lastWordsMs = 1_000;
/** milliseconds; a longer one would fire at once */
const longestTimer = 2 ** 31 - 1;

type Extra = { readonly socket: WebSocket; readonly request: IncomingMessage; viewer: Viewer | null };

type Options = {
  readonly server: Server;
  readonly settings: Settings;
  readonly tokens: AccessTokens;
  readonly subscriptions: Subscriptions;
  readonly schema: GraphQLSchema;
  readonly log: Log;
  readonly bounds?: Bounds;
};

/** How long a socket has been holding more than it may, looked at now and then. */
export const createPatience = ({ unread, unreadMs }: Bounds): ((bytes: number, nowMs: number) => boolean) => {
  let since: number | null = null;
  return (bytes, nowMs) => {
    since = bytes > unread ? (since ?? nowMs) : null;
    return since === null || nowMs - since < unreadMs;
  };
};

const authorizationIn = (params: Readonly<Record<string, unknown>> | undefined): string | undefined => {
  const [, value] =
    Object.entries(params ?? {}).find(([name]) => name.toLowerCase() === 'authorization') ?? [];
  // What is not text is no token either, and is refused like a wrong one.
  return value === undefined || value === null ? undefined : String(value);
};

const watch = (socket: WebSocket, bounds: Bounds): void => {
  let frames = 0;
  let looks = 0;
  let isAlive = true;
  const isPatient = createPatience(bounds);
  const count = () => {
    frames += 1;
    if (frames !== bounds.frames + 1) return;
    socket.close(tooMany, 'Too many messages');
    // Nothing more is read of one who floods; whoever is polite has heard the closing frame by then.
    socket.pause();
    setTimeout(() => socket.terminate(), lastWordsMs).unref();
  };
  socket.on('message', count);
  socket.on('ping', count);
  socket.on('pong', () => {
    isAlive = true;
  });
  const timer = setInterval(() => {
    looks += 1;
    if (looks % 2 === 0) frames = 0;
    // A closing frame would wait behind what is not read.
    if (!isPatient(socket.bufferedAmount, Date.now())) return socket.terminate();
    if ((looks * lookEvery) % pingEvery !== 0) return;
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, lookEvery);
  socket.once('close', () => clearInterval(timer));
};

/** @returns a function that closes every socket with 1001, so that clients come back to another process */
export const serveSockets = (options: Options): (() => Promise<void>) => {
  const { server, settings, tokens, subscriptions, schema, log, bounds = socketBounds } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: bounds.frame,
    perMessageDeflate: false,
    handleProtocols: (offered) => handleProtocols(offered),
  });
  let isStopping = false;

  server.on('upgrade', (request, socket, head) => {
    // A client that goes away in the middle of its handshake is its own affair.
    socket.on('error', () => socket.destroy());
    if (isStopping || request.url?.split('?')[0] !== '/graphql')
      return socket.end(
        `HTTP/1.1 ${isStopping ? '503 Service Unavailable' : '404 Not Found'}\r\nConnection: close\r\n\r\n`,
      );
    sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request));
  });

  /** The viewer for as long as the token lasts. */
  const signIn = async (
    extra: Extra,
    params: Readonly<Record<string, unknown>> | undefined,
  ): Promise<boolean> => {
    try {
      const given = await tokens.read(authorizationIn(params));
      extra.viewer = viewerOf(given, extra.request, settings);
      if (!given.expiresAt) return true;
      const left = Math.min(given.expiresAt.getTime() - Date.now(), longestTimer);
      const timer = setTimeout(
        () => extra.socket.close(CloseCode.Forbidden, 'The access token has expired'),
        left,
      );
      extra.socket.once('close', () => clearTimeout(timer));
      return true;
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'UNAUTHENTICATED') {
        // Without keys nobody can be told from anybody; the code invites to come back.
        extra.socket.close(1013, 'Try again later');
      }
      return false;
    }
  };

  const told = (error: GraphQLError, asking?: Asking) =>
    formatError(error.toJSON(), error, log, asking?.trace ?? newTrace());

  const protocol = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: 3_000,
    onConnect: ({ extra, connectionParams }) => signIn(extra, connectionParams),
    onSubscribe: (ctx, _id, payload) => {
      const { viewer, request } = ctx.extra;
      if (Object.keys(ctx.subscriptions).length > bounds.subscriptions)
        return [
          new RequestError(
            'RATE_LIMITED',
            `One socket carries ${bounds.subscriptions} subscriptions at most.`,
          ),
        ];
      try {
        const live = subscriptions.prepare(payload);
        if (!('plan' in live)) return live;
        const asking: Asking = { viewer: viewer!, trace: traceOf(request, settings) };
        return { schema, document: live.document, contextValue: { live, asking } } satisfies ExecutionArgs;
      } catch (error) {
        if (error instanceof GraphQLError) return [error];
        log.error({ err: error }, 'a subscription could not be prepared');
        return [new RequestError('INTERNAL')];
      }
    },
    subscribe: ({ contextValue }) => {
      const { live, asking } = contextValue as { live: Live; asking: Asking };
      return subscriptions.run(live, asking);
    },
    onNext: (_ctx, _id, _payload, { contextValue }, result: ExecutionResult) => {
      const { asking } = contextValue as { asking: Asking };
      const { errors, ...rest } = result;
      return errors ? { ...rest, errors: errors.map((error) => told(error, asking)) } : rest;
    },
    onError: (_ctx, _id, _payload, errors) =>
      errors.map((error) => told(error instanceof GraphQLError ? error : new GraphQLError(String(error)))),
  });

  sockets.on('connection', (socket, request) => {
    const extra: Extra = { socket, request, viewer: null };
    watch(socket, bounds);
    // ws has closed it with the code that fits, such as 1009 for too large a frame.
    socket.on('error', (error) => log.info({ err: error }, 'a socket broke'));
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        // Resolves when the socket has taken it: until then graphql-ws asks for no further event.
        send: (text) =>
          new Promise((resolve, reject) => {
            if (socket.readyState !== socket.OPEN) return resolve();
            socket.send(text, (error) => (error ? reject(error) : resolve()));
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (hear) =>
          socket.on('message', (data) => {
            if (socket.readyState !== socket.OPEN) return;
            hear(String(data)).catch((error: unknown) => {
              if (socket.readyState !== socket.OPEN) return;
              log.error({ err: error }, 'a message on a socket failed');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          }),
      },
      extra,
    );
    socket.once('close', (code, reason) => {
      Promise.resolve(closed(code, String(reason))).catch((error: unknown) =>
        log.error({ err: error }, 'a socket could not be cleared away'),
      );
    });
  });

  return async () => {
    isStopping = true;
    for (const client of sockets.clients) client.close(1001, 'Going away');
    // Whoever does not answer the closing frame is cut off.
    setTimeout(() => {
      for (const client of sockets.clients) client.terminate();
    }, 2_000).unref();
    await new Promise<void>((resolve) => sockets.close(() => resolve()));
  };
};
