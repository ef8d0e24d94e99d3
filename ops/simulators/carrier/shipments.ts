import { createHash } from 'node:crypto';
import { z } from 'zod';
import { newId } from './book.ts';
import { townOf } from './countries.ts';
import type { Desk } from './desk.ts';
import { ApiError, errorBody } from './errors.ts';
import { planOf, promiseOf } from './route.ts';
import { plan, record } from './scans.ts';
import {
  readTown,
  type ShipmentRow,
  shipmentById,
  shipmentByReference,
  showShipment,
} from './shipment-rows.ts';

/** Runs inside one transaction of the book and never waits. */
export type Reply = { readonly status: number; readonly body: string; readonly isReplay?: true };

const line = z.string().trim().min(1).max(200);

export const labelRequest = z.object({
  reference: z.string().regex(/^[A-Za-z0-9_.:-]{1,100}$/),
  origin: z.object({
    name: line,
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
  }),
  destination: z.object({
    recipient: line,
    line1: line,
    line2: z.string().max(200).nullish(),
    city: line,
    // Some countries have none.
    postcode: z.string().max(20),
    country: z.string().regex(/^[A-Za-z]{2}$/),
  }),
  pieces: z.number().int().min(1).max(10_000),
});

export type LabelRequest = z.infer<typeof labelRequest>;

const fingerprintOf = (request: LabelRequest): string =>
  createHash('sha256').update(JSON.stringify(request)).digest('hex');

/** As the post's numbers are made: eight digits and one that is computed from them, modulus 11. */
const trackingNumberOf = (seq: number): string => {
  // 7919 has no factor in common with 10^8, so no two parcels of the first hundred million share a number.
  const serial = String((seq * 7919 + 10_000_019) % 100_000_000).padStart(8, '0');
  const weights = [8, 6, 4, 2, 3, 5, 9, 7];
  const sum = weights.reduce((total, weight, index) => total + weight * Number(serial[index]), 0);
  const check = 11 - (sum % 11);
  return `SP${serial}${check === 10 ? 0 : check === 11 ? 5 : check}GB`;
};

type Remembered = { readonly fingerprint: string | null; readonly answer: string };

/** Makes a label and plans the whole way. The same key with the same request is told the same again. */
export const createShipment = (desk: Desk, key: string, request: LabelRequest, now: number): Reply => {
  const { book, faults, dayMs } = desk;
  const { reference, origin, destination, pieces } = request;
  const fingerprint = fingerprintOf(request);
  const known = book.get<Remembered>(
    'select fingerprint, answer from shipment where idempotency_key = ?',
    key,
  );
  if (known) {
    // A forgotten parcel's request cannot be compared any more; its key still stands for it.
    if (known.fingerprint !== null && known.fingerprint !== fingerprint) {
      throw new ApiError(409, 'idempotency_conflict', 'This key was used for another shipment.');
    }
    return { status: 201, body: known.answer, isReplay: true };
  }
  if (shipmentByReference(book, reference)) {
    throw new ApiError(409, 'reference_taken', 'There is a shipment with this reference already.');
  }
  const town = townOf(destination);
  if (!town) {
    throw new ApiError(422, 'address_not_serviceable', 'The carrier does not deliver to this address.');
  }
  // Answered and not thrown: the switch has been used up and must stay so.
  if (faults.take('failLabels', { reference, postcode: destination.postcode })) {
    const refusal = { code: 'label_refused', message: 'The label could not be made.' };
    return { status: 422, body: JSON.stringify(errorBody(refusal)) };
  }

  const id = newId('cs_');
  const next = book.get<{ seq: number }>('select coalesce(max(seq), 0) + 1 as seq from shipment')?.seq ?? 1;
  const row = book.get<ShipmentRow>(
    `insert into shipment (id, reference, tracking_number, status, origin, destination, town, pieces, created_at,
       estimated_delivery, idempotency_key, fingerprint, answer)
     values (?, ?, ?, 'label_created', ?, ?, ?, ?, ?, ?, ?, ?, '') returning *`,
    id,
    reference,
    trackingNumberOf(next),
    JSON.stringify(origin),
    JSON.stringify(destination),
    JSON.stringify(town),
    pieces,
    now,
    promiseOf({ from: now, dayMs }),
    key,
    fingerprint,
  );
  if (!row) throw new Error('the shipment was not written');
  plan(desk, id, planOf({ id, origin, destination: town, from: now, dayMs }));
  const answer = JSON.stringify(showShipment(book, row));
  book.run('update shipment set answer = ? where id = ?', answer, id);
  return { status: 201, body: answer };
};

const show = ({ book }: Desk, row: ShipmentRow): Reply => ({
  status: 200,
  body: JSON.stringify(showShipment(book, row)),
});

/** Whoever writes first decides: the driver's first scan or this. */
export const cancelShipment = (desk: Desk, id: string, now: number): Reply => {
  const row = shipmentById(desk.book, id);
  if (row.status === 'cancelled') return show(desk, row);
  if (row.status !== 'label_created') {
    throw new ApiError(
      409,
      'already_collected',
      'The carrier has the parcel; it cannot be stopped any more.',
    );
  }
  const { name: place, latitude, longitude } = readTown(row.origin);
  const description = 'Cancelled by the sender.';
  const scan = { status: 'cancelled', at: now, place, latitude, longitude, description } as const;
  return show(desk, record(desk, id, scan, now));
};

/** A shop erases a customer: the label's address goes, and what could be recognised as made from it. */
export const forgetShipment = (desk: Desk, id: string): Reply => {
  const row = shipmentById(desk.book, id);
  desk.book.run('update shipment set destination = null, fingerprint = null where id = ?', id);
  return show(desk, row);
};
