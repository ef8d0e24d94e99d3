// Whether the parcel went from a warehouse to the customer as it should, scan by scan. Pure.
import { warehouses } from '../seed/stock.ts';
import type { Scenario } from './scenarios.ts';
import { arrows, differsUnless, isWithin } from './sentences.ts';
import { home } from './shopper.ts';
import type { Seen } from './verdict.ts';

type Point = { readonly latitude: number; readonly longitude: number };

const kilometresOfDegree = 111.2;

/** In kilometres; the earth is flat enough within one country. */
const distance = (a: Point, b: Point): number => {
  const north = a.latitude - b.latitude;
  const middle = ((a.latitude + b.latitude) / 2) * (Math.PI / 180);
  return kilometresOfDegree * Math.hypot(north, (a.longitude - b.longitude) * Math.cos(middle));
};

/** kilometres within which a scan is at a place */
const near = 25;

const checkRoute = (points: readonly Point[], isDelivered: boolean): string[] => {
  const left = points.map((point) => distance(point, home));
  const [first] = points;
  return [
    ...differsUnless(
      first !== undefined && warehouses.some((warehouse) => distance(warehouse, first) < near),
      'The parcel was first seen far from every warehouse.',
    ),
    ...differsUnless(
      // A kilometre for the rounding of coordinates.
      left.every((km, index) => index === 0 || km <= left[index - 1]! + 1),
      `The parcel did not come nearer: ${left.map((km) => `${km.toFixed(0)} km`).join(', ')} to go.`,
    ),
    ...differsUnless(
      !isDelivered || (left.at(-1) ?? Infinity) < near,
      `The parcel was delivered ${left.at(-1)?.toFixed(0) ?? 'nobody knows how many'} km from ${home.city}.`,
    ),
  ];
};

/** Where nothing is to leave, a label that was made is called back. */
const checkNoParcel = ({ parcels }: Seen): string[] =>
  differsUnless(
    parcels.every(({ status }) => status === 'CANCELLED' || status === 'PENDING'),
    `A parcel is ${parcels.map(({ status }) => status).join(', ')}; none should have left.`,
  );

export const checkParcel = (seen: Seen, { parcel: wanted }: Scenario['expected']): string[] => {
  if (wanted === null) return checkNoParcel(seen);
  const { parcels, scans } = seen;
  const [parcel] = parcels;
  if (!parcel || parcels.length > 1) return [`There are ${parcels.length} parcels instead of one.`];
  const statuses = parcel.events.map(({ status }) => status);
  const times = parcel.events.map(({ at }) => Date.parse(at));
  const live = scans.map(({ status }) => status);
  const points = parcel.events.flatMap(({ point }) => (point ? [point] : []));
  return [
    ...differsUnless(parcel.status === wanted, `The parcel is ${parcel.status} instead of ${wanted}.`),
    ...differsUnless(Boolean(parcel.trackingNumber), 'The parcel has no tracking number.'),
    ...differsUnless(
      statuses.at(-1) === wanted && statuses.includes('IN_TRANSIT'),
      `The carrier's scans are ${arrows(statuses)}, and should end with ${wanted}.`,
    ),
    ...differsUnless(
      times.every((at, index) => index === 0 || at >= times[index - 1]!),
      'The scans are not in the order of their times.',
    ),
    ...differsUnless(
      live.at(-1) === wanted && isWithin(live, statuses),
      `Scans that came live were ${arrows(live)}, the carrier has ${arrows(statuses)}.`,
    ),
    ...checkRoute(points, wanted === 'DELIVERED'),
  ];
};
