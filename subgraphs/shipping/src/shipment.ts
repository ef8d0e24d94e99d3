// A parcel and how it may change. What the carrier says arrives as a reply, as a webhook, late, twice and out of order;
// all of it goes through `learn`, which takes scans by their number and only ever moves forward.
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import type { Viewer } from '@orderstream/runtime/viewer';

export type ShipmentState =
  | 'PENDING'
  | 'FAILED'
  | 'LABELLED'
  | 'IN_TRANSIT'
  | 'OUT_FOR_DELIVERY'
  | 'EXCEPTION'
  | 'DELIVERED'
  | 'LOST'
  | 'CANCELLED';

export type Origin = {
  readonly warehouseId: string;
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
};

/** What the carrier knows a parcel by. */
export type Label = {
  readonly carrier: string;
  readonly carrierId: string;
  readonly trackingNumber: string;
  readonly at: Date;
};

export type Shipment = {
  readonly id: string;
  readonly tenantId: string;
  readonly orderId: string;
  /** of the order, from 1 */
  readonly parcel: number;
  /** null for guests, and once the customer was erased */
  readonly customerId: string | null;
  readonly state: ShipmentState;
  /** what the shop wants of the carrier and has not got yet */
  readonly wanted: 'LABEL' | 'CANCEL' | null;
  /** of getting a label, from 1; each has an idempotency key of its own */
  readonly attempt: number;
  readonly pieces: number;
  readonly origin: Origin;
  /** as it was read for this attempt; null before, and once the customer was erased */
  readonly address: PostalAddress | null;
  readonly label: Label | null;
  /** a sentence for staff */
  readonly failureReason: string | null;
  readonly estimatedDelivery: Date | null;
  /** the number of the carrier's last scan that is known; there are no gaps before it */
  readonly lastSequence: number;
  readonly handedOverAt: Date | null;
  readonly deliveredAt: Date | null;
  /** the carrier's first estimate */
  readonly promisedAt: Date | null;
  /** when the carrier was last asked for the label; null: never, so it cannot know of this parcel */
  readonly calledAt: Date | null;
  readonly erasedAt: Date | null;
  readonly traceparent: string;
  readonly version: number;
};

export type ScanStatus =
  | 'LABELLED'
  | 'COLLECTED'
  | 'IN_TRANSIT'
  | 'OUT_FOR_DELIVERY'
  | 'DELIVERED'
  | 'EXCEPTION'
  | 'LOST'
  | 'CANCELLED';

export type GeoPoint = { readonly latitude: number; readonly longitude: number };

export type TrackingEvent = {
  /** 1, 2, … without gaps */
  readonly sequence: number;
  readonly status: ScanStatus;
  readonly at: Date;
  readonly place: string | null;
  readonly point: GeoPoint | null;
};

/** The shipping's part of an order. */
export type OfOrder = { readonly id: string };

/** A parcel as the carrier shows it, with all its scans or the newest one. */
export type Seen = {
  readonly label: Label;
  /** our name for it, the shipment's id */
  readonly reference: string;
  readonly isCancelled: boolean;
  readonly estimatedDelivery: Date | null;
  readonly events: readonly TrackingEvent[];
};

export type Tell =
  | { readonly type: 'created' | 'failed' | 'cancelled' | 'handed-over' }
  | {
      readonly type: 'moved';
      readonly status: 'IN_TRANSIT' | 'OUT_FOR_DELIVERY' | 'EXCEPTION';
      readonly at: Date;
      readonly place: string | null;
    }
  | { readonly type: 'delivered' | 'lost'; readonly at: Date };

/** The shipment afterwards, the scans that were new, and what to tell, each with the version that it made. */
export type Step = {
  readonly shipment: Shipment;
  readonly events: readonly TrackingEvent[];
  readonly tell: readonly { readonly tell: Tell; readonly version: number }[];
};

/** What is to be written down of it. */
export type Change = Pick<Step, 'shipment' | 'events'>;

/** The customer whose parcel it is, and staff. */
export const mayRead = (viewer: Viewer, { customerId }: Pick<Shipment, 'customerId'>): boolean =>
  (customerId !== null && viewer.userId === customerId) || viewer.scopes.has('orders:read');

const isFinal = ({ state }: Shipment): boolean =>
  state === 'DELIVERED' || state === 'LOST' || state === 'CANCELLED';

/** The carrier's idempotency key: the same for every try to learn the outcome of one attempt. */
export const keyOf = ({ id, attempt }: Shipment): string => `label_${id}_${attempt}`;

const still = (shipment: Shipment): Step => ({ shipment, events: [], tell: [] });

const change = ({ shipment, events, tell }: Step, fields: Partial<Shipment>, told?: Tell): Step => {
  const version = shipment.version + 1;
  return {
    shipment: { ...shipment, ...fields, version },
    events,
    tell: told ? [...tell, { tell: told, version }] : tell,
  };
};

const handOver = (step: Step, at: Date): Step =>
  step.shipment.handedOverAt
    ? step
    : change(step, { state: 'IN_TRANSIT', wanted: null, handedOverAt: at }, { type: 'handed-over' });

const move =
  (status: 'IN_TRANSIT' | 'OUT_FOR_DELIVERY' | 'EXCEPTION') =>
  (step: Step, { at, place }: TrackingEvent): Step =>
    change(handOver(step, at), { state: status }, { type: 'moved', status, at, place });

