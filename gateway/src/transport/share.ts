// Equal queries to one subgraph at one moment are asked once: same body, same scope. What the scope is, the caller says:
// everything of a request that can change the answer, so that nobody hears an answer meant for another.
import type { RequestError } from '@orderstream/runtime/errors';
import type { Receiver, Transport } from './transport.ts';

export type ShareOptions<Asking> = {
  /** Two askings with the same key get the same answers; null is never shared. */
  readonly scopeOf: (asking: Asking) => string | null;
  readonly counts: CallCounts;
};

/** How many calls could have shared an answer, and how many did. */
export type CallCounts = { asked: number; joined: number };

/**
 * Milliseconds for which others may join. Who joined later would take over a wait, and a deadline, that began long
 * before it came.
 */
const boarding = 500;
/** scopes that are not worth looking through */
const fewScopes = 1_000;

class Flight implements Receiver {
  readonly #flights: Map<string, Flight>;
  readonly #body: string;
  readonly #departed = performance.now();
  /** Most flights carry one; a list is made for the second. */
  #first: Receiver | null;
  #others: Receiver[] | null = null;

  constructor(flights: Map<string, Flight>, body: string, first: Receiver) {
    this.#flights = flights;
    this.#body = body;
    this.#first = first;
  }

  takes(): boolean {
    return performance.now() - this.#departed < boarding;
  }

  join(receiver: Receiver): void {
    this.#others ??= [];
    this.#others.push(receiver);
  }

  answered(body: string): void {
    const [first, others] = this.#land();
    first?.answered(body);
    if (others) for (const receiver of others) receiver.answered(body);
  }

  failed(failure: RequestError): void {
    const [first, others] = this.#land();
    first?.failed(failure);
    if (others) for (const receiver of others) receiver.failed(failure);
  }

  // Out of the map before anybody is told: what is asked from now on is a new question.
  #land(): [Receiver | null, Receiver[] | null] {
    if (this.#flights.get(this.#body) === this) this.#flights.delete(this.#body);
    const landed: [Receiver | null, Receiver[] | null] = [this.#first, this.#others];
    this.#first = null;
    this.#others = null;
    return landed;
  }
}

export const withSharing = <Asking>(
  inner: Transport<Asking>,
  { scopeOf, counts }: ShareOptions<Asking>,
): Transport<Asking> => {
  const scopes = new Map<string, Map<string, Flight>>();
  let sweepAt = fewScopes;

  const flightsOf = (scope: string): Map<string, Flight> => {
    const known = scopes.get(scope);
    if (known) return known;
    // Scopes of people come and go; those with nothing in the air are let go whenever they may be half of all.
    if (scopes.size >= sweepAt) {
      for (const [key, flights] of scopes) if (flights.size === 0) scopes.delete(key);
      sweepAt = Math.max(fewScopes, scopes.size * 2);
    }
    const flights = new Map<string, Flight>();
    scopes.set(scope, flights);
    return flights;
  };

  return {
    send: (body, isQuery, asking, receiver) => {
      const scope = isQuery ? scopeOf(asking) : null;
      if (scope === null) {
        inner.send(body, isQuery, asking, receiver);
        return;
      }
      counts.asked += 1;
      const flights = flightsOf(scope);
      const flight = flights.get(body);
      if (flight?.takes()) {
        counts.joined += 1;
        flight.join(receiver);
        return;
      }
      const mine = new Flight(flights, body, receiver);
      flights.set(body, mine);
      inner.send(body, isQuery, asking, mine);
    },
    close: inner.close,
  };
};
