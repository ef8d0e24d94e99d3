// What orders ask for: a parcel, or none. A command becomes a row that says what is wanted; calling the carrier is the
// errands' business. Commands come in batches and are decided one by one, in the order in which they were heard.
import type { Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import type { HandlerContext, Heard } from '@orderstream/runtime/subgraph';
import { insertCancelled, insertShipments, type Place, standingsForUpdate } from './command-store.ts';
import { ShipmentCancelled } from './messages.ts';
import { openLedger } from './service.ts';
import { type Origin, requestCancel, requestLabel, type Shipment } from './shipment.ts';
import { saveChanges } from './store.ts';

type Wish = {
  /** the first where it is not said */
  readonly parcel?: number | undefined;
  readonly orderId: string;
};
type Create = Wish & {
  readonly customerId: string | null;
  readonly origin: Origin;
  readonly pieces: number;
};

const isCreate = (data: Create | Wish): data is Create => 'origin' in data;

const keyOf = ({ tenantId, orderId, parcel }: Place): string => `${tenantId} ${orderId} ${parcel}`;

type New = { readonly place: Place; readonly wish: Create; readonly traceparent: string };

/** @param erasedAt null: nobody was erased */
const newShipment = ({ place, wish, traceparent }: New, erasedAt: Date | null, now: Date): Shipment => ({
  ...place,
  id: newId(now),
  customerId: erasedAt ? null : wish.customerId,
  state: 'PENDING',
  wanted: 'LABEL',
  attempt: 1,
  pieces: wish.pieces,
  origin: wish.origin,
  address: null,
  label: null,
  failureReason: null,
  estimatedDelivery: null,
  lastSequence: 0,
  handedOverAt: null,
  deliveredAt: null,
  promisedAt: null,
  calledAt: null,
  erasedAt,
  traceparent,
  version: 1,
});

/**
 * Safe to hear twice: each parcel of an order is made once. A cancellation that comes before there is a parcel is
 * remembered, so that a late request for it finds it given up.
 */
export const obey = async (
  heard: readonly Heard<Create | Wish>[],
  { now }: Pick<HandlerContext, 'now'>,
): Promise<void> => {
  const [first] = heard;
  if (!first) return;
  const asked = heard.map(({ message: { tenantId, data } }) => ({
    tenantId,
    orderId: data.orderId,
    parcel: data.parcel ?? 1,
    customerId: isCreate(data) ? data.customerId : null,
  }));
  const standings = await standingsForUpdate(first.tx, asked);
  const known = standings.flatMap(({ shipment }) => shipment ?? []);
  const ledger = openLedger(known);
  const idAt = new Map(known.map((shipment) => [keyOf(shipment), shipment.id]));
  const isGivenUp = new Map(asked.map((place, index) => [keyOf(place), standings[index]!.isCancelled]));
  const givenUp: Place[] = [];

  const change = async (tx: Tx, before: Shipment, wish: Create | Wish, traceparent: string) => {
    const step = isCreate(wish) ? requestLabel(before) : requestCancel(before);
    const isNew = step.shipment !== before;
    await ledger.take(tx, isNew ? { ...step, shipment: { ...step.shipment, traceparent } } : step);
  };

  for (const [index, { tx, message }] of heard.entries()) {
    const { data: wish, traceparent } = message;
    const { tenantId, orderId, parcel } = asked[index]!;
    const place = { tenantId, orderId, parcel };
    const key = keyOf(place);
    const shipment = ledger.at(idAt.get(key) ?? '');
    if (shipment) await change(tx, shipment, wish, traceparent);
    else if (isCreate(wish) && !isGivenUp.get(key)) {
      const made = newShipment({ place, wish, traceparent }, standings[index]!.isErased ? now : null, now);
      ledger.add(made);
      idAt.set(key, made.id);
    } else {
      if (!isGivenUp.get(key)) givenUp.push(place);
      isGivenUp.set(key, true);
      await tx.send(ShipmentCancelled({ orderId, shipmentId: null }));
    }
  }
  insertShipments(first.tx, ledger.made());
  insertCancelled(first.tx, givenUp);
  saveChanges(first.tx, ledger.changed());
};
