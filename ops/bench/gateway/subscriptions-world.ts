// What the processes of the subscriptions bench agree on.
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])`;

export const sdlOf = {
  orders: `${link}
    type Query { orders: Int }
    type Customer @key(fields: "id", resolvable: false) { id: ID! }
    type Order @key(fields: "id") { id: ID! version: Int! happenedAt: Float! note: String! customer: Customer! }
    type Subscription { orderUpdated(id: ID!): Order! }`,
  customers: `${link}
    type Query { customers: Int }
    type Customer @key(fields: "id") { id: ID! name: String! }`,
} as const;

export const question =
  'subscription ($id: ID!) {orderUpdated(id: $id) {version happenedAt note customer {name}}}';

/** What the subgraph itself can tell. */
export const directQuestion = 'subscription ($id: ID!) {orderUpdated(id: $id) {version happenedAt note}}';

export const supergraphOf = (origin: string): string => {
  const services = (['orders', 'customers'] as const).map((name) => ({
    name,
    url: `${origin}/${name}`,
    typeDefs: parse(sdlOf[name]),
  }));
  const { supergraphSdl, errors } = composeServices(services);
  if (supergraphSdl === undefined) throw new Error(`The bench's subgraphs do not compose: ${errors}`);
  return supergraphSdl;
};

/** Of the clock that all processes of a machine share. */
export const microseconds = (): number => Number(process.hrtime.bigint() / 1_000n);

export type Wish = {
  readonly url: string;
  readonly question: string;
  readonly clients: number;
  readonly orders: number;
};

export type Ringing = {
  readonly orders: number;
  readonly perSecond: number;
  /** of the text in each event */
  readonly noteBytes: number;
};

/** What the load is asked, and how it answers. */
export type Order =
  | { readonly do: 'connect'; readonly wish: Wish }
  | { readonly do: 'subscribe' }
  | { readonly do: 'forget' }
  | { readonly do: 'tell' }
  | { readonly do: 'stall' }
  | { readonly do: 'resume' };

export type Told = {
  readonly connected: number;
  readonly closed: number;
  readonly subscribed: number;
  /** events since they were forgotten */
  readonly events: number;
  /** versions that came twice or went back */
  readonly wrong: number;
  /** of the clients' own event loop since then, in milliseconds */
  readonly longestTurnMs: number;
  /** microseconds, sorted */
  readonly delays: readonly number[];
};
