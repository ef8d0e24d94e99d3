import type { Hints } from '@orderstream/runtime/hints';
import { references } from '@orderstream/runtime/host/references';
import { decodeId, encodeId, parseId } from '@orderstream/runtime/ids';
import type { Context } from './context.ts';
import type { Resolvers, ShipmentStatus } from './generated/resolvers.ts';
import type { OfOrder, ScanStatus, Shipment, ShipmentState } from './shipment.ts';
import { watchShipment } from './subscriptions.ts';

type Reference = { readonly __typename: string; readonly id: string };

/** A refused label is nobody's business but the staff's: it is asked for again. */
const statuses: Record<ShipmentState, ShipmentStatus> = {
  PENDING: 'PENDING',
  FAILED: 'PENDING',
  LABELLED: 'LABELLED',
  IN_TRANSIT: 'IN_TRANSIT',
  OUT_FOR_DELIVERY: 'OUT_FOR_DELIVERY',
  EXCEPTION: 'EXCEPTION',
  DELIVERED: 'DELIVERED',
  LOST: 'LOST',
  CANCELLED: 'CANCELLED',
};

const scanStatuses: Record<ScanStatus, ShipmentStatus> = {
  LABELLED: 'LABELLED',
  COLLECTED: 'IN_TRANSIT',
  IN_TRANSIT: 'IN_TRANSIT',
  OUT_FOR_DELIVERY: 'OUT_FOR_DELIVERY',
  EXCEPTION: 'EXCEPTION',
  DELIVERED: 'DELIVERED',
  LOST: 'LOST',
  CANCELLED: 'CANCELLED',
};

export const createResolvers = (hints: Hints): Resolvers => ({
  Query: {
    shipment: (_root, { id }, ctx) => ctx.loaders.shipment.load(decodeId('shipment', id)),
  },

  Subscription: {
    shipmentMoved: {
      subscribe: (_root, { orderId }, ctx) =>
        watchShipment(ctx, hints, decodeId('order', orderId, ['orderId'])) as never,
    },
  },

  Shipment: {
    ...references<Context, Reference, Shipment>((refs, { loaders }) =>
      Promise.all(
        refs.map((ref) => {
          const id = parseId('shipment', ref.id);
          return id ? loaders.shipment.load(id).catch((error: Error) => error) : null;
        }),
      ),
    ),
    id: ({ id }) => encodeId('shipment', id),
    status: ({ state }) => statuses[state],
    carrier: ({ label }) => label?.carrier ?? '',
    trackingNumber: ({ label }) => label?.trackingNumber ?? null,
    events: ({ id }, _args, ctx) => ctx.loaders.events.load(id),
    location: async ({ id }, _args, ctx) =>
      (await ctx.loaders.events.load(id)).findLast(({ point }) => point)?.point ?? null,
  },

  TrackingEvent: {
    status: ({ status }) => scanStatuses[status],
  },

  Order: {
    ...references<Context, Reference, OfOrder>(async (refs) =>
      refs.map((ref) => {
        const id = parseId('order', ref.id);
        return id ? { id } : null;
      }),
    ),
    id: ({ id }) => encodeId('order', id),
    shipments: ({ id }, _args, ctx) => ctx.loaders.shipmentsOfOrder.load(id),
    estimatedDelivery: async ({ id }, _args, ctx) => {
      const [shipment] = (await ctx.loaders.shipmentsOfOrder.load(id)) ?? [];
      return shipment?.estimatedDelivery ?? null;
    },
  },
});
