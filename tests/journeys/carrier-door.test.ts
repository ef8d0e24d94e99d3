// What comes to the carrier's door, from the carrier and from others, and what of it counts.
import { createHmac, randomUUID } from 'node:crypto';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { beforeAll, expect, inject, test, vi } from 'vitest';
import { type OrderViewFragment, ParcelDocument } from '../../ops/operations/generated/graphql.ts';
import { bookOf, type Good, shelf } from './books.ts';
import { parcelOf, reorderNews, tellAgain } from './carrier.ts';
import { buy, type Customer, newCustomer, openOrder, settled } from './customer.ts';
import { codes, postTo } from './wire.ts';

const { secrets, subgraphsUrl } = inject('product');
const door = `${subgraphsUrl}/shipping/webhooks/carrier`;

let customer: Customer;
let goods: Good[];
/** delivered */
let order: OrderViewFragment;
let parcel: string;

beforeAll(async () => {
  [customer, goods] = await Promise.all([newCustomer(), shelf(13)]);
  const { id } = await buy(customer, goods[0]!);
  parcel = await parcelOf(id);
  order = await settled(customer, id);
});

type Event = { event_id: string; body: string; outcome: string | null };

const eventsOf = (reference: string): Promise<Event[]> => bookOf('shipping')<Event>`
  select event_id, body, outcome from webhook_event where position(${reference} in body) > 0 order by event_id`;

const scansOf = (shipmentId: string) => bookOf('shipping')<{ sequence: number; status: string }>`
  select sequence, status from tracking_event where shipment_id = ${shipmentId} order by sequence`;

/** As the carrier signs. */
const signed = (body: string, secret = secrets.carrierWebhook, ageSeconds = 0) => {
  const time = Math.floor(Date.now() / 1000) - ageSeconds;
  const digest = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
  return { 'carrier-signature': `t=${time},v1=${digest}` };
};

/** A parcel of this name is delivered, says somebody. */
const claim = (reference: string, carrierId: string): { id: string; text: string } => {
  const id = `evt_${randomUUID().replaceAll('-', '')}`;
  const at = new Date().toISOString();
  const tracking = { tracking_number: 'SP000000001GB', status: 'delivered', estimated_delivery: at };
  const scan = { sequence: 1, status: 'delivered', at, place: 'Leeds', latitude: 53.8, longitude: -1.5 };
  const text = JSON.stringify({
    id,
    type: 'tracking.updated',
    created_at: at,
    shipment: { id: carrierId, reference, ...tracking },
    event: { ...scan, description: 'Delivered.' },
  });
  return { id, text };
};

const outcomeOf = (eventId: string): Promise<string> =>
  vi.waitFor(
    async () => {
      const [row] = await bookOf('shipping')<{ outcome: string | null }>`
        select outcome from webhook_event where event_id = ${eventId}`;
      expect(row?.outcome).toBeTypeOf('string');
      return row!.outcome!;
    },
    { timeout: 10_000, interval: 50 },
  );

test('what the carrier tells counts with a right and fresh signature only, and then once', async () => {
  const [before, scans] = [await eventsOf(parcel), await scansOf(parcel)];
  const event = before[0]!;
  expect(await tellAgain(event.event_id, { badSignature: true })).toEqual([401]);
  expect(await tellAgain(event.event_id, { ageSeconds: 3_600 })).toEqual([401]);
  expect(await tellAgain(event.event_id, { times: 3 })).toEqual([200, 200, 200]);
  expect((await eventsOf(parcel)).map(({ event_id }) => event_id)).toEqual(
    before.map(({ event_id }) => event_id),
  );
  expect(await scansOf(parcel)).toEqual(scans);
  expect((await openOrder(customer, order.id)).version).toBe(order.version);
});

test('who is not the carrier is refused, and nothing of it is kept', async () => {
  const { id, text } = claim(parcel, 'cs_somebody');
  expect(codes(await postTo(door, text))).toEqual(['BAD_USER_INPUT']);
  const forgeries = [
    signed(text, 'x'.repeat(40)),
    signed(text, secrets.webhook),
    signed(text, secrets.carrierWebhook, 301),
    signed(text, secrets.carrierWebhook, -301),
    signed(`${text} `),
    { 'carrier-signature': 't=1,v1=abc' },
    { 'carrier-signature': '' },
  ];
  for (const headers of forgeries) {
    const answer = await postTo(door, text, headers);
    expect([answer.status, codes(answer)]).toEqual([401, ['UNAUTHENTICATED']]);
  }
  expect(codes(await postTo(door, 'x'.repeat(100_000), signed('x')))).toEqual(['PAYLOAD_TOO_LARGE']);
  expect(await bookOf('shipping')`select from webhook_event where event_id = ${id}`).toEqual([]);
});

test.each(['', 'delivered', '[]', '{"id":7}', '{"id":"evt_1","type":"","shipment":null}'])(
  'a signed body that is no event is told so: %s',
  async (body) => {
    const answer = await postTo(door, body, signed(body));
    expect([answer.status, codes(answer)]).toEqual([400, ['BAD_USER_INPUT']]);
  },
);

test.each([
  ['that nobody has', () => newId()],
  ['whose name is no name of ours', () => "'; drop table shipment; --"],
  ['of ours by another name at the carrier', () => parcel],
])('news of a parcel %s is taken and leads to nothing', async (_what, reference) => {
  const scans = await scansOf(parcel);
  const { id, text } = claim(reference(), 'cs_somebody');
  expect((await fetch(door, { method: 'POST', body: text, headers: signed(text) })).status).toBe(200);
  expect(await outcomeOf(id)).toBe('IGNORED');
  expect(await scansOf(parcel)).toEqual(scans);
  expect((await openOrder(customer, order.id)).version).toBe(order.version);
});

test('scans that are told in a wrong order stand in the right one, and none is missing', async () => {
  const { id } = await buy(customer, goods[1]!);
  const shipment = await parcelOf(id);
  await reorderNews(shipment);
  const delivered = await settled(customer, id);
  expect(delivered.status).toBe('DELIVERED');
  const scans = await vi.waitFor(
    async () => {
      const told = await eventsOf(shipment);
      const rows = await scansOf(shipment);
      expect(told.every(({ outcome }) => outcome !== null)).toBe(true);
      expect(told.length).toBe(rows.length);
      return rows;
    },
    { timeout: 15_000, interval: 100 },
  );
  expect(scans.map(({ sequence }) => sequence)).toEqual(scans.map((_, index) => index + 1));
  expect(scans.at(-1)!.status).toBe('DELIVERED');
  const steps = delivered.timeline.filter(({ actor }) => actor === 'shipping').map(({ type }) => type);
  expect(steps.slice(0, 2).sort()).toEqual(['shipment.created', 'shipment.handed-over']);
  expect(steps.at(-1)).toBe('shipment.delivered');
});

test('a parcel that nobody has is nothing, and an id of another kind is named', async () => {
  expect(await customer.client.send(ParcelDocument, { id: encodeId('shipment', newId()) })).toEqual({
    shipment: null,
  });
  for (const id of [order.id, parcel, 'shp_', ''])
    await expect(customer.client.send(ParcelDocument, { id })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: 'id',
    });
});
