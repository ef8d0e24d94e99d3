// Subscriptions of two small subgraphs in this process, with real doors for clients: what passes between is GraphQL as
// on a wire, and what clients do is seen without waiting for anything but them.
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { RequestError, statusOf } from '@orderstream/runtime/errors';
import { readBody } from '@orderstream/runtime/host/http';
import { createLog } from '@orderstream/runtime/log';
import type { Resolvers } from '@orderstream/runtime/subgraph';
import { type ExecutionResult, execute, type GraphQLSchema, parse, subscribe } from 'graphql';
import { compose } from '../composition.ts';
import { parseWithinLimits } from '../limits/admission.ts';
import { defaultLimits } from '../limits/limit.ts';
import { readVariables } from '../limits/variables.ts';
import { openSupergraph, type Supergraph } from '../plan/supergraph.ts';
import { toBinary, toText } from '../transport/binary.ts';
import { openInProcessTransport } from '../transport/in-process.ts';
import type { Upstream } from '../transport/upstream.ts';
import { type Bounds, usualBounds } from './bounds.ts';
import { isAskedFor, requestInUrl, wantsEventStream } from './event-stream.ts';
import {
  movedTickets,
  type Order,
  ordersText,
  resolversOf,
  ticketResolvers,
  usersText,
} from './fixture-subgraphs.ts';
import type { Visitor } from './office.ts';
import { createPreparation, type Preparation } from './preparation.ts';
import { openSubscriptions, type Subscriptions } from './subscriptions.ts';

/** Somebody's name, or nobody's; and the scopes that came with it. */
export type Asking = { readonly user: string | null; readonly scope: string };

/** Small ones, so that nothing takes seconds. */
const hallBounds: Bounds = {
  ...usualBounds,
  subscriptionsPerClient: 20,
  greetingMs: 5_000,
  sweepMs: 20,
  keepAliveMs: 100_000,
};

const log = createLog('hall', 'silent');

const documents = [
  { name: 'orders', text: ordersText },
  { name: 'users', text: usersText },
];
const { supergraph: composed } = compose(documents);

const opened = new Map<string, Supergraph>();

/** Opened once for all halls of a file: planners are processes. */
const supergraphOf = (sdl: string): Supergraph => {
  const supergraph = opened.get(sdl) ?? openSupergraph(sdl, { planningMs: 20_000 });
  opened.set(sdl, supergraph);
  return supergraph;
};

/** A subgraph's subscriptions without a socket between. */
const openLocalUpstream = (schema: GraphQLSchema) => {
  const state = { open: 0, opened: 0, askings: [] as Asking[] };
  const restarts = new Set<() => void>();
  const upstream: Upstream<Asking> = {
    subscribe: (body, asking, listener) => {
      const { query, variables } = JSON.parse(toText(body));
      let source: AsyncGenerator<ExecutionResult> | null = null;
      let isOver = false;
      state.open += 1;
      state.opened += 1;
      state.askings.push(asking);
      const end = () => {
        if (isOver) return;
        isOver = true;
        state.open -= 1;
        restarts.delete(restart);
        void source?.return(undefined);
      };
      const run = async () => {
        const answer = await subscribe({
          schema,
          document: parse(query),
          variableValues: variables,
          contextValue: asking,
        });
        if (!(Symbol.asyncIterator in answer)) {
          end();
          return listener.refused(JSON.parse(JSON.stringify(answer.errors)));
        }
        const mine = answer;
        source = mine;
        if (isOver) return mine.return(undefined);
        for await (const event of mine) if (!isOver) listener.next(toBinary(JSON.stringify(event)));
        if (isOver || source !== mine) return;
        end();
        listener.complete();
      };
      const restart = () => {
        void source?.return(undefined);
        source = null;
        listener.again?.();
        void run();
      };
      restarts.add(restart);
      void run();
      return end;
    },
    state: () => ({ sockets: 0, subscriptions: state.open }),
    close: () => undefined,
  };
  const breakAll = () => {
    for (const restart of restarts) restart();
  };
  return { upstream, state, breakAll };
};

export type Hall = {
  readonly url: string;
  readonly subscriptions: Subscriptions<Asking>;
  /** subscriptions at the orders subgraph: now, ever, and for whom */
  readonly upstream: { readonly open: number; readonly opened: number; readonly askings: Asking[] };
  /** the same at the users subgraph */
  readonly otherUpstream: { readonly open: number; readonly opened: number };
  /** subscriptions that hear already what rings */
  readonly ears: () => number;
  /** names asked of the users subgraph */
  readonly named: () => number;
  readonly put: (order: Order) => void;
  /** Tells the news without keeping or keeping it for who asks for the past. */
  readonly tell: (id: number, label?: string) => void;
  readonly ticket: (label: string | null) => void;
  readonly rename: (name: string) => void;
  /** Prepares against another supergraph, of which these words are replaced. */
  readonly reload: (replaced: string, by: string) => Promise<void>;
  /** The same with a subscription that another subgraph serves now. */
  readonly moveTickets: () => Promise<void>;
  /** Every subscription to the orders subgraph is lost and made anew. */
  readonly breakUpstream: () => void;
  readonly close: () => Promise<void>;
};

