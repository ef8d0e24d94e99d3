// What all clients of one process share, whichever protocol they speak.
import type { IncomingMessage } from 'node:http';
import type { Log } from '@orderstream/runtime/log';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { type Bounds, Tally } from './bounds.ts';
import type { Greeting } from './greeting.ts';
import type { Preparation, SubscribeRequest } from './preparation.ts';
import type { Streams } from './streams.ts';

/** Somebody who has said who they are. */
export type Visitor<Asking> = {
  /** whose clients and subscriptions are counted together; null for somebody not signed in */
  readonly user: string | null;
  /** of Date.now(); null for never */
  readonly expiresAt: number | null;
  /** Whether what they were let in by has been taken from them; asked every now and then. */
  readonly isGone?: () => boolean;
  /** Counts one more subscription on a socket, where it counts as a request. @throws RequestError RATE_LIMITED */
  readonly count?: () => Promise<void>;
  /** for one operation each */
  readonly asking: () => Asking;
};

/** Somebody at the door. */
export type Guest<Asking> = {
  readonly address: string;
  /** @throws RequestError UNAUTHENTICATED, or another where it cannot be told just now */
  readonly signIn: (authorization: string | undefined, greeting: Greeting) => Promise<Visitor<Asking>>;
};

export type Reception<Asking> = {
  /** Keeps nothing of the request that is not needed: there are many who do nothing but listen. */
  readonly receive: (request: IncomingMessage) => Guest<Asking>;
  /** What is asked for, where texts are stored or not everybody may ask for any. @throws RequestError */
  readonly textOf?: (request: SubscribeRequest, asking: Asking) => string | Promise<string>;
  /** Equal for all who may see the same; null for whoever shares nothing. */
  readonly shareKeyOf: (asking: Asking) => string | null;
  /** The same for one event, with a deadline of its own where there is one. */
  readonly renew: (asking: Asking) => Asking;
  /** What a client is told of an error of ours, and of one with which a subgraph refused it. */
  readonly tell: (error: GraphQLError, asking: Asking) => GraphQLFormattedError;
  readonly tellRefusal: (error: GraphQLFormattedError, asking: Asking) => GraphQLFormattedError;
  readonly log: Log;
};

/** Somebody served, over a socket or an event stream. */
export type Client = {
  /** bytes that it has not taken: handed over, or waiting */
  held(): number;
  /** Called every now and then: whatever takes too long or comes too often ends here. */
  sweep(now: number): void;
  /** Says goodbye, and when to come back in milliseconds. */
  drain(returnMs: number): void;
  /** Without goodbye. */
  cut(): void;
};

export class Office<Asking> {
  readonly reception: Reception<Asking>;
  readonly bounds: Bounds;
  readonly streams: Streams<Asking>;
  preparation: Preparation<Asking>;
  readonly clients = new Set<Client>();
  readonly addresses: Tally;
  readonly users: Tally;
  /** subscriptions of a user, and of an address */
  readonly byUser: Tally;
  readonly byAddress: Tally;
  isDraining = false;
  readonly #timer: NodeJS.Timeout;
  #round: IterableIterator<Client> = this.clients.values();

  constructor(
    reception: Reception<Asking>,
    bounds: Bounds,
    streams: Streams<Asking>,
    preparation: Preparation<Asking>,
  ) {
    this.reception = reception;
    this.bounds = bounds;
    this.streams = streams;
    this.preparation = preparation;
    this.addresses = new Tally(bounds.clientsPerAddress);
    this.users = new Tally(bounds.clientsPerUser);
    this.byUser = new Tally(bounds.subscriptionsPerUser);
    this.byAddress = new Tally(bounds.subscriptionsPerAddress);
    // One timer for all: ten thousand of their own would cost more than all that they wait for. And a few at a time: ten
    // thousand in one turn, each perhaps pinged, would make events wait.
    const turnMs = Math.max(10, bounds.sweepMs / 20);
    this.#timer = setInterval(() => this.#sweep(turnMs / bounds.sweepMs), turnMs);
    this.#timer.unref();
  }

  /** How a client that may not enter is told, as an HTTP status; null where it may, and is counted by its address. */
  refusal(address: string): 429 | 503 | null {
    if (this.isDraining || this.clients.size >= this.bounds.clients) return 503;
    return this.addresses.take(address) ? null : 429;
  }

  /** Clients come back one by one, not all in one moment. */
  returnMs(): number {
    return Math.round(this.bounds.returnMs * (0.2 + 0.8 * Math.random()));
  }

  /** Resolves when all have left, or been cut off after `patienceMs`. */
  async drain(patienceMs: number): Promise<void> {
    this.isDraining = true;
    for (const client of this.clients) client.drain(this.returnMs());
    const until = Date.now() + patienceMs;
    while (this.clients.size > 0 && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
    for (const client of this.clients) client.cut();
    clearInterval(this.#timer);
  }

  /** @param share of the clients that are looked at in this turn */
  #sweep(share: number): void {
    const now = Date.now();
    for (let left = Math.ceil(this.clients.size * share); left > 0; left -= 1) {
      const { done, value } = this.#round.next();
      if (!done) value.sweep(now);
      else this.#round = this.clients.values();
    }
  }
}
