// The subgraphs of the subscriptions bench, `node subscriptions-source.ts PORT`: orders that change at a given rate over
// graphql-ws, and customers as entities. Each event carries the moment in which it happened, by the clock that all
// processes of the machine share.
import { EventEmitter, on } from 'node:events';
import { createServer } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { microseconds, type Ringing, sdlOf } from './subscriptions-world.ts';

const bell = new EventEmitter().setMaxListeners(0);
const versions = new Map<string, number>();
let subscribed = 0;
/** when an order changed last, in microseconds */
const happened = new Map<string, number>();
let note = '';

const orderOf = (id: string) => ({
  id,
  version: versions.get(id) ?? 1,
  happenedAt: happened.get(id) ?? 0,
  note,
  customer: { id: `customer of ${id}` },
});

/** Written out: a generator that waits for an event could not be ended before the event comes. */
const watch = (id: string): AsyncIterableIterator<{ orderUpdated: unknown }> => {
  const source = on(bell, id);
  let isFirst = true;
  subscribed += 1;
  const events: AsyncIterableIterator<{ orderUpdated: unknown }> = {
    next: async () => {
      if (!isFirst) {
        const { done } = await source.next();
        if (done) return { done: true, value: undefined };
      }
      isFirst = false;
      return { done: false, value: { orderUpdated: orderOf(id) } };
    },
    return: async () => {
      subscribed -= 1;
      await source.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => events,
  };
  return events;
};

const orders = buildSubgraphSchema([
  {
    typeDefs: parse(sdlOf.orders),
    resolvers: {
      Subscription: {
        orderUpdated: { subscribe: (_: unknown, { id }: { readonly id: string }) => watch(id) },
      } as never,
    },
  },
]);
const customers = buildSubgraphSchema([
  {
    typeDefs: parse(sdlOf.customers),
    resolvers: {
      Customer: {
        __resolveReference: ({ id }: { readonly id: string }) => ({ id }),
        name: ({ id }: { readonly id: string }) => `The ${id}`,
      },
    },
  },
]);

let ticking: NodeJS.Timeout | undefined;
const ring = ({ orders: count, perSecond, noteBytes }: Ringing): void => {
  clearInterval(ticking);
  note = 'x'.repeat(noteBytes);
  if (perSecond === 0) return;
  let told = 0;
  const began = performance.now();
  ticking = setInterval(() => {
    // Timers are late; the rate is kept by how many were due.
    const due = Math.floor(((performance.now() - began) / 1_000) * perSecond);
    for (; told < due; told += 1) {
      const id = `o${told % count}`;
      versions.set(id, (versions.get(id) ?? 1) + 1);
      happened.set(id, microseconds());
      bell.emit(id);
    }
  }, 2);
};

const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const answer = (value: unknown): void => {
    const text = JSON.stringify(value);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  };
  if (request.url === '/control') {
    if (body !== '') ring(JSON.parse(body));
    return answer({ subscribed });
  }
  const { query, variables } = JSON.parse(body);
  answer(await graphql({ schema: customers, source: query, variableValues: variables }));
});
useServer({ schema: orders }, new WebSocketServer({ server, path: '/orders', perMessageDeflate: false }));
server.listen(Number(process.argv[2]), '127.0.0.1');
