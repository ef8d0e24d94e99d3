// What the shop can do with parcels: have one made, stop one, hear where it is. A command becomes a row that says what is
// wanted; calling the carrier is the errands' business, and whatever the carrier says comes back here.
import type { Database, Origin as Source, Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import {
  ShipmentCancelled,
  ShipmentCreated,
  ShipmentDelivered,
  ShipmentFailed,
  ShipmentHandedOver,
  ShipmentLost,
  ShipmentMoved,
} from './messages.ts';
import {
  learn,
  neverMade,
  type Origin,
  refuse,
  requestCancel,
  requestLabel,
  type Seen,
  type Shipment,
  type Step,
  type Tell,
} from './shipment.ts';
import * as store from './store.ts';

const toMessage = (shipment: Shipment, tell: Tell, version: number): Message => {
  const parcel = { orderId: shipment.orderId, shipmentId: shipment.id };
  switch (tell.type) {
    case 'created': {
      const { label, estimatedDelivery } = shipment;
      return ShipmentCreated(
        {
          ...parcel,
          carrier: label?.carrier ?? '',
          estimatedDelivery: estimatedDelivery?.toISOString() ?? null,
        },
        version,
      );
    }
    case 'failed':
      return ShipmentFailed({ ...parcel, reason: shipment.failureReason ?? 'No label was given.' }, version);
    case 'cancelled':
      return ShipmentCancelled(parcel, version);
    case 'handed-over':
      return ShipmentHandedOver(parcel, version);
    case 'moved': {
      const { status, at, place } = tell;
      return ShipmentMoved({ ...parcel, status, at: at.toISOString(), place }, version);
    }
    case 'delivered':
      return ShipmentDelivered({ ...parcel, at: tell.at.toISOString() }, version);
    case 'lost':
      return ShipmentLost({ ...parcel, at: tell.at.toISOString() }, version);
  }
};

/** @returns whether anything changed */
const take = async (tx: Tx, before: Shipment, step: Step): Promise<boolean> => {
  const isChanged = step.shipment !== before;
  if (isChanged) await store.saveShipment(tx, step);
  await tx.send(...step.tell.map(({ tell, version }) => toMessage(step.shipment, tell, version)));
  return isChanged;
};

type Create = {
  orderId: string;
  customerId: string | null;
  origin: Origin;
  pieces: number;
  parcel?: number | undefined;
};

/** Safe to hear twice: each parcel of an order is made once. */
export const createShipment = async (
  tx: Tx,
  { data, tenantId, traceparent }: Envelope<Create>,
  now: Date,
): Promise<void> => {
  const { orderId, origin, pieces, parcel = 1 } = data;
  const place = { tenantId, orderId, parcel };
  await store.lockOrder(tx, orderId);
  const known = await store.shipmentAtForUpdate(tx, place);
  if (known) {
    const step = requestLabel(known);
    const isNew = step.shipment !== known;
    await take(tx, known, isNew ? { ...step, shipment: { ...step.shipment, traceparent } } : step);
    return;
  }
  if (await store.isCancelled(tx, place)) return tx.send(ShipmentCancelled({ orderId, shipmentId: null }));
  const isErased = data.customerId !== null && (await store.isErasedCustomer(tx, tenantId, data.customerId));
  await store.insertShipment(tx, {
    id: newId(now),
    tenantId,
    orderId,
    parcel,
    customerId: isErased ? null : data.customerId,
    state: 'PENDING',
    wanted: 'LABEL',
    attempt: 1,
    pieces,
    origin,
    address: null,
    label: null,
    failureReason: null,
    estimatedDelivery: null,
    lastSequence: 0,
    handedOverAt: null,
    deliveredAt: null,
    promisedAt: null,
    calledAt: null,
    erasedAt: isErased ? now : null,
    traceparent,
    version: 1,
  });
};

/** Before there is a parcel it is remembered, so that a late request for one finds it given up. */
export const cancelShipment = async (
  tx: Tx,
  { data, tenantId, traceparent }: Envelope<{ orderId: string; parcel?: number | undefined }>,
): Promise<void> => {
  const { orderId, parcel = 1 } = data;
  const place = { tenantId, orderId, parcel };
  await store.lockOrder(tx, orderId);
  const shipment = await store.shipmentAtForUpdate(tx, place);
  if (shipment) {
    const step = requestCancel(shipment);
    const isNew = step.shipment !== shipment;
    await take(tx, shipment, isNew ? { ...step, shipment: { ...step.shipment, traceparent } } : step);
    return;
  }
  await store.insertCancelled(tx, place);
  await tx.send(ShipmentCancelled({ orderId, shipmentId: null }));
};

/** Whose doing it is when the carrier's word changes a parcel: whoever asked last. */
const sourceOf = ({ tenantId, traceparent }: Shipment): Source => ({
  tenantId,
  traceparent,
  causationId: null,
});

const change = (
  database: Database,
  shipment: Shipment,
  decide: (before: Shipment) => Step,
  also?: (tx: Tx, changed: boolean) => Promise<void>,
): Promise<boolean> =>
  database.for(sourceOf(shipment)).transaction(async (tx) => {
    const before = await store.shipmentForUpdate(tx, shipment.id);
    if (!before) throw new Error(`shipment ${shipment.id} is gone`);
    const isChanged = await take(tx, before, decide(before));
    await also?.(tx, isChanged);
    return isChanged;
  });

/**
 * Takes in what the carrier says, in one transaction with `also`. The same news twice, or old news, changes nothing.
 * @returns whether anything changed
 */
export const takeNews = (
  database: Database,
  shipment: Shipment,
  seen: Seen,
  also?: (tx: Tx, changed: boolean) => Promise<void>,
): Promise<boolean> => change(database, shipment, (before) => learn(before, seen), also);

/** The label was refused. What was asked for anew in the meantime is another attempt and stays. */
export const takeRefusal = (database: Database, shipment: Shipment, reason: string): Promise<boolean> =>
  change(database, shipment, (before) =>
    before.attempt === shipment.attempt ? refuse(before, reason) : { shipment: before, events: [], tell: [] },
  );

/** The carrier knows nothing of it, and no call for it can still be under way. */
export const takeAbsence = (database: Database, shipment: Shipment): Promise<boolean> =>
  change(database, shipment, neverMade);

/** Name and address go at once; the carrier is told to forget them when the parcel does not need them any more. */
export const eraseCustomer = (tx: Tx, tenantId: string, userId: string): Promise<void> =>
  store.blankCustomer(tx, tenantId, userId);
