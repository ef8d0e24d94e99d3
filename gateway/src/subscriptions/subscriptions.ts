// Subscriptions of one process, put together: sockets and event streams on one side, subgraphs on the other.
import type { ServerResponse } from 'node:http';
import { type Bounds, usualBounds } from './bounds.ts';
import { serveEventStream } from './event-stream.ts';
import { Office, type Reception, type Visitor } from './office.ts';
import type { Preparation } from './preparation.ts';
import { createUpgrade, type Upgrade } from './sockets.ts';
import { createStreams, type Upstreams } from './streams.ts';

export type Subscriptions<Asking> = {
  /** for the HTTP server's `upgrade` */
  readonly upgrade: Upgrade;
  /** @throws RequestError before anything is written */
  readonly serveEventStream: (
    response: ServerResponse,
    /** a parsed request of GraphQL over HTTP */
    body: unknown,
    visitor: Visitor<Asking>,
    address: string,
  ) => void;
  /** Goes on with a newer supergraph: what fits it is kept, the rest is ended. */
  readonly replace: (preparation: Preparation<Asking>, upstreams: Upstreams<Asking>) => Promise<void>;
  readonly state: () => {
    /** sockets and event streams */
    readonly clients: number;
    /** subscriptions to subgraphs */
    readonly upstreams: number;
    /** subscriptions of clients */
    readonly subscriptions: number;
    /** bytes that clients have not taken */
    readonly held: number;
  };
  /** Sends every client elsewhere, with 1001 or a `retry:`. Resolves when all have gone. */
  readonly drain: () => Promise<void>;
};

type Options<Asking> = Reception<Asking> & {
  readonly preparation: Preparation<Asking>;
  readonly upstreams: Upstreams<Asking>;
  readonly path?: string;
  readonly bounds?: Bounds;
};

/** milliseconds for clients to answer the goodbye */
const patienceMs = 2_000;

export const openSubscriptions = <Asking>(options: Options<Asking>): Subscriptions<Asking> => {
  const { preparation, upstreams, path = '/graphql', bounds = usualBounds, shareKeyOf, renew, log } = options;
  const streams = createStreams({ upstreams, shareKeyOf, renew, most: bounds.upstreams, log });
  const office = new Office(options, bounds, streams, preparation);
  return {
    upgrade: createUpgrade(office, path),
    serveEventStream: (response, body, visitor, address) =>
      serveEventStream(office, response, body, visitor, address),
    replace: async (newer, to) => {
      office.preparation = newer;
      await streams.replace(newer, to);
    },
    state: () => {
      const { upstreams: count, members } = streams.state();
      let held = 0;
      for (const client of office.clients) held += client.held();
      return { clients: office.clients.size, upstreams: count, subscriptions: members, held };
    },
    drain: () => office.drain(patienceMs),
  };
};
