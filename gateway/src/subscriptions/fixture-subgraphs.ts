// Two small subgraphs whose subscriptions ring with a bell.
import { type EventEmitter, on } from 'node:events';
import { RequestError } from '@orderstream/runtime/errors';
import type { Resolvers } from '@orderstream/runtime/subgraph';

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])`;

export const ordersText = `${link}
type Order @key(fields: "id") { id: ID! version: Int! note: String! customer: User }
type User @key(fields: "id", resolvable: false) { id: ID! }
type News @key(fields: "id") { id: ID! label: String! author: User }
type Query { order(id: ID!): Order }
type Subscription {
  orderUpdated(id: ID!, sinceVersion: Int): Order!
  orderFeed: Order!
  news(after: Int): News!
  ticket: String
  forbidden: Order!
  countdown(from: Int!): Int!
}`;

export const usersText = `${link}
type User @key(fields: "id") { id: ID! name: String }
type Query { me: User }`;

/** The users subgraph can tell of tickets, too, once the supergraph knows of it. */
export const movedTickets = 'type Subscription { ticket: String }';

export type Order = { readonly id: string; readonly version: number; readonly note: string };

/**
 * What rings from now on, after what is there already. Written out: a generator that waits for an event could not be
 * ended before the event comes.
 */
const watch = <T>(
  bell: EventEmitter,
  name: string,
  first: readonly T[],
  isWanted: (item: T) => boolean = () => true,
): AsyncIterableIterator<T> => {
  const source = on(bell, name);
  const early = [...first];
  const events: AsyncIterableIterator<T> = {
    next: async () => {
      if (early.length > 0) return { done: false, value: early.shift()! };
      for (;;) {
        const { done, value } = await source.next();
        if (done) return { done: true, value: undefined };
        if (isWanted(value[0])) return { done: false, value: value[0] };
      }
    },
    return: async () => {
      await source.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => events,
  };
  return events;
};

export const ticketResolvers = (bell: EventEmitter) => ({
  ticket: { subscribe: () => watch(bell, 'ticket', []), resolve: (label: string | null) => label },
});

export const resolversOf = (
  book: Map<string, Order>,
  past: { id: number; label: string }[],
  bell: EventEmitter,
): Resolvers => {
  const customer = { id: 'ada' };
  const whole = (order: Order) => ({ ...order, customer });
  return {
    Subscription: {
      orderUpdated: {
        subscribe: (_: unknown, { id, sinceVersion }: { id: string; sinceVersion?: number }) => {
          const now = book.get(id);
          const first = now && now.version > (sinceVersion ?? 0) ? [now] : [];
          return watch<Order>(bell, 'order', first, (order) => order.id === id);
        },
        resolve: whole,
      },
      orderFeed: { subscribe: () => watch<Order>(bell, 'order', []), resolve: whole },
      news: {
        subscribe: (_: unknown, { after }: { after?: number }) =>
          watch(bell, 'news', after === undefined ? [] : past.filter(({ id }) => id > after)),
        resolve: (news: object) => ({ ...news, author: customer }),
      },
      ...ticketResolvers(bell),
      forbidden: {
        subscribe: () => {
          throw new RequestError('FORBIDDEN', 'Only for staff.');
        },
      },
      countdown: {
        subscribe: async function* (_: unknown, { from }: { from: number }) {
          for (let left = from; left > 0; left--) yield left;
        },
        resolve: (left: number) => left,
      },
    },
  };
};
