import { afterEach, expect, test } from 'vitest';
import { townOf } from './countries.ts';
import { kilometres } from './route.ts';
import { daventry, LONG_DAY, label, openCarrier, type Shipment } from './test-sender.ts';

let carrier: Awaited<ReturnType<typeof openCarrier>>;
afterEach(() => carrier.close());

const sequencesOf = ({ events }: Shipment) => events.map(({ sequence }) => sequence);
const statusesOf = ({ events }: Shipment) => events.map(({ status }) => status);

test('a parcel goes from its label over depots to the door, each scan nearer than the one before', async () => {
  carrier = await openCarrier(150);
  const labelled = await carrier.labelled('ord-1');
  expect(labelled).toMatchObject({
    reference: 'ord-1',
    carrier: 'Simulated Parcel',
    status: 'label_created',
    last_sequence: 0,
    events: [],
  });
  expect(labelled.id).toMatch(/^cs_/);
  expect(labelled.tracking_number).toMatch(/^SP\d{9}GB$/);

  const parcel = await carrier.when(labelled.id, 'delivered');
  const { events } = parcel;
  expect(sequencesOf(parcel)).toEqual(events.map((_, index) => index + 1));
  expect(parcel.last_sequence).toBe(events.length);
  const depots = statusesOf(parcel).filter((status) => status === 'in_transit');
  expect(depots.length).toBeGreaterThanOrEqual(2);
  expect(depots.length).toBeLessThanOrEqual(4);
  expect(statusesOf(parcel)).toEqual(['collected', ...depots, 'out_for_delivery', 'delivered']);
  expect(events[0]).toMatchObject({
    place: daventry.name,
    latitude: daventry.latitude,
    longitude: daventry.longitude,
  });

  const door = townOf({ postcode: 'EH1 1AA', country: 'GB' });
  if (!door) throw new Error('Edinburgh is missing');
  const distances = events.map((event) => kilometres(event, door));
  expect(distances).toEqual(distances.toSorted((a, b) => b - a));
  expect(distances[0]).toBeGreaterThan(400);
  expect(distances.at(-1)).toBe(0);
  const times = events.map(({ at }) => Date.parse(at));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.at(-1)).toBeLessThanOrEqual(Date.parse(parcel.estimated_delivery));
  expect(parcel.estimated_delivery).toBe(labelled.estimated_delivery);
  expect((await carrier.ask<Shipment>('GET', `/v1/tracking/${parcel.tracking_number}`)).body).toEqual(parcel);
  expect((await carrier.ask<Shipment[]>('GET', '/v1/shipments?reference=ord-1')).body).toEqual([parcel]);
  expect((await carrier.ask<Shipment[]>('GET', '/v1/shipments?reference=ord-2')).body).toEqual([]);
});

