// A shop of two small subgraphs for the gateway's tests: the runtime's own doors and signatures on real sockets, with
// orders kept in memory.
import { EventEmitter, on } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { RequestError } from '@orderstream/runtime/errors';
import { openGraphQL } from '@orderstream/runtime/host/graphql';
import { readBody, send, sendError } from '@orderstream/runtime/host/http';
import { subgraphSchema } from '@orderstream/runtime/host/schema';
import { serveSubscriptions } from '@orderstream/runtime/host/subscriptions';
import { createLog } from '@orderstream/runtime/log';
import { signatureHeader, signingKey, verify, viewerHeader } from '@orderstream/runtime/signature';
import type { Context, Resolvers } from '@orderstream/runtime/subgraph';
import { traceFrom } from '@orderstream/runtime/trace';
import type { Viewer } from '@orderstream/runtime/viewer';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { compose } from '../composition.ts';
import { type Gateway, openGateway } from './gateway.ts';

const secret = 'a secret of forty characters for the tests';
export const tenantId = '01900000-0000-7000-8000-000000000001';
export const ada = '01900000-0000-7000-8000-0000000000aa';
export const bob = '01900000-0000-7000-8000-0000000000bb';

const shared = readFileSync(new URL(import.meta.resolve('@orderstream/runtime/schema.graphql')), 'utf8');

const texts = {
  orders: `${shared}
type Order implements Node @key(fields: "id") {
  id: ID! @tag(name: "partner")
  version: Int! @tag(name: "partner")
  note: String!
  customer: User
}
type User @key(fields: "id", resolvable: false) { id: ID! }
type Ticket { label: String! }
type OrderPlaced { order: Order! }
union CheckoutResult = OrderPlaced | NotFound
input CheckoutInput { cartId: ID! }
type Query {
  order(id: ID!): Order @tag(name: "partner")
  orders(placedFrom: DateTime, atLeast: Long): [Order!]!
  deviceAndAddress: String!
  slow: String
  broken: String
  forbidden: String
  forStaff: String @requiresScopes(scopes: [["orders:read"]])
}
type Mutation { checkout(input: CheckoutInput!): CheckoutResult! }
type Subscription { orderUpdated(id: ID!): Order! orderFeed: Order! tickets: Ticket! }`,
  users: `${shared}
type User implements Node @key(fields: "id") { id: ID! name: String }
type Query { me: User }`,
};

export const fixtureDocuments = Object.entries(texts).map(([name, text]) => ({ name, text }));

type Order = { id: string; version: number; note: string; customer: { id: string } | null };

/** A request as a subgraph heard it. */
type Heard = {
  readonly viewer: Viewer | null;
  readonly headers: Record<string, unknown>;
  readonly body: string;
};

type Part = {
  readonly url: string;
  readonly port: number;
  readonly heard: Heard[];
  readonly stop: () => Promise<void>;
  /** again at the same port */
  readonly start: () => Promise<void>;
};

const key = signingKey(secret);
const log = createLog('fixture', 'silent');

const openPart = async (name: keyof typeof texts, resolvers: Resolvers, jwks: unknown): Promise<Part> => {
  const schema = subgraphSchema(texts[name], resolvers);
  const path = `/${name}/graphql`;
  const service = { context: (parts: unknown) => parts as Context };
  const door = await openGraphQL(schema, log, { plain: false });
  const heard: Heard[] = [];
  let port = 0;
  let shut = async (): Promise<void> => undefined;

  const start = async (): Promise<void> => {
    const server = createServer(async (request, response) => {
      if (request.url === '/health/ready') return send(response, 200, '{"ready":true}');
      if (request.url === '/users/jwks') return send(response, 200, JSON.stringify(jwks));
      const { headers } = request;
      const body = await readBody(request, 4_000_000);
      const now = new Date();
      const given = { viewer: headers[viewerHeader], signature: headers[signatureHeader] };
      const viewer = verify(key, request.method!, request.url!, given, body, now);
      heard.push({ viewer, headers, body: body.toString() });
      if (!viewer) return sendError(response, new RequestError('UNAUTHENTICATED'));
      const trace = traceFrom(headers.traceparent as string | undefined);
      const context = service.context({ viewer, now, trace, log });
      const parsed = JSON.parse(body.toString());
      const answer = await door.answer({
        body: parsed,
        contentType: headers['content-type'],
        headers,
        context,
      });
      send(response, answer.status, answer.body, answer.headers);
    });
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    if (schema.getSubscriptionType()) serveSubscriptions({ server, path, schema, service, key, log });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    // As a process that is killed would: no goodbye on any connection.
    shut = async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    };
  };
  await start();
  return {
    get port() {
      return port;
    },
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    heard,
    start,
    stop: () => shut(),
  };
};

export type Shop = {
  readonly orders: Part;
  readonly users: Part;
  readonly supergraph: string;
  readonly env: NodeJS.ProcessEnv;
  readonly gateway: Gateway;
  /** Keeps an order and tells whoever is subscribed. */
  readonly put: (order: Order) => void;
  readonly ticket: (label: string) => void;
  /** subscriptions that orders is serving */
  readonly subscribed: () => number;
  /** viewers of subscriptions, in the order in which they came */
  readonly subscribers: (string | null)[];
  readonly token: (userId?: string, lifetime?: string, scopes?: string[]) => Promise<string>;
  readonly ask: (
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ) => Promise<{ status: number; body: GraphQLAnswer; headers: Headers }>;
  readonly close: () => Promise<void>;
};

