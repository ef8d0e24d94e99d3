// What goes on in the shop at this moment: carts that are being filled and checkouts under way. Each is a mark in Redis
// under the id of a cart or an order, which runs out by itself. Nobody waits for it; what may get lost is a figure.
import type { Cache } from '@orderstream/runtime/cache';
import type { Cart } from './cart.ts';
import type { Place } from './checkout-store.ts';

/** milliseconds from a cart's last change, and from a checkout's begin: longer than it can wait for stock and the bank */
const window = 30 * 60_000;

export type Activity = {
  readonly cartChanged: (tenantId: string, cart: Pick<Cart, 'id' | 'lines'>, now: Date) => void;
  readonly checkoutBegun: (place: Place, now: Date) => void;
  readonly checkoutEnded: (place: Place) => void;
  /** null: Redis does not say */
  readonly counted: (tenantId: string, now: Date) => Promise<Counted | null>;
};

type Counted = { readonly activeCarts: number; readonly checkouts: number };

export const createActivity = (cache: Pick<Cache, 'mark' | 'unmark' | 'marked'>): Activity => {
  const carts = (tenantId: string): string => `active-carts:${tenantId}`;
  const checkouts = (tenantId: string): string => `checkouts:${tenantId}`;
  return {
    cartChanged: (tenantId, { id, lines }, now) => {
      if (lines.length > 0) cache.mark(carts(tenantId), id, { now, forMs: window });
      else cache.unmark(carts(tenantId), id);
    },
    checkoutBegun: ({ tenantId, orderId }, now) =>
      cache.mark(checkouts(tenantId), orderId, { now, forMs: window }),
    checkoutEnded: ({ tenantId, orderId }) => cache.unmark(checkouts(tenantId), orderId),
    counted: async (tenantId, now) => {
      const [activeCarts, underWay] = await Promise.all([
        cache.marked(carts(tenantId), now),
        cache.marked(checkouts(tenantId), now),
      ]);
      return activeCarts === null || underWay === null ? null : { activeCarts, checkouts: underWay };
    },
  };
};
