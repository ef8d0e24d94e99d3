// Goods that leave with the carrier, and those of them that come back. Safe to hear twice.
import type { Tx } from '@orderstream/runtime/database';
import type { Log } from '@orderstream/runtime/log';
import { StockRestocked, StockShipped } from './messages.ts';
import { comingBack, type Pieces, type Reservation, takeBack } from './reservation.ts';
import * as reservations from './reservation-store.ts';
import { beginRestock, finishRestock, type Restock, shippedParts, waitingRestocks } from './restock-store.ts';
import { changes, move, release } from './service.ts';
import * as store from './store.ts';

/** Puts back what was shipped; with nothing shipped for good, nothing. Answered either way. */
const putBack = async (
  tx: Tx,
  order: Pick<Reservation, 'tenantId' | 'orderId'>,
  of: Reservation | null,
  restock: Restock,
) => {
  const { tenantId, orderId } = order;
  const { refundId, wanted } = restock;
  const parts = of?.state === 'SHIPPED' ? takeBack(await shippedParts(tx, of), wanted) : [];
  await store.shift(tx, tenantId, [{ orderId, parts, signs: comingBack }]);
  await finishRestock(tx, of?.id ?? null, refundId, parts);
  const lines = [...Map.groupBy(parts, (part) => part.variantId)].map(([variantId, same]) => ({
    variantId,
    quantity: same.reduce((total, part) => total + part.quantity, 0),
  }));
  await tx.send(
    StockRestocked({ orderId, refundId, lines }),
    ...(await changes(
      tx,
      tenantId,
      lines.map((line) => line.variantId),
    )),
  );
};

/** What came back too early to be put back is put back, or is found to have never left. */
const putBackWaiting = async (tx: Tx, reservation: Reservation): Promise<void> => {
  for (const restock of await waitingRestocks(tx, reservation))
    await putBack(tx, reservation, reservation, restock);
};

/**
 * The goods have left, which nobody can refuse: what the order has is taken off the shelves. Where it has nothing any
 * more, other orders may have been promised the same pieces, so no counter is moved and staff are told to count.
 */
export const ship = async (tx: Tx, tenantId: string, orderId: string, log: Log): Promise<void> => {
  store.takeTurn(tx);
  const before = await reservations.reservationOf(tx, tenantId, orderId);
  const shipped = before && (await move(tx, before, 'ship'));
  const now = shipped ?? before;
  if (now?.state !== 'SHIPPED')
    log.error(
      { orderId, state: before?.state },
      'goods left for which nothing was set aside: count the stock',
    );
  await tx.send(StockShipped({ orderId }, now?.version));
  if (shipped) await putBackWaiting(tx, shipped);
};

type Back = { readonly orderId: string; readonly refundId: string; readonly lines: readonly Pieces[] };

/** Once for each refund. Another topic brings it than the shipping, so it may come first; then it waits for that. */
export const restock = async (
  tx: Tx,
  tenantId: string,
  { orderId, refundId, lines }: Back,
): Promise<void> => {
  store.takeTurn(tx);
  const reservation = await reservations.reservationOf(tx, tenantId, orderId);
  const begun = await beginRestock(tx, tenantId, orderId, refundId, lines);
  if (begun.done) return tx.send(StockRestocked({ orderId, refundId, lines: [...begun.restocked] }));
  if (reservation?.state === 'ALLOCATED') return;
  await putBack(tx, { tenantId, orderId }, reservation, begun);
};

/** Goods that are given back never left, and what was to come back of them is answered with nothing. */
export const releaseAll = async (tx: Tx, tenantId: string, orderId: string): Promise<void> => {
  const released = await release(tx, tenantId, orderId);
  if (released) await putBackWaiting(tx, released);
};
