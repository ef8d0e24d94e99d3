// The carrier's back door: what happens to a parcel, and what it tells us.
import { inject, vi } from 'vitest';
import { z } from 'zod';
import { bookOf, uuidOf } from './books.ts';

const { carrierUrl, secrets } = inject('product');

const call = async (path: string, body?: object): Promise<unknown> => {
  const response = await fetch(`${carrierUrl}/control/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${secrets.control}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`the carrier's control refused ${path}: ${JSON.stringify(answer)}`);
  return answer;
};

/** The carrier gives no label for parcels to there any more. */
export const refuseLabels = (postcode: string): Promise<unknown> =>
  call('faults', { failLabels: { match: { postcode } } });

/** What the carrier tells of a parcel's next scans comes in a wrong order. */
export const reorderNews = (shipmentId: string): Promise<unknown> =>
  call('faults', { webhooks: { reorder: { count: 2, match: { reference: shipmentId } } } });

/** What befalls a parcel; `reference` is ours. */
export const befall = (reference: string, what: 'lose' | 'hold' | 'release' | 'deliver'): Promise<unknown> =>
  call(`shipments/${reference}/${what}`, {});

/** Sends an event once more, or so many times at once. @returns the status of each answer */
export const tellAgain = async (
  eventId: string,
  how: { readonly times?: number; readonly badSignature?: boolean; readonly ageSeconds?: number },
): Promise<number[]> => {
  const answer = await call(`events/${eventId}/deliver`, how);
  return z.object({ statuses: z.array(z.number()) }).parse(answer).statuses;
};

/** The parcel of an order, once it is asked for; by its uuid, which is the carrier's reference. */
export const parcelOf = (orderId: string): Promise<string> =>
  vi.waitFor(
    async () => {
      const [row] = await bookOf('shipping')<{ id: string }>`
        select id from shipment where order_id = ${uuidOf('order', orderId)}`;
      if (!row) throw new Error('there is no parcel yet');
      return row.id;
    },
    { timeout: 20_000, interval: 20 },
  );
