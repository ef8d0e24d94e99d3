// What the carrier calls with: believed only with its signature, understood later.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { scan } from './carrier.ts';
import { isPartial, type Seen, type Shipment, type TrackingEvent } from './shipment.ts';

/** seconds that the time of signing may be off, before and after */
const tolerance = 300;

/** seconds since 1970 and digests of `t=…,v1=…,v1=…`; null where it is nothing of the kind */
const partsOf = (header: string): { time: string; digests: Buffer[] } | null => {
  const parts = header.split(',').map((part) => part.trim());
  const times = parts.filter((part) => /^t=\d{1,12}$/.test(part));
  const digests = parts.filter((part) => /^v1=[0-9a-f]{64}$/.test(part));
  // Nobody signs with more than a few secrets at once.
  if (times.length !== 1 || digests.length === 0 || parts.length > 10) return null;
  return { time: times[0]!.slice(2), digests: digests.map((part) => Buffer.from(part.slice(3), 'hex')) };
};

/** Whether one of the secrets signed exactly these bytes within the last five minutes. */
export const isSigned = (body: Buffer, header: string, secrets: readonly string[], now: Date): boolean => {
  const parts = partsOf(header);
  if (!parts || Math.abs(now.getTime() / 1000 - Number(parts.time)) > tolerance) return false;
  return secrets.some((secret) => {
    const wanted = createHmac('sha256', secret).update(`${parts.time}.`).update(body).digest();
    return parts.digests.some((digest) => timingSafeEqual(digest, wanted));
  });
};

const named = z.object({
  id: z.string().regex(/^[\w-]{1,100}$/),
  type: z.string().min(1).max(100),
  shipment: z.object({ reference: z.string().max(200) }).optional(),
});

/** The least that an event has. @throws for what is none */
export const readName = (text: string): { id: string; type: string; reference: string | null } => {
  const { id, type, shipment } = named.parse(JSON.parse(text));
  return { id, type, reference: shipment?.reference ?? null };
};

const tracking = z.object({
  type: z.literal('tracking.updated'),
  shipment: z.object({
    id: z.string(),
    reference: z.string(),
    estimated_delivery: z.iso.datetime({ offset: true }).nullish(),
  }),
  event: scan,
});

export type Tracked = {
  readonly carrierId: string;
  readonly reference: string;
  readonly estimatedDelivery: Date | null;
  readonly event: TrackingEvent;
};

/** What the event says about a parcel; null for events of another type. */
export const readTracking = (text: string): Tracked | null => {
  const read = tracking.safeParse(JSON.parse(text));
  if (!read.success) return null;
  const { shipment, event } = read.data;
  const estimate = shipment.estimated_delivery;
  return {
    carrierId: shipment.id,
    reference: shipment.reference,
    estimatedDelivery: estimate ? new Date(estimate) : null,
    event,
  };
};

/** The parcel as the event alone shows it; null where scans before it are not known either, and the carrier must be asked. */
export const shownBy = (
  { reference, estimatedDelivery, event }: Tracked,
  shipment: Shipment,
): Seen | null => {
  const { label } = shipment;
  if (!label) return null;
  const seen = { label, reference, estimatedDelivery, isCancelled: false, events: [event] };
  return isPartial(shipment, seen) ? null : seen;
};
