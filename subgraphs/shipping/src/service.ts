// What the shop does about parcels when the carrier has spoken, whoever asked it or did not.
import type { Database, Origin as Source, Tx } from '@orderstream/runtime/database';
import type { Message } from '@orderstream/runtime/messages';
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
  type Change,
  learn,
  neverMade,
  refuse,
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

/** Parcels whose rows are locked, as they stand after each decision; what has changed is written in the end, at once. */
export const openLedger = (locked: readonly Shipment[]) => {
  const standing = new Map(locked.map((one) => [one.id, one]));
  const changed = new Map<string, Change>();
  const made = new Set<string>();
  return {
    at: (id: string): Shipment | null => standing.get(id) ?? null,
    add: (shipment: Shipment): void => {
      standing.set(shipment.id, shipment);
      made.add(shipment.id);
    },
    /** Sends what there is to tell. @returns whether anything changed */
    take: async (tx: Tx, { shipment, events, tell }: Step): Promise<boolean> => {
      await tx.send(...tell.map((one) => toMessage(shipment, one.tell, one.version)));
      const { id } = shipment;
      if (standing.get(id) === shipment) return false;
      standing.set(id, shipment);
      changed.set(id, { shipment, events: [...(changed.get(id)?.events ?? []), ...events] });
      return true;
    },
    changed: (): Change[] => [...changed.values()].filter(({ shipment }) => !made.has(shipment.id)),
    made: (): Shipment[] => [...made].map((id) => standing.get(id)!),
  };
};

/** Whose doing it is when the carrier's word changes a parcel: whoever asked last. */
export const sourceOf = ({ tenantId, traceparent }: Shipment): Source => ({
  tenantId,
  traceparent,
  causationId: null,
});

/** Answers the parcel as it is afterwards. */
const change = (
  database: Database,
  shipment: Shipment,
  decide: (before: Shipment) => Step,
  also?: (tx: Tx, changed: boolean) => Promise<void>,
): Promise<Shipment> =>
  database.for(sourceOf(shipment)).transaction(async (tx) => {
    const [before] = await store.shipmentsForUpdate(tx, [shipment.id]);
    if (!before) throw new Error(`shipment ${shipment.id} is gone`);
    const ledger = openLedger([before]);
    const step = decide(before);
    const isChanged = await ledger.take(tx, step);
    store.saveChanges(tx, ledger.changed());
    await also?.(tx, isChanged);
    return step.shipment;
  });

/** Takes in what the carrier says, in one transaction with `also`. The same news twice, or old news, changes nothing. */
export const takeNews = (
  database: Database,
  shipment: Shipment,
  seen: Seen,
  also?: (tx: Tx, changed: boolean) => Promise<void>,
): Promise<Shipment> => change(database, shipment, (before) => learn(before, seen), also);

/** The label was refused. What was asked for anew in the meantime is another attempt and stays. */
export const takeRefusal = (database: Database, shipment: Shipment, reason: string): Promise<Shipment> =>
  change(database, shipment, (before) =>
    before.attempt === shipment.attempt ? refuse(before, reason) : { shipment: before, events: [], tell: [] },
  );

/** The carrier knows nothing of it, and no call for it can still be under way. */
export const takeAbsence = (database: Database, shipment: Shipment): Promise<Shipment> =>
  change(database, shipment, neverMade);
