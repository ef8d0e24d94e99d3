import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { LONG_DAY, label, openCarrier, webhookEndpoint } from './test-sender.ts';

let carrier: Awaited<ReturnType<typeof openCarrier>>;
afterEach(() => carrier.close());

test('a parcel that was not collected can be cancelled, twice with the same answer', async () => {
  carrier = await openCarrier(LONG_DAY);
  const { id } = await carrier.labelled('ord-1');
  const first = await carrier.cancel(id);
  expect(first).toMatchObject({ status: 200, body: { id, status: 'cancelled', last_sequence: 1 } });
  expect((await carrier.cancel(id)).body).toEqual(first.body);
});

test('a cancelled parcel is never collected', async () => {
  const endpoint = await webhookEndpoint();
  carrier = await openCarrier(6000, endpoint.url);
  const { id } = await carrier.labelled('ord-1');
  expect((await carrier.cancel(id)).status).toBe(200);
  const other = await carrier.labelled('ord-2', label('ord-2'));
  await carrier.when(other.id, 'collected', 'in_transit');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await carrier.shipment(id)).toMatchObject({ status: 'cancelled', last_sequence: 1 });
  const ours = endpoint.heard.filter(({ told }) => told.shipment.id === id);
  expect(ours.map(({ told }) => told.event.status)).toEqual(['cancelled']);
  await endpoint.close();
});

test('a collected parcel cannot be cancelled', async () => {
  carrier = await openCarrier(2000);
  const { id } = await carrier.labelled('ord-1');
  await carrier.when(id, 'collected', 'in_transit');
  expect(await carrier.cancel(id)).toMatchObject({
    status: 409,
    body: { error: { code: 'already_collected' } },
  });
});

/** When the driver comes, as the carrier's book has it, in milliseconds since 1970. */
const handOverOf = (id: string): number => {
  const db = new DatabaseSync(carrier.dataFile, { readOnly: true });
  const row = db.prepare('select due_at from scan where shipment = ? order by due_at limit 1').get(id);
  db.close();
  return Number(row?.due_at);
};

test('twenty cancellations at the moment of the hand-over have one outcome', async () => {
  carrier = await openCarrier(2400);
  for (const offset of [-8, -4, 0, 4, 8]) {
    const { id } = await carrier.labelled(`ord${offset}`);
    await new Promise((resolve) => setTimeout(resolve, handOverOf(id) + offset - Date.now()));
    const answers = await Promise.all(Array.from({ length: 20 }, () => carrier.cancel(id)));
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses.size).toBe(1);
    const { events } = await carrier.shipment(id);
    expect(events[0]?.status).toBe(statuses.has(200) ? 'cancelled' : 'collected');
    expect(events.filter(({ status }) => status === 'cancelled' || status === 'collected')).toHaveLength(1);
  }
});
