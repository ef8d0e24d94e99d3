// The carrier, behind the words of the shop. The only file that knows its wire. Every call answers within the time-out
// and never throws for what the carrier or the network does: a call that may or may not have had its effect answers
// `unknown`, and only the same call under the same key, or a look, can tell.
import { callHttp } from '@orderstream/runtime/http-call';
import { z } from 'zod';
import { keyOf, type ScanStatus, type Seen, type Shipment, type TrackingEvent } from './shipment.ts';

export type Answer<T> =
  | { readonly kind: 'answered'; readonly value: T }
  /** `message` is a sentence for staff */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'unknown'; readonly cause: unknown };

export type CarrierSettings = {
  readonly apiKey: string;
  readonly url: string;
  readonly timeoutMs: number;
};

const scanStatuses = {
  label_created: 'LABELLED',
  collected: 'COLLECTED',
  in_transit: 'IN_TRANSIT',
  out_for_delivery: 'OUT_FOR_DELIVERY',
  delivered: 'DELIVERED',
  exception: 'EXCEPTION',
  lost: 'LOST',
  cancelled: 'CANCELLED',
} as const satisfies Record<string, ScanStatus>;

const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const status = z.enum(Object.keys(scanStatuses) as [keyof typeof scanStatuses]);
// PostgreSQL takes no NUL, and half a letter is no text.
const printable = z.string().transform((text) => text.toWellFormed().replaceAll(/\p{Cc}/gu, ' '));
const name = printable.pipe(z.string().min(1).max(200));

/** A scan. The carrier's description is left out: couriers write names into it. */
export const scan = z
  .object({
    sequence: z.number().int().positive().max(100_000),
    status,
    at: moment,
    place: printable.pipe(z.string().max(200)).nullish(),
    latitude: z.number().min(-90).max(90).nullish(),
    longitude: z.number().min(-180).max(180).nullish(),
  })
  .transform(
    ({ latitude, longitude, ...event }): TrackingEvent => ({
      sequence: event.sequence,
      status: scanStatuses[event.status],
      at: event.at,
      place: event.place ?? null,
      point: latitude == null || longitude == null ? null : { latitude, longitude },
    }),
  );

const parcel = z
  .object({
    id: name,
    reference: name,
    tracking_number: name,
    carrier: name,
    status,
    created_at: moment,
    estimated_delivery: moment.nullish(),
    events: z.array(scan).max(10_000),
  })
  .transform(
    (one): Seen => ({
      label: {
        carrierId: one.id,
        carrier: one.carrier,
        trackingNumber: one.tracking_number,
        at: one.created_at,
      },
      reference: one.reference,
      isCancelled: one.status === 'cancelled',
      estimatedDelivery: one.estimated_delivery ?? null,
      events: one.events,
    }),
  );

const problem = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Refusals that say nothing about the parcel: our key is wrong, or it is too much at the moment. */
const isPassing = (code: number): boolean => code >= 500 || [401, 403, 408, 425, 429].includes(code);

export const createCarrier = ({ apiKey, url, timeoutMs }: CarrierSettings) => {
  const call = async <S extends z.ZodType>(
    shape: S,
    path: string,
    options: { readonly key?: string; readonly body?: object } = {},
  ): Promise<Answer<z.output<S>>> => {
    try {
      const { status: code, text } = await callHttp(new URL(path, url), {
        method: options.body ? 'POST' : 'GET',
        body: options.body && JSON.stringify(options.body),
        timeoutMs,
        headers: {
          authorization: `Bearer ${apiKey}`,
          'content-type': 'application/json',
          ...(options.key && { 'idempotency-key': options.key }),
        },
      });
      if (code >= 200 && code < 300) return { kind: 'answered', value: shape.parse(JSON.parse(text)) };
      if (isPassing(code)) return { kind: 'unknown', cause: `the carrier answered ${code}` };
      const { error } = problem.parse(JSON.parse(text));
      return { kind: 'refused', status: code, ...error };
    } catch (cause) {
      return { kind: 'unknown', cause };
    }
  };

  const ofId = (id: string): string => `/v1/shipments/${encodeURIComponent(id)}`;

  return {
    /** Under the shipment's key: the same call again answers the same. The shipment has its address. */
    print: (shipment: Shipment): Promise<Answer<Seen>> => {
      const { id: reference, origin, address, pieces } = shipment;
      return call(parcel, '/v1/shipments', {
        key: keyOf(shipment),
        body: {
          reference,
          origin: { name: origin.name, latitude: origin.latitude, longitude: origin.longitude },
          destination: address,
          pieces,
        },
      });
    },

    look: (carrierId: string): Promise<Answer<Seen>> => call(parcel, ofId(carrierId)),

    /** By our own name for it; null where the carrier knows no such parcel. */
    find: async (shipmentId: string): Promise<Answer<Seen | null>> => {
      const found = await call(z.array(parcel), `/v1/shipments?reference=${encodeURIComponent(shipmentId)}`);
      return found.kind === 'answered' ? { kind: 'answered', value: found.value[0] ?? null } : found;
    },

    cancel: (carrierId: string): Promise<Answer<Seen>> =>
      call(parcel, `${ofId(carrierId)}/cancel`, { body: {} }),

    /** The address; the parcel's number and scans stay. */
    forget: (carrierId: string): Promise<Answer<unknown>> =>
      call(z.unknown(), `${ofId(carrierId)}/forget`, { body: {} }),
  };
};

export type Carrier = ReturnType<typeof createCarrier>;
