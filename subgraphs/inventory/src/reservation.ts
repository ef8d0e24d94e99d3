// What an order has of the stock: first a hold with a deadline, then goods set aside for good, or nothing any more.
import type { Message } from '@orderstream/runtime/messages';
import { StockRefused, StockReserved } from './messages.ts';
import type { Part } from './warehouse.ts';

export type State = 'HELD' | 'ALLOCATED' | 'RELEASED' | 'EXPIRED' | 'REFUSED' | 'SHIPPED';

export type Reservation = {
  readonly id: string;
  readonly tenantId: string;
  readonly orderId: string;
  readonly state: State;
  readonly holdUntil: Date | null;
  /** what there was not enough of; empty unless REFUSED */
  readonly refusedSkus: readonly string[];
  readonly parts: readonly Part[];
  readonly version: number;
};

export type Move = 'allocate' | 'release' | 'expire';

/** A move without an entry came late or twice and changes nothing. */
const moves: Record<State, Partial<Record<Move, State>>> = {
  HELD: { allocate: 'ALLOCATED', release: 'RELEASED', expire: 'EXPIRED' },
  ALLOCATED: { release: 'RELEASED' },
  RELEASED: {},
  EXPIRED: {},
  REFUSED: {},
  SHIPPED: {},
};

export const after = (state: State, move: Move): State | null => moves[state][move] ?? null;

export type Counter = 'held' | 'allocated';

/** The counter of the stock in which the units of a reservation stand. */
const counterOf: Partial<Record<State, Counter>> = { HELD: 'held', ALLOCATED: 'allocated' };

/** How many times a part's quantity is added to each counter when a reservation goes from one state to the next. */
export const effect = (from: State | null, to: State): Record<Counter, number> => {
  const units = (state: State | null, counter: Counter): number =>
    Number(state !== null && counterOf[state] === counter);
  return {
    held: units(to, 'held') - units(from, 'held'),
    allocated: units(to, 'allocated') - units(from, 'allocated'),
  };
};

/** The answer to a reserve, and to its repetition: the same for as long as it is true. */
export const answer = ({ orderId, state, parts, refusedSkus, version }: Reservation): Message => {
  if (state === 'REFUSED')
    return StockRefused({ orderId, reason: 'OUT_OF_STOCK', skus: [...refusedSkus] }, version);
  if (state === 'RELEASED' || state === 'EXPIRED')
    return StockRefused({ orderId, reason: 'HOLD_GONE', skus: [] }, version);
  return StockReserved({ orderId, parts: [...parts] }, version);
};
