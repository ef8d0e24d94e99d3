// What is to be done at the carrier, and whose hands it is in.

import { raw } from '@orderstream/runtime/database';
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import type { Shipment } from './shipment.ts';
import { type HasSql, patience, type ShipmentRow, shipmentOf } from './store.ts';

/** A shipment in the hands of one worker until `leasedUntil`. */
export type Claim = {
  readonly shipment: Shipment;
  readonly leasedUntil: Date;
  readonly attempts: number;
  /** milliseconds since the carrier was last asked for the label */
  readonly quietMs: number;
};

type ClaimRow = ShipmentRow & { leased_until: Date; attempts: number; quiet_ms: number | null };

/**
 * Takes due shipments into the hands of this worker. Committed before the carrier is called, so that a worker that dies is
 * followed by another when the lease ends, with the same key. Rides on shipment_due.
 */
export const claimShipments = async ({ sql }: HasSql, most: number, leaseMs: number): Promise<Claim[]> => {
  const rows = await sql<ClaimRow>`
    with due as (
      select id from shipment
      where wanted is not null and next_attempt_at <= now() and (leased_until is null or leased_until < now())
      order by next_attempt_at limit ${most} for update skip locked
    )
    update shipment set leased_until = now() + ${leaseMs} * interval '1 millisecond', attempts = attempts + 1
    where id in (select id from due)
    returning *, (extract(epoch from now() - called_at) * 1000)::float8 as quiet_ms`;
  return rows.map((row) => ({
    shipment: shipmentOf(row),
    leasedUntil: row.leased_until,
    attempts: row.attempts,
    quietMs: row.quiet_ms ?? Number.POSITIVE_INFINITY,
  }));
};

/**
 * The last word before the carrier is called: it writes down the address and that there was a call.
 * @returns null where the parcel is not wanted any more, the customer was erased, or somebody else has it in hand
 */
export const beginCall = async (
  { sql }: HasSql,
  { shipment, leasedUntil }: Claim,
  address: PostalAddress,
): Promise<Shipment | null> => {
  const [row] = await sql<ShipmentRow>`
    update shipment set called_at = now(), recipient = ${address.recipient}, line1 = ${address.line1},
      line2 = ${address.line2}, city = ${address.city}, postcode = ${address.postcode}, country = ${address.country}
    where id = ${shipment.id} and leased_until = ${leasedUntil} and wanted = 'LABEL' and attempt = ${shipment.attempt}
      and erased_at is null
    returning *`;
  return row ? shipmentOf(row) : null;
};

/** Ends the claim, unless somebody else holds the shipment by now. Another attempt is due after `pauseMs`. */
export const releaseShipment = async ({ sql }: HasSql, claim: Claim, pauseMs: number): Promise<void> => {
  const { id, wanted } = claim.shipment;
  await sql`
    update shipment set leased_until = null,
      next_attempt_at = case when wanted is not distinct from ${wanted}::text
        then greatest(next_attempt_at, now() + ${pauseMs} * interval '1 millisecond') else next_attempt_at end
    where id = ${id} and leased_until = ${claim.leasedUntil}`;
};

/**
 * Parcels under way of which nothing was heard for a while, each looked for after 3 s, 6 s, 12 s and so on up to half an
 * hour, later where it is to take long. Rides on shipment_under_way.
 */
export const takeQuiet = async ({ sql }: HasSql, most: number): Promise<Shipment[]> => {
  const rows = await sql<ShipmentRow>`
    update shipment set looks = looks + 1,
      next_look_at = now() + greatest(${patience(raw('shipment'))},
        least(${patience(raw('shipment'))} * 2 ^ least(looks + 1, 12), interval '30 minutes'))
    where id in (
      select id from shipment
      where state in ('LABELLED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION') and next_look_at <= now()
      order by next_look_at limit ${most} for update skip locked)
    returning *`;
  return rows.map(shipmentOf);
};

/**
 * Parcels whose address the carrier is to forget: those that do not need it any more. Each is taken again after half a
 * minute until it is done. Rides on shipment_to_forget.
 */
export const takeToForget = async (
  { sql }: HasSql,
  most: number,
): Promise<{ id: string; carrier_id: string }[]> =>
  sql`
    update shipment set forget_at = now() + interval '30 seconds'
    where id in (
      select id from shipment
      where forget_at <= now() and carrier_id is not null and wanted is null
        and state in ('DELIVERED', 'LOST', 'CANCELLED')
      order by forget_at limit ${most} for update skip locked)
    returning id, carrier_id`;

export const markForgotten = async ({ sql }: HasSql, id: string): Promise<void> => {
  await sql`update shipment set forget_at = null where id = ${id}`;
};
