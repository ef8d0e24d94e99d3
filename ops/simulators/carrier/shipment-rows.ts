import type { Book } from './book.ts';
import { ApiError } from './errors.ts';
import type { Scan, Status, Town } from './route.ts';

export type ShipmentRow = {
  readonly seq: number;
  readonly id: string;
  readonly reference: string;
  readonly tracking_number: string;
  readonly status: Status;
  /** JSON of a Town. */
  readonly origin: string;
  /** JSON of the address on the label; null once it was forgotten. */
  readonly destination: string | null;
  /** JSON of a Town. */
  readonly town: string;
  readonly created_at: number;
  readonly estimated_delivery: number;
  readonly last_sequence: number;
  readonly held_at: number | null;
};

type EventRow = Scan & { readonly sequence: number };

const ENDED: readonly Status[] = ['delivered', 'lost', 'cancelled'];

export const isEnded = ({ status }: Pick<ShipmentRow, 'status'>): boolean => ENDED.includes(status);

export const readTown = (text: string): Town => JSON.parse(text) as Town;

export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

export const showEvent = ({ sequence, status, at, place, latitude, longitude, description }: EventRow) => ({
  sequence,
  status,
  at: isoTime(at),
  place,
  latitude,
  longitude,
  description,
});

/** A parcel as callers see it. The address is on the label and nowhere else. */
export const showShipment = (book: Book, row: ShipmentRow) => ({
  id: row.id,
  reference: row.reference,
  tracking_number: row.tracking_number,
  carrier: 'Simulated Parcel',
  status: row.status,
  created_at: isoTime(row.created_at),
  estimated_delivery: isoTime(row.estimated_delivery),
  last_sequence: row.last_sequence,
  events: book
    .all<EventRow>('select * from event where shipment = ? order by sequence', row.id)
    .map(showEvent),
});

export const shipmentById = (book: Book, id: string): ShipmentRow => {
  const row = book.get<ShipmentRow>('select * from shipment where id = ?', id);
  if (!row) throw new ApiError(404, 'unknown_shipment', 'There is no such shipment.');
  return row;
};

export const shipmentByReference = (book: Book, reference: string): ShipmentRow | undefined =>
  book.get<ShipmentRow>('select * from shipment where reference = ?', reference);

export const shipmentByTracking = (book: Book, trackingNumber: string): ShipmentRow => {
  const row = book.get<ShipmentRow>('select * from shipment where tracking_number = ?', trackingNumber);
  if (!row) throw new ApiError(404, 'unknown_tracking_number', 'There is no parcel with this number.');
  return row;
};
