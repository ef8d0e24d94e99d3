// What can be done with stock. Every function here is safe to run twice with the same order or key.
import type { VariantChanged } from '@orderstream/catalog/messages';
import type { Db, Tx } from '@orderstream/runtime/database';
import { badInput } from '@orderstream/runtime/errors';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import { once } from '@orderstream/runtime/once';
import type { Viewer } from '@orderstream/runtime/viewer';
import { learn } from './catalog-copy.ts';

import { HoldExpired, HoldExtended, StockLevelChanged, StockReleased } from './messages.ts';
import { after, effect, type Move, type Reservation } from './reservation.ts';
import * as reservations from './reservation-store.ts';
import { type Adjusted, type Adjustment, availabilityOf, type Level, refusalOf } from './stock.ts';
import * as store from './store.ts';

const changed = (level: Level) => {
  const { variantId, available, version } = level;
  return StockLevelChanged({ variantId, available, state: availabilityOf(level) }, version);
};

/** What is to be told of the variants now, where something else can be sold of them than before. */
export const changes = async (tx: Tx, tenantId: string, variantIds: readonly string[]): Promise<Message[]> =>
  variantIds.length === 0 ? [] : (await store.recount(tx, tenantId, [...new Set(variantIds)])).map(changed);

/** Takes a reservation a step further and its goods with it; null when it is past that. */
export const move = async (tx: Tx, reservation: Reservation, by: Move): Promise<Reservation | null> => {
  const next = after(reservation.state, by);
  if (!next) return null;
  const { tenantId, orderId, parts, state } = reservation;
  await store.shift(tx, tenantId, [{ orderId, parts, signs: effect(state, next) }]);
  const entered = reservations.entered(reservation, next);
  await reservations.update(tx, tenantId, [entered]);
  return entered;
};

const variantsOf = ({ parts }: Reservation): string[] => parts.map((part) => part.variantId);

/** A hold that is gone is not told about here: HoldExpired has said so. */
export const extendHold = async (tx: Tx, tenantId: string, orderId: string, holdUntil: string) => {
  store.takeTurn(tx);
  const reservation = await reservations.reservationOf(tx, tenantId, orderId);
  const extended = reservation && (await reservations.extend(tx, reservation, new Date(holdUntil)));
  if (!extended) return;
  await tx.send(HoldExtended({ orderId, holdUntil: extended.holdUntil.toISOString() }, extended.version));
};

/**
 * Gives back what the order has. What was never reserved is marked as released, so that a late reserve is refused.
 * @returns the reservation if it had goods until now
 */
export const release = async (tx: Tx, tenantId: string, orderId: string): Promise<Reservation | null> => {
  store.takeTurn(tx);
  const before = await reservations.reservationOf(tx, tenantId, orderId);
  if (!before) {
    const nothing = { tenantId, orderId, holdUntil: null, refusedSkus: [], parts: [] };
    const none = reservations.begun({ ...nothing, state: 'RELEASED' });
    await reservations.insert(tx, tenantId, [none]);
    await tx.send(StockReleased({ orderId }, none.version));
    return null;
  }
  const released = await move(tx, before, 'release');
  const { version } = released ?? before;
  await tx.send(
    StockReleased({ orderId }, version),
    ...(released ? await changes(tx, tenantId, variantsOf(released)) : []),
  );
  return released;
};

/** Ends holds whose time has come. @returns how many there were */
export const expireHolds = async (begin: (tenantId: string) => Tx, most: number): Promise<number> => {
  const any = begin('');
  store.takeTurn(any);
  const due = await reservations.dueHolds(any, most);
  for (const [tenantId, holds] of Map.groupBy(due, (hold) => hold.tenantId)) {
    const tx = begin(tenantId);
    for (const hold of holds) {
      const expired = await move(tx, hold, 'expire');
      if (expired) await tx.send(HoldExpired({ orderId: hold.orderId }, expired.version));
    }
    await tx.send(...(await changes(tx, tenantId, holds.flatMap(variantsOf))));
  }
  return due.length;
};

/** Keeps the catalogue's word. A variant that is new is out of stock, which is also worth telling. */
export const learnVariant = async (tx: Tx, change: Envelope<Parameters<typeof VariantChanged>[0]>) => {
  store.takeTurn(tx);
  await learn(tx, change);
  const levels = await store.startLevel(tx, change.tenantId, change.data.variantId);
  await tx.send(...levels.map(changed));
};

const adjustOne = async (
  tx: Tx,
  { tenantId, userId }: Viewer,
  adjustment: Adjustment,
  path: readonly string[],
): Promise<Adjusted> => {
  await store.startStock(tx, tenantId, adjustment);
  const stockId = await store.adjust(tx, tenantId, adjustment);
  if (stockId) {
    await store.recordAdjustment(tx, tenantId, userId, adjustment);
    return { stockId };
  }
  const stock = await store.stockAt(tx, tenantId, adjustment);
  if (!stock) return { error: 'NotFound' };
  const refusal = refusalOf(stock, adjustment);
  if (!refusal) throw badInput([...path, 'delta'], 'No warehouse has room for so many.');
  return refusal;
};

/** Each adjustment stands for itself; all are written together with the key, so that a repetition gets the same answer. */
export const adjustStock = (
  ctx: { readonly db: Db; readonly viewer: Viewer },
  idempotencyKey: string,
  adjustments: readonly Adjustment[],
) =>
  once(ctx, { operation: 'adjustStock', key: idempotencyKey, request: adjustments }, async (tx) => {
    store.takeTurn(tx);
    const outcomes: Adjusted[] = [];
    for (const [index, adjustment] of adjustments.entries())
      outcomes.push(await adjustOne(tx, ctx.viewer, adjustment, ['input', 'adjustments', `${index}`]));
    const done = adjustments.filter((_, index) => !('error' in outcomes[index]!));
    const variantIds = done.map((adjustment) => adjustment.variantId);
    await tx.send(...(await changes(tx, ctx.viewer.tenantId, variantIds)));
    return outcomes;
  });
