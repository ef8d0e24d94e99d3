// Stock is asked for by commands and told about by events; `stock-levels` says what can be sold of a variant right now.
import { message, topic } from '@orderstream/runtime/messages';
import { z } from 'zod';

const commands = topic('inventory-commands', 'orderId');
const events = topic('inventory-events', 'orderId');
const levels = topic('stock-levels', 'variantId', { compacted: true, hinted: true });

const line = z.object({ variantId: z.uuid(), sku: z.string(), quantity: z.number().int().positive() });

/** Asked by whoever runs a checkout. Answered by StockReserved or StockRefused, once per orderId; all lines or none. */
export const ReserveStock = message(
  commands,
  'inventory.reserve',
  z.object({ orderId: z.uuid(), lines: z.array(line).min(1), holdUntil: z.iso.datetime() }),
);
/** Moves the hold of an order. Answered by HoldExtended. */
export const ExtendHold = message(
  commands,
  'inventory.extend',
  z.object({ orderId: z.uuid(), holdUntil: z.iso.datetime() }),
);
/** From a hold to goods set aside for good. Answered by StockAllocated, or StockRefused when the hold is gone. */
export const AllocateStock = message(commands, 'inventory.allocate', z.object({ orderId: z.uuid() }));
/** Gives held or allocated goods back. Answered by StockReleased, also when there was nothing: a late reserve is refused then. */
export const ReleaseStock = message(commands, 'inventory.release', z.object({ orderId: z.uuid() }));
/** The goods have left with the carrier. Answered by StockShipped. */
export const ShipStock = message(commands, 'inventory.ship', z.object({ orderId: z.uuid() }));
/** Goods that came back and can be sold again, at most what was shipped. Answered by StockRestocked, once per refundId. */
export const RestockGoods = message(
  commands,
  'inventory.restock',
  z.object({
    orderId: z.uuid(),
    refundId: z.uuid(),
    lines: z.array(z.object({ variantId: z.uuid(), quantity: z.number().int().positive() })).min(1),
  }),
);

const part = z.object({
  variantId: z.uuid(),
  sku: z.string(),
  warehouseId: z.uuid(),
  quantity: z.number().int().positive(),
});

/** `parts`: which warehouse gives how much of what. */
export const StockReserved = message(
  events,
  'inventory.reserved',
  z.object({ orderId: z.uuid(), parts: z.array(part) }),
);
/** `skus`: what there is not enough of; empty when an allocation found its hold gone. */
export const StockRefused = message(
  events,
  'inventory.refused',
  z.object({ orderId: z.uuid(), reason: z.enum(['OUT_OF_STOCK', 'HOLD_GONE']), skus: z.array(z.string()) }),
);
export const HoldExtended = message(
  events,
  'inventory.extended',
  z.object({ orderId: z.uuid(), holdUntil: z.iso.datetime() }),
);
/** `origin`: the warehouse with most of the pieces, from where the parcel starts. */
export const StockAllocated = message(
  events,
  'inventory.allocated',
  z.object({
    orderId: z.uuid(),
    parts: z.array(part),
    origin: z.object({
      warehouseId: z.uuid(),
      name: z.string(),
      latitude: z.number(),
      longitude: z.number(),
    }),
  }),
);
export const StockShipped = message(events, 'inventory.shipped', z.object({ orderId: z.uuid() }));
/** `lines`: what went back on the shelves, which may be less than was asked for. */
export const StockRestocked = message(
  events,
  'inventory.restocked',
  z.object({
    orderId: z.uuid(),
    refundId: z.uuid(),
    lines: z.array(z.object({ variantId: z.uuid(), quantity: z.number().int().positive() })),
  }),
);
export const StockReleased = message(events, 'inventory.released', z.object({ orderId: z.uuid() }));
/** The hold ran out before anybody allocated it; the goods are free again. */
export const HoldExpired = message(events, 'inventory.expired', z.object({ orderId: z.uuid() }));

/** After every change of what can be sold of a variant. `version` of the envelope rises with each. */
export const StockLevelChanged = message(
  levels,
  'stock.level-changed',
  z.object({
    variantId: z.uuid(),
    available: z.number().int().nonnegative(),
    state: z.enum(['IN_STOCK', 'LOW_STOCK', 'OUT_OF_STOCK']),
  }),
);