export const openHall = async (bounds: Partial<Bounds> = {}): Promise<Hall> => {
  const book = new Map<string, Order>();
  const past: { id: number; label: string }[] = [];
  const bell = new EventEmitter().setMaxListeners(0);
  let name = 'Ada';
  let named = 0;
  const schemaOf = (text: string, resolvers: Resolvers): GraphQLSchema =>
    buildSubgraphSchema([{ typeDefs: parse(text), resolvers: resolvers as never }]);
  const orders = schemaOf(ordersText, resolversOf(book, past, bell));
  const users = schemaOf(`${usersText}\n${movedTickets}`, {
    Subscription: ticketResolvers(bell),
    User: {
      name: () => name,
      __resolveReference: ({ id }: { id: string }) => {
        named += 1;
        return { id };
      },
    },
  });
  const transport = (of: string, schema: GraphQLSchema) =>
    openInProcessTransport<Asking>({
      name: of,
      execute: ({ query, variables }) =>
        execute({ schema, document: parse(query), ...(variables && { variableValues: variables }) }),
      timeoutMs: 5_000,
      largestAnswer: 10_000_000,
    });
  const transports = new Map([
    ['orders', transport('orders', orders)],
    ['users', transport('users', users)],
  ]);
  const local = openLocalUpstream(orders);
  const other = openLocalUpstream(users);
  const upstreams = new Map([
    ['orders', local.upstream],
    ['users', other.upstream],
  ]);

  const prepared = (sdl: string): Preparation<Asking> => {
    const supergraph = supergraphOf(sdl);
    return createPreparation<Asking>({
      supergraph,
      transports,
      hidesSuggestions: false,
      rules: {
        parse: (text) => parseWithinLimits(text, defaultLimits) ?? parse(text),
        readVariables: (operation, given) => readVariables(supergraph.apiSchema, operation, given),
        check: () => undefined,
      },
    });
  };

  /** `ada`, `ada 500` for half a second, `ada 500 staff` with a scope. */
  const signIn = async (authorization: string | undefined): Promise<Visitor<Asking>> => {
    if (authorization === 'nonsense') throw new RequestError('UNAUTHENTICATED');
    if (authorization === 'blackout') throw new RequestError('SUBGRAPH_UNAVAILABLE');
    const [user = null, ms, scope = ''] = authorization?.split(' ') ?? [];
    return {
      user,
      expiresAt: ms ? Date.now() + Number(ms) : null,
      asking: () => {
        if (user === 'nemo') throw new TypeError('nobody knows who this is');
        return { user, scope };
      },
    };
  };

  const subscriptions = openSubscriptions<Asking>({
    preparation: prepared(composed),
    upstreams,
    receive: (request) => ({ address: String(request.headers['x-address'] ?? 'here'), signIn }),
    shareKeyOf: ({ user, scope }) => (scope === 'alone' ? null : `${user} ${scope}`),
    renew: (asking) => asking,
    tell: (error) => error.toJSON(),
    tellRefusal: ({ message, extensions }) => ({ message, ...(extensions && { extensions }) }),
    log,
    bounds: { ...hallBounds, ...bounds },
  });

  const stream = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { headers, method, url } = request;
    const body = method === 'GET' ? requestInUrl(url!) : JSON.parse(String(await readBody(request, 10_000)));
    if (!wantsEventStream(headers.accept, body)) return void response.writeHead(406).end();
    if (method === 'GET' && !isAskedFor(request, new Set(['https://shop.example'])))
      throw new RequestError('FORBIDDEN');
    const visitor = await signIn(headers.authorization);
    subscriptions.serveEventStream(response, body, visitor, String(headers['x-address'] ?? 'here'));
  };
  const server = createServer((request, response) => {
    stream(request, response).catch((error: unknown) => {
      const code = error instanceof RequestError ? error.code : 'INTERNAL';
      response.writeHead(statusOf(code)).end(String(error));
    });
  });
  server.on('upgrade', subscriptions.upgrade);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    subscriptions,
    upstream: local.state,
    otherUpstream: other.state,
    breakUpstream: local.breakAll,
    ears: () =>
      bell.eventNames().reduce((sum, one) => sum + (one === 'error' ? 0 : bell.listenerCount(one)), 0),
    named: () => named,
    put: (order) => {
      book.set(order.id, order);
      bell.emit('order', order);
    },
    tell: (id, label = `news ${id}`) => {
      past.push({ id, label });
      bell.emit('news', { id, label });
    },
    ticket: (label) => void bell.emit('ticket', label),
    rename: (next) => {
      name = next;
    },
    reload: (replaced, by) => {
      const changed = documents.map((one) => ({ ...one, text: one.text.replace(replaced, by) }));
      return subscriptions.replace(prepared(compose(changed).supergraph), upstreams);
    },
    moveTickets: () => {
      const [before, after] = documents as [(typeof documents)[0], (typeof documents)[0]];
      const changed = [
        { ...before, text: before.text.replace('  ticket: String\n', '') },
        { ...after, text: `${after.text}\n${movedTickets}` },
      ];
      return subscriptions.replace(prepared(compose(changed).supergraph), upstreams);
    },
    close: async () => {
      await subscriptions.drain();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