test('the same label asked for twice is one parcel, and its reference belongs to it', async () => {
  carrier = await openCarrier(LONG_DAY);
  const asked = await Promise.all(Array.from({ length: 10 }, () => carrier.send(label('ord-1'), 'key-1')));
  expect(new Set(asked.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 201));
  expect(asked.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
  await carrier.control('shipments/ord-1/deliver');
  const again = await carrier.send(label('ord-1'), 'key-1');
  expect(again).toMatchObject({ status: 201, isReplay: true, body: asked[0]?.body });
  expect(await carrier.send(label('ord-1', 'LS1 4AP'), 'key-1')).toMatchObject({
    status: 409,
    body: { error: { code: 'idempotency_conflict' } },
  });
  expect(await carrier.send(label('ord-1'), 'key-2')).toMatchObject({
    status: 409,
    body: { error: { code: 'reference_taken' } },
  });
  const { body } = await carrier.ask<{ shipments: Shipment[] }>('GET', '/control/book');
  expect(body.shipments).toHaveLength(1);
});

test('a refused label is not remembered, so the same key gets one later', async () => {
  carrier = await openCarrier(LONG_DAY);
  await carrier.faults({ failLabels: { count: 2, match: { reference: 'ord-1' } } });
  const refused = { status: 422, body: { error: { code: 'label_refused' } } };
  expect(await carrier.send(label('ord-1'), 'key-1')).toMatchObject(refused);
  expect((await carrier.send(label('ord-2'), 'key-2')).status).toBe(201);
  expect(await carrier.send(label('ord-1'), 'key-1')).toMatchObject(refused);
  expect(await carrier.send(label('ord-1'), 'key-1')).toMatchObject({ status: 201, isReplay: false });
});

test('a lost reply leaves one parcel, which its key and its reference find', async () => {
  carrier = await openCarrier(LONG_DAY);
  await carrier.faults({ timeoutAfterSuccess: { count: 1 } });
  const lost = fetch(`${carrier.url}/v1/shipments`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer key_simulated',
      'content-type': 'application/json',
      'idempotency-key': 'k',
    },
    body: JSON.stringify(label('ord-1')),
    signal: AbortSignal.timeout(300),
  });
  await expect(lost).rejects.toThrow(/timeout/);
  const replayed = await carrier.send(label('ord-1'), 'k');
  expect(replayed).toMatchObject({ status: 201, isReplay: true });
  const found = await carrier.ask<Shipment[]>('GET', '/v1/shipments?reference=ord-1');
  expect(found.body).toEqual([replayed.body]);
});

test('a failing or busy carrier makes no label', async () => {
  carrier = await openCarrier(LONG_DAY);
  await carrier.faults({ serverError: 1 });
  expect(await carrier.send(label('ord-1'), 'k')).toMatchObject({ status: 500 });
  await carrier.faults({ serverError: { count: 1, value: 429 } });
  expect(await carrier.send(label('ord-1'), 'k')).toMatchObject({ status: 429 });
  expect(await carrier.send(label('ord-1'), 'k')).toMatchObject({ status: 201, isReplay: false });
});

test('a lost parcel was handed over first and is never heard of again', async () => {
  carrier = await openCarrier(2000);
  const { id } = await carrier.labelled('ord-1');
  await carrier.control('shipments/ord-1/lose');
  await carrier.control('shipments/ord-1/lose');
  const parcel = await carrier.when(id, 'lost');
  expect(statusesOf(parcel)).toEqual(['collected', 'lost']);
  expect((await carrier.cancel(id)).body.error.code).toBe('already_collected');
  await expect(carrier.control('shipments/ord-1/deliver')).rejects.toThrow(/already_ended/);
  expect(await carrier.shipment(id)).toEqual(parcel);
});

test('a parcel with an exception is delayed and then delivered', async () => {
  carrier = await openCarrier(600);
  const { id, tracking_number } = await carrier.labelled('ord-1');
  await carrier.control(`shipments/${tracking_number}/exception`);
  const parcel = await carrier.when(id, 'delivered');
  expect(statusesOf(parcel).filter((status) => status === 'exception')).toHaveLength(1);
  expect(Date.parse(parcel.events.at(-1)?.at ?? '')).toBeGreaterThan(Date.parse(parcel.estimated_delivery));
});

test('a parcel on hold stands still until it is released', async () => {
  carrier = await openCarrier(2000);
  const { id } = await carrier.labelled('ord-1');
  await carrier.control('shipments/ord-1/hold');
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(await carrier.shipment(id)).toMatchObject({ status: 'label_created', events: [] });
  const released = Date.now();
  await carrier.control('shipments/ord-1/release');
  const { events } = await carrier.when(id, 'collected', 'in_transit');
  expect(Date.parse(events[0]?.at ?? '')).toBeGreaterThan(released);
});

test('a parcel can be delivered at once, and is handed over before', async () => {
  carrier = await openCarrier(LONG_DAY);
  const { id } = await carrier.labelled('ord-1');
  const parcel = await carrier.control(`shipments/${id}/deliver`);
  expect(statusesOf(parcel)).toEqual(['collected', 'delivered']);
  expect(sequencesOf(parcel)).toEqual([1, 2]);
});