type GraphQLAnswer = { data?: unknown; errors?: GraphQLAnswerError[] };

type GraphQLAnswerError = {
  message: string;
  path?: (string | number)[];
  extensions: { code: string; retryable: boolean; traceId: string; argument?: string };
};

export const openShop = async (env: NodeJS.ProcessEnv = {}): Promise<Shop> => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] };
  const book = new Map<string, Order>();
  const news = new EventEmitter().setMaxListeners(0);
  const subscribers: (string | null)[] = [];

  const updates = (wanted: (order: Order) => boolean, first: Order | undefined, viewer: Viewer) => {
    subscribers.push(viewer.userId);
    const aborted = new AbortController();
    const source = on(news, 'order', { signal: aborted.signal });
    const pending = first ? [first] : [];
    const events = {
      next: async (): Promise<IteratorResult<Order>> => {
        const early = pending.shift();
        if (early) return { done: false, value: early };
        for (;;) {
          const { done, value } = await source.next();
          if (done) return { done: true, value: undefined };
          if (wanted(value[0])) return { done: false, value: value[0] };
        }
      },
      return: async () => {
        await source.return?.();
        return { done: true as const, value: undefined };
      },
      [Symbol.asyncIterator]: () => events,
    };
    return events;
  };

  const orders = await openPart(
    'orders',
    {
      Query: {
        order: (_: unknown, { id }: { id: string }) => book.get(id) ?? null,
        orders: () => [...book.values()],
        deviceAndAddress: (_: unknown, __: unknown, { viewer }: Context) =>
          `${viewer.deviceId} ${viewer.clientAddress}`,
        slow: () => new Promise((resolve) => setTimeout(() => resolve('at last'), 300)),
        broken: () => {
          throw new Error('connect ECONNREFUSED 10.1.2.3:5432');
        },
        forbidden: () => {
          throw new RequestError('FORBIDDEN', 'Only for staff.', { path: ['input', 'id'] });
        },
        forStaff: () => 'a figure',
      },
      Mutation: {
        checkout: (_: unknown, { input }: { input: { cartId: string } }) =>
          book.has(input.cartId)
            ? { __typename: 'OrderPlaced', order: book.get(input.cartId) }
            : { __typename: 'NotFound', code: 'NOT_FOUND', message: 'not found' },
      },
      Subscription: {
        orderUpdated: {
          subscribe: (_: unknown, { id }: { id: string }, { viewer }: Context) => {
            if (viewer.userId === null) throw new RequestError('UNAUTHENTICATED');
            return updates((order) => order.id === id, book.get(id), viewer);
          },
          resolve: (order: Order) => order,
        },
        orderFeed: {
          subscribe: (_: unknown, __: unknown, { viewer }: Context) => updates(() => true, undefined, viewer),
          resolve: (order: Order) => order,
        },
        tickets: {
          subscribe: () => on(news, 'ticket'),
          resolve: ([label]: [string]) => ({ label }),
        },
      },
    },
    jwks,
  );
  const names: Record<string, string> = { [ada]: 'Ada', [bob]: 'Bob' };
  const users = await openPart(
    'users',
    {
      Query: { me: (_: unknown, __: unknown, { viewer }: Context) => viewer.userId && { id: viewer.userId } },
      User: {
        name: ({ id }: { id: string }) => names[id],
        __resolveReference: ({ id }: { id: string }) => ({ id }),
      },
    },
    jwks,
  );

  const { supergraph } = compose(fixtureDocuments);
  const settings: NodeJS.ProcessEnv = {
    NODE_ENV: 'test',
    PORT: '0',
    LOG_LEVEL: 'silent',
    GATEWAY_SECRET: secret,
    TENANT_ID: tenantId,
    SUBGRAPHS_URL: orders.url,
    USERS_URL: users.url,
    ...env,
  };
  const gateway = await openGateway(settings, { supergraph });

  return {
    orders,
    users,
    supergraph,
    env: settings,
    gateway,
    subscribers,
    subscribed: () => news.listenerCount('order'),
    put: (order) => {
      book.set(order.id, order);
      news.emit('order', order);
    },
    ticket: (label) => news.emit('ticket', label),
    token: (userId = ada, lifetime = '10m', scopes = []) =>
      new SignJWT({ tid: tenantId, sid: bob, scopes })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setSubject(userId)
        .setIssuer('orderstream')
        .setAudience('orderstream')
        .setIssuedAt()
        .setExpirationTime(lifetime)
        .sign(privateKey),
    ask: async (query, variables, headers) => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      });
      return {
        status: response.status,
        body: (await response.json()) as GraphQLAnswer,
        headers: response.headers,
      };
    },
    close: async () => {
      await gateway.stop();
      await Promise.all([orders.stop(), users.stop()]);
    },
  };
};