const cancelled = (step: Step): Step =>
  isFinal(step.shipment) || step.shipment.handedOverAt
    ? step
    : change(step, { state: 'CANCELLED', wanted: null }, { type: 'cancelled' });

/** What a scan does to a parcel that is still on its way. Nobody hears of a scan before the hand-over is told. */
const readings: Record<ScanStatus, (step: Step, event: TrackingEvent) => Step> = {
  LABELLED: (step) => step,
  COLLECTED: (step, { at }) => handOver(step, at),
  IN_TRANSIT: move('IN_TRANSIT'),
  OUT_FOR_DELIVERY: move('OUT_FOR_DELIVERY'),
  EXCEPTION: move('EXCEPTION'),
  DELIVERED: (step, { at }) =>
    change(handOver(step, at), { state: 'DELIVERED', deliveredAt: at }, { type: 'delivered', at }),
  LOST: (step, { at }) => change(handOver(step, at), { state: 'LOST' }, { type: 'lost', at }),
  CANCELLED: cancelled,
};

const takeScan = (before: Step, event: TrackingEvent): Step => {
  const { shipment } = before;
  const step = { ...before, events: [...before.events, event], shipment };
  // A label nobody wants any more can still be collected before it is cancelled: then that is what happened.
  const isOver = isFinal(shipment) && !(shipment.state === 'CANCELLED' && event.status !== 'CANCELLED');
  const after = isOver ? step : readings[event.status](step, event);
  return { ...after, shipment: { ...after.shipment, lastSequence: event.sequence } };
};

const takeLabel = (step: Step, { label, estimatedDelivery }: Seen): Step => {
  const { state, wanted } = step.shipment;
  const named = { label, failureReason: null, estimatedDelivery, promisedAt: estimatedDelivery };
  // The order has been told that nothing will be sent, and still there is a label: it is let go of.
  if (state === 'CANCELLED') return change(step, { ...named, wanted: 'CANCEL' });
  if (wanted === 'CANCEL') return change(step, { ...named, state: 'LABELLED' });
  return change(step, { ...named, state: 'LABELLED', wanted: null }, { type: 'created' });
};

const isNamed = ({ id, label }: Shipment, seen: Seen): boolean =>
  seen.reference === id && (label === null || label.carrierId === seen.label.carrierId);

/** What was seen leaves out scans that are not known either: ask for the whole. */
export const isPartial = ({ label, lastSequence }: Shipment, { events }: Seen): boolean =>
  label === null || (events[0]?.sequence ?? 0) > lastSequence + 1;

/** The one way in which anything the carrier says changes a shipment. Scans after a gap are left for a whole picture. */
export const learn = (before: Shipment, seen: Seen): Step => {
  if (!isNamed(before, seen)) return still(before);
  let step = before.label ? still(before) : takeLabel(still(before), seen);
  for (const event of seen.events.toSorted((a, b) => a.sequence - b.sequence))
    if (event.sequence === step.shipment.lastSequence + 1) step = takeScan(step, event);
  if (seen.isCancelled) {
    step = cancelled(step);
    if (step.shipment.state === 'CANCELLED' && step.shipment.wanted) step = change(step, { wanted: null });
  }
  // An old picture of a parcel must not bring an old estimate back.
  const { estimatedDelivery, lastSequence } = step.shipment;
  const isNews = lastSequence > before.lastSequence || !before.label;
  const estimate = seen.estimatedDelivery;
  if (isNews && estimate && estimate.getTime() !== estimatedDelivery?.getTime())
    step = change(step, { estimatedDelivery: estimate });
  const { shipment } = step;
  return shipment.version === before.version && step.events.length > 0
    ? { ...step, shipment: { ...shipment, version: before.version + 1 } }
    : step;
};

/** The carrier will not give a label; whoever asked decides whether to ask again. */
export const refuse = (shipment: Shipment, failureReason: string): Step =>
  shipment.state === 'PENDING' && shipment.wanted === 'LABEL'
    ? change(still(shipment), { state: 'FAILED', wanted: null, failureReason }, { type: 'failed' })
    : still(shipment);

/** The carrier knows nothing of a parcel that is to be cancelled. */
export const neverMade = (shipment: Shipment): Step =>
  shipment.wanted === 'CANCEL' && !shipment.label ? cancelled(still(shipment)) : still(shipment);

/** Asked for again: the same answer, and a new attempt where the carrier refused. */
export const requestLabel = (shipment: Shipment): Step => {
  const { state, wanted, version } = shipment;
  if (state === 'CANCELLED')
    return { shipment, events: [], tell: [{ tell: { type: 'cancelled' }, version }] };
  if (wanted) return still(shipment);
  if (shipment.label) return { shipment, events: [], tell: [{ tell: { type: 'created' }, version }] };
  return change(still(shipment), {
    state: 'PENDING',
    wanted: 'LABEL',
    attempt: shipment.attempt + 1,
    address: null,
  });
};

/** Where the carrier may know of the parcel its word is needed first; what it has collected goes its way, unanswered. */
export const requestCancel = (shipment: Shipment): Step => {
  const { state, wanted, version } = shipment;
  if (state === 'CANCELLED')
    return { shipment, events: [], tell: [{ tell: { type: 'cancelled' }, version }] };
  if (wanted === 'CANCEL' || shipment.handedOverAt) return still(shipment);
  if (!shipment.calledAt && !shipment.label) return cancelled(still(shipment));
  return change(still(shipment), { wanted: 'CANCEL' });
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a reference that the carrier gives can be one of ours. */
export const isUuid = (text: string): boolean => uuid.test(text);
