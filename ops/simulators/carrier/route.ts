import { createHash } from 'node:crypto';
import { hubs } from './hubs.ts';

/** A point on the carrier's map: a depot or a town, never a street. Degrees, WGS 84. */
export type Town = { readonly name: string; readonly latitude: number; readonly longitude: number };

export type Status =
  | 'label_created'
  | 'collected'
  | 'in_transit'
  | 'out_for_delivery'
  | 'delivered'
  | 'exception'
  | 'lost'
  | 'cancelled';

/** A scan, planned or made. `at` in milliseconds since 1970. */
export type Scan = {
  readonly status: Status;
  readonly at: number;
  readonly place: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly description: string;
};

type Journey = {
  /** The parcel's id: all that varies between two parcels on the same way comes from it. */
  readonly id: string;
  readonly origin: Town;
  readonly destination: Town;
  /** When the label was made, in milliseconds since 1970. */
  readonly from: number;
  /** Real milliseconds of the carrier's day. */
  readonly dayMs: number;
};

const EARTH_RADIUS = 6371;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** The great circle between two points, in kilometres (haversine). */
export const kilometres = (a: Omit<Town, 'name'>, b: Omit<Town, 'name'>): number => {
  const north = Math.sin(radians(b.latitude - a.latitude) / 2) ** 2;
  const east = Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  const across = north + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * east;
  return 2 * EARTH_RADIUS * Math.asin(Math.min(1, Math.sqrt(across)));
};

/** How much longer than the direct way a depot may make it. */
const DETOUR = 1.25;

/**
 * The two to four depots a parcel passes. The last is the nearest to the destination, and each is nearer to it than
 * the one before. A parcel that stays in its region goes out to a neighbouring depot and comes back, as parcels do.
 */
export const depotsOf = ({
  id,
  origin,
  destination,
}: Pick<Journey, 'id' | 'origin' | 'destination'>): Town[] => {
  const away = (place: Town): number => kilometres(place, destination);
  const [last, second, ...others] = hubs.toSorted((a, b) => away(a) - away(b)) as [Town, Town, ...Town[]];
  const whole = away(origin);
  const onTheWay = [second, ...others]
    .filter((hub) => away(hub) < whole && kilometres(origin, hub) + away(hub) <= whole * DETOUR)
    .toSorted((a, b) => kilometres(origin, a) - kilometres(origin, b));
  const most = 1 + (byteOf(id, 0) % 3);
  const step = Math.max(1, Math.floor(onTheWay.length / most));
  const chosen = onTheWay.filter((_, index) => index % step === 0).slice(0, most);
  return [...(chosen.length > 0 ? chosen : [second]).toSorted((a, b) => away(b) - away(a)), last];
};

const byteOf = (id: string, index: number): number =>
  createHash('sha256').update(id).digest().readUInt8(index);

/** In days after the label. */
const COLLECTED = 1 / 8;
const FIRST_DEPOT = 0.45;
const LAST_DEPOT = 1.5;
const OUT_FOR_DELIVERY = 1.75;
const DELIVERED = 2;
const PROMISED = 2.125;
/** How far a scan may be from its usual time, to either side. */
const SPREAD = 0.04;

export const promiseOf = ({ from, dayMs }: Pick<Journey, 'from' | 'dayMs'>): number =>
  Math.round(from + PROMISED * dayMs);

/** All scans from the hand-over to the door, in the order of their times. */
export const planOf = (journey: Journey): Scan[] => {
  const { id, origin, destination, from, dayMs } = journey;
  const depots = depotsOf(journey);
  let drawn = 0;
  const scan = (status: Status, days: number, place: Town, description: string): Scan => {
    drawn += 1;
    const jitter = (byteOf(id, drawn) / 255 - 0.5) * 2 * SPREAD;
    const { name, latitude, longitude } = place;
    return {
      status,
      at: Math.round(from + (days + jitter) * dayMs),
      place: name,
      latitude,
      longitude,
      description,
    };
  };
  const between = (LAST_DEPOT - FIRST_DEPOT) / (depots.length - 1);
  const last = depots.at(-1) ?? destination;
  return [
    scan('collected', COLLECTED, origin, 'Collected from the sender.'),
    ...depots.map((depot, index) =>
      scan('in_transit', FIRST_DEPOT + index * between, depot, `Arrived at the ${depot.name} depot.`),
    ),
    scan('out_for_delivery', OUT_FOR_DELIVERY, last, 'With the driver for delivery.'),
    scan('delivered', DELIVERED, destination, 'Delivered.'),
  ];
};
