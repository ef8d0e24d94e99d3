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

class Flight implements Receiver {
  readonly body: string;
  readonly scope: string;
  readonly #board: Board;
  readonly #departed = performance.now();
  /** Most flights carry one; a list is made for the second. */
  #first: Receiver | null;
  #others: Receiver[] | null = null;

  constructor(board: Board, body: string, scope: string, first: Receiver) {
    this.#board = board;
    this.body = body;
    this.scope = scope;
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

  // Off the board before anybody is told: what is asked from now on is a new question.
  #land(): [Receiver | null, Receiver[] | null] {
    this.#board.remove(this);
    const landed: [Receiver | null, Receiver[] | null] = [this.#first, this.#others];
    this.#first = null;
    this.#others = null;
    return landed;
  }
}

/** What is in the air. Mostly a body is there for one scope, and a map is made for the second. */
class Board {
  readonly #flights = new Map<string, Flight | Map<string, Flight>>();

  find(body: string, scope: string): Flight | undefined {
    const there = this.#flights.get(body);
    if (there instanceof Map) return there.get(scope);
    return there?.scope === scope ? there : undefined;
  }

  /** In place of an earlier one of the same body and scope. */
  add(flight: Flight): void {
    const { body, scope } = flight;
    const there = this.#flights.get(body);
    if (there instanceof Map) there.set(scope, flight);
    else if (there && there.scope !== scope)
      this.#flights.set(
        body,
        new Map([
          [there.scope, there],
          [scope, flight],
        ]),
      );
    else this.#flights.set(body, flight);
  }

  remove(flight: Flight): void {
    const there = this.#flights.get(flight.body);
    if (there === flight) this.#flights.delete(flight.body);
    else if (there instanceof Map && there.get(flight.scope) === flight) {
      there.delete(flight.scope);
      if (there.size === 0) this.#flights.delete(flight.body);
    }
  }
}

export const withSharing = <Asking>(
  inner: Transport<Asking>,
  { scopeOf, counts }: ShareOptions<Asking>,
): Transport<Asking> => {
  const board = new Board();
  return {
    send: (body, isQuery, asking, receiver) => {
      const scope = isQuery ? scopeOf(asking) : null;
      if (scope === null) {
        inner.send(body, isQuery, asking, receiver);
        return;
      }
      counts.asked += 1;
      const flight = board.find(body, scope);
      if (flight?.takes()) {
        counts.joined += 1;
        flight.join(receiver);
        return;
      }
      const mine = new Flight(board, body, scope, receiver);
      board.add(mine);
      inner.send(body, isQuery, asking, mine);
    },
    close: inner.close,
  };
};
