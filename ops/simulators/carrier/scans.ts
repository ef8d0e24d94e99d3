import { newId } from './book.ts';
import type { Desk } from './desk.ts';
import type { Scan } from './route.ts';
import { isEnded, isoTime, type ShipmentRow, shipmentById, showEvent } from './shipment-rows.ts';

type PlannedScan = Omit<Scan, 'at'> & {
  readonly seq: number;
  readonly shipment: string;
  readonly due_at: number;
};

/** How long a reordered webhook waits for a later one to overtake it, in milliseconds. */
const OVERTAKING_TIME = 1500;
const MOST_COPIES = 20;

/** Promises deliveries of one event, bent by whichever webhook switches are on. */
const promiseDelivery = (
  { book, faults }: Desk,
  event: number,
  { id, reference }: ShipmentRow,
  now: number,
) => {
  const occasion = { reference };
  const due = now + (faults.take('webhooks.delayMs', occasion)?.value ?? 0);
  const held = faults.take('webhooks.hold', occasion) ? 1 : 0;
  const copies = 1 + Math.min(MOST_COPIES, faults.take('webhooks.duplicate', occasion)?.value ?? 0);
  const overtaken = book.run(
    'update delivery set due_at = ?, swapped = 0 where shipment = ? and swapped = 1 and due_at is not null',
    due + 1,
    id,
  );
  const waits = overtaken === 0 && faults.take('webhooks.reorder', occasion) !== undefined;
  for (let copy = 0; copy < copies; copy += 1) {
    book.run(
      'insert into delivery (event, shipment, due_at, held, swapped) values (?, ?, ?, ?, ?)',
      event,
      id,
      waits ? due + OVERTAKING_TIME : due,
      held,
      waits ? 1 : 0,
    );
  }
};

/**
 * Writes down what happened to a parcel and promises to tell it, in the caller's transaction. After an end nothing
 * else is planned. The parcel must not have ended yet.
 */
export const record = (desk: Desk, shipment: string, scan: Scan, now: number): ShipmentRow => {
  const { book, notifies } = desk;
  const row = book.get<ShipmentRow>(
    'update shipment set status = ?, last_sequence = last_sequence + 1 where id = ? returning *',
    scan.status,
    shipment,
  );
  if (!row) throw new Error(`a scan of a parcel that is not in the book: ${shipment}`);
  const id = newId('evt_');
  const body = {
    id,
    type: 'tracking.updated',
    created_at: isoTime(now),
    shipment: {
      id: row.id,
      reference: row.reference,
      tracking_number: row.tracking_number,
      status: row.status,
      estimated_delivery: isoTime(row.estimated_delivery),
    },
    event: showEvent({ ...scan, sequence: row.last_sequence }),
  };
  const { status, at, place, latitude, longitude, description } = scan;
  const event = book.get<{ seq: number }>(
    `insert into event (id, shipment, sequence, status, at, place, latitude, longitude, description, body)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning seq`,
    id,
    shipment,
    row.last_sequence,
    status,
    at,
    place,
    latitude,
    longitude,
    description,
    JSON.stringify(body),
  );
  if (event && notifies) promiseDelivery(desk, event.seq, row, now);
  if (isEnded(row)) book.run('delete from scan where shipment = ?', shipment);
  return row;
};

export const plan = ({ book }: Desk, shipment: string, scans: readonly Scan[]): void => {
  for (const { status, at, place, latitude, longitude, description } of scans) {
    // What is added to a parcel that is on hold is on hold too.
    book.run(
      `insert into scan (shipment, status, due_at, held, place, latitude, longitude, description)
       select id, ?, ?, held_at is not null, ?, ?, ?, ? from shipment where id = ?`,
      status,
      at,
      place,
      latitude,
      longitude,
      description,
      shipment,
    );
  }
};

export const planned = ({ book }: Desk, shipment: string): PlannedScan[] =>
  book.all<PlannedScan>('select * from scan where shipment = ? order by due_at, seq', shipment);

/** Makes a planned scan happen at its time or, when it is called earlier, now. */
export const happen = (
  desk: Desk,
  { seq, shipment, due_at, ...scan }: PlannedScan,
  now: number,
): ShipmentRow => {
  desk.book.run('delete from scan where seq = ?', seq);
  const { status, place, latitude, longitude, description } = scan;
  const at = Math.min(due_at, now);
  return record(desk, shipment, { status, at, place, latitude, longitude, description }, now);
};

const AT_ONCE = 100;

/**
 * Makes up to a hundred due scans happen, the oldest first, each with the time it was due at: parcels went on while
 * nobody wrote it down. Answers how many there were.
 */
export const happenDue = (desk: Desk, now: number): number => {
  const due = desk.book.all<PlannedScan>(
    'select * from scan where held = 0 and due_at <= ? order by due_at, seq limit ?',
    now,
    AT_ONCE,
  );
  if (due.length === 0) return 0;
  desk.book.transaction(() => {
    for (const scan of due) {
      if (!isEnded(shipmentById(desk.book, scan.shipment))) happen(desk, scan, now);
    }
  });
  return due.length;
};

export const nextDue = ({ book }: Desk): number | undefined =>
  book.get<{ due_at: number }>('select due_at from scan where held = 0 order by due_at limit 1')?.due_at;
