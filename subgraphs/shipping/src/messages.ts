// Parcels are asked for by commands and told about by events. No name and no address: those are read from orders by
// whoever prints the label.
import { message, topic } from '@orderstream/runtime/messages';
import { z } from 'zod';

const commands = topic('shipping-commands', 'orderId');
const events = topic('shipping-events', 'orderId', { hinted: true });

/** The first of an order, or the next after one that was called back for a review; 1 where nothing is said. */
const parcel = z.number().int().positive().optional();

/** Where the parcel starts. */
const origin = z.object({
  warehouseId: z.uuid(),
  name: z.string(),
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
});

/**
 * One parcel for each order. Answered by ShipmentCreated or ShipmentFailed; after a ShipmentFailed the same command asks
 * again. A parcel that was cancelled is answered with ShipmentCancelled.
 */
export const CreateShipment = message(
  commands,
  'shipping.create',
  z.object({
    orderId: z.uuid(),
    customerId: z.uuid().nullable(),
    origin,
    pieces: z.number().int().positive(),
    parcel,
  }),
);
/** Answered by ShipmentCancelled, also where there was none; not answered when the carrier has the parcel already. */
export const CancelShipment = message(commands, 'shipping.cancel', z.object({ orderId: z.uuid(), parcel }));

const ofParcel = { orderId: z.uuid(), shipmentId: z.uuid() };

/** The carrier has given a label. */
export const ShipmentCreated = message(
  events,
  'shipment.created',
  z.object({ ...ofParcel, carrier: z.string(), estimatedDelivery: z.iso.datetime().nullable() }),
);
/** The carrier refused to give a label. `reason` is a sentence for staff. */
export const ShipmentFailed = message(
  events,
  'shipment.failed',
  z.object({ ...ofParcel, reason: z.string() }),
);
/** Nothing will be sent. `shipmentId` is null where nothing was asked for before. */
export const ShipmentCancelled = message(
  events,
  'shipment.cancelled',
  z.object({ orderId: z.uuid(), shipmentId: z.uuid().nullable() }),
);
/** The carrier has the parcel: from here on it cannot be stopped. */
export const ShipmentHandedOver = message(events, 'shipment.handed-over', z.object(ofParcel));
/** A scan on the way. `place` is a depot of the carrier or a town, never a street. */
export const ShipmentMoved = message(
  events,
  'shipment.moved',
  z.object({
    ...ofParcel,
    status: z.enum(['IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION']),
    at: z.iso.datetime(),
    place: z.string().nullable(),
  }),
);
export const ShipmentDelivered = message(
  events,
  'shipment.delivered',
  z.object({ ...ofParcel, at: z.iso.datetime() }),
);
/** The carrier cannot find it any more. */
export const ShipmentLost = message(events, 'shipment.lost', z.object({ ...ofParcel, at: z.iso.datetime() }));
