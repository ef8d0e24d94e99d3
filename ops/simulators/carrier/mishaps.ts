import type { Desk } from './desk.ts';
import { ApiError } from './errors.ts';
import { happen, plan, planned, record } from './scans.ts';
import { isEnded, readTown, type ShipmentRow, shipmentById } from './shipment-rows.ts';

/** What a tester makes happen to one parcel, inside one transaction. All are safe to ask for twice. */
type Mishap = (desk: Desk, row: ShipmentRow, now: number) => void;

/** In the carrier's days. */
const EXCEPTION_DELAYS_BY = 1 / 4;

/**
 * The scan that comes next and where the parcel is until then. The hand-over comes first in any case: a carrier can
 * neither lose nor damage what it does not have.
 */
const nextStop = (desk: Desk, row: ShipmentRow) => {
  const scans = planned(desk, row.id);
  const next = scans[row.status === 'label_created' ? 1 : 0];
  if (!next) throw new Error(`nothing is planned for ${row.id}`);
  const last = desk.book.get<{ place: string; latitude: number; longitude: number }>(
    'select place, latitude, longitude from event where shipment = ? order by sequence desc limit 1',
    row.id,
  );
  const { name, latitude, longitude } = readTown(row.origin);
  return { next, here: last ?? { place: name, latitude, longitude } };
};

const lose: Mishap = (desk, row) => {
  const { next, here } = nextStop(desk, row);
  if (next.status === 'lost') return;
  desk.book.run('delete from scan where shipment = ? and status <> ?', row.id, 'collected');
  plan(desk, row.id, [
    { status: 'lost', at: next.due_at, ...here, description: 'The parcel cannot be found.' },
  ]);
};

const exception: Mishap = (desk, row) => {
  const { next, here } = nextStop(desk, row);
  if (next.status === 'exception') return;
  desk.book.run(
    `update scan set due_at = due_at + ? where shipment = ? and status <> 'collected'`,
    Math.round(EXCEPTION_DELAYS_BY * desk.dayMs),
    row.id,
  );
  plan(desk, row.id, [{ status: 'exception', at: next.due_at, ...here, description: 'Delayed on the way.' }]);
};

const deliver: Mishap = (desk, row, now) => {
  const [first] = planned(desk, row.id);
  if (row.status === 'label_created' && first) happen(desk, first, now);
  const { name: place, latitude, longitude } = readTown(row.town);
  const description = 'Delivered.';
  record(desk, row.id, { status: 'delivered', at: now, place, latitude, longitude, description }, now);
};

const hold: Mishap = ({ book }, { id }, now) => {
  book.run('update shipment set held_at = coalesce(held_at, ?) where id = ?', now, id);
  book.run('update scan set held = 1 where shipment = ?', id);
};

/** The parcel goes on where it stood; all that was to come is later by the time it was held. */
const release: Mishap = ({ book }, { id, held_at }, now) => {
  if (held_at === null) return;
  book.run(
    'update scan set held = 0, due_at = due_at + ? where shipment = ?',
    Math.max(0, now - held_at),
    id,
  );
  book.run('update shipment set held_at = null where id = ?', id);
};

const mishaps: Readonly<Record<string, Mishap>> = { lose, exception, deliver, hold, release };

/** Answers the parcel as it is then. */
export const befall = (desk: Desk, row: ShipmentRow, name: string, now: number): ShipmentRow => {
  const mishap = Object.hasOwn(mishaps, name) ? mishaps[name] : undefined;
  if (!mishap) throw new ApiError(404, 'not_found', 'There is no such control.');
  if (isEnded(row)) throw new ApiError(409, 'already_ended', `The parcel is ${row.status}.`);
  mishap(desk, row, now);
  return shipmentById(desk.book, row.id);
};
