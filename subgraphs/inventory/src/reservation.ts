// What an order has of the stock: first a hold with a deadline, then goods set aside for good, then goods that have left,
// or nothing any more.
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

export type Move = 'allocate' | 'release' | 'expire' | 'ship';

/** A move without an entry came late or twice and changes nothing. */
const moves: Record<State, Partial<Record<Move, State>>> = {
  // Shipped without an allocation is against the rules of whoever ships; what has left is not there any more all the same.
  HELD: { allocate: 'ALLOCATED', release: 'RELEASED', expire: 'EXPIRED', ship: 'SHIPPED' },
  ALLOCATED: { release: 'RELEASED', ship: 'SHIPPED' },
  RELEASED: {},
  EXPIRED: {},
  REFUSED: {},
  SHIPPED: {},
};

export const after = (state: State, move: Move): State | null => moves[state][move] ?? null;

export type Counter = 'held' | 'allocated' | 'shipped' | 'returned';

/** The counter of the stock in which the units of a reservation stand. */
const counterOf: Partial<Record<State, Counter>> = {
  HELD: 'held',
  ALLOCATED: 'allocated',
  SHIPPED: 'shipped',
};

/** How many times a quantity is added to each counter; what is shipped leaves the shelves, what is returned comes back. */
export type Effect = Readonly<Record<Counter, number>>;

const none: Effect = { held: 0, allocated: 0, shipped: 0, returned: 0 };

/** What a part does to its counters when a reservation goes from one state to the next. */
export const effect = (from: State | null, to: State): Effect => {
  const units = (state: State | null, counter: Counter): number =>
    Number(state !== null && counterOf[state] === counter);
  const change = (counter: Counter): number => units(to, counter) - units(from, counter);
  return { ...none, held: change('held'), allocated: change('allocated'), shipped: change('shipped') };
};

export const comingBack: Effect = { ...none, returned: 1 };

/** A part of an order that was shipped, less what came back of it. */
export type ShippedPart = Part & { readonly restocked: number };

export type Pieces = { readonly variantId: string; readonly quantity: number };

/**
 * Where goods that came back go: into the warehouses they were shipped from, in the order of their ids, and never more
 * than were shipped and have not come back before.
 */
export const takeBack = (shipped: readonly ShippedPart[], lines: readonly Pieces[]): Part[] => {
  const wanted = new Map<string, number>();
  for (const { variantId, quantity } of lines) wanted.set(variantId, (wanted.get(variantId) ?? 0) + quantity);
  return shipped
    .toSorted((a, b) => (a.warehouseId < b.warehouseId ? -1 : 1))
    .flatMap(({ restocked, ...part }) => {
      const left = wanted.get(part.variantId) ?? 0;
      const quantity = Math.min(left, part.quantity - restocked);
      wanted.set(part.variantId, left - quantity);
      return quantity > 0 ? [{ ...part, quantity }] : [];
    });
};

/** The answer to a reserve, and to its repetition: the same for as long as it is true. */
export const answer = ({ orderId, state, parts, refusedSkus, version }: Reservation): Message => {
  if (state === 'REFUSED')
    return StockRefused({ orderId, reason: 'OUT_OF_STOCK', skus: [...refusedSkus] }, version);
  if (state === 'RELEASED' || state === 'EXPIRED')
    return StockRefused({ orderId, reason: 'HOLD_GONE', skus: [] }, version);
  return StockReserved({ orderId, parts: [...parts] }, version);
};
