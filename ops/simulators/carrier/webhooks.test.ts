import { afterEach, beforeEach, expect, test } from 'vitest';
import { LONG_DAY, openCarrier, until, webhookEndpoint } from './test-sender.ts';

let endpoint: Awaited<ReturnType<typeof webhookEndpoint>>;
let carrier: Awaited<ReturnType<typeof openCarrier>>;
beforeEach(async () => {
  endpoint = await webhookEndpoint();
  carrier = await openCarrier(LONG_DAY, endpoint.url);
});
afterEach(async () => {
  await carrier.close();
  await endpoint.close();
});

/** Two events at once: collected and delivered. */
const deliver = async (reference: string) => {
  await carrier.labelled(reference);
  return carrier.control(`shipments/${reference}/deliver`);
};

const cancelled = async (reference: string) => carrier.cancel((await carrier.labelled(reference)).id);

const quiet = () => new Promise((resolve) => setTimeout(resolve, 300));

test('each scan is told, signed and in order', async () => {
  const parcel = await deliver('ord-1');
  await until(() => endpoint.heard.length === 2);
  expect(endpoint.heard.map(({ isGenuine }) => isGenuine)).toEqual([true, true]);
  expect(endpoint.heard.map(({ told }) => told.event)).toEqual(parcel.events);
  const { id, reference, tracking_number, estimated_delivery } = parcel;
  expect(endpoint.heard.map(({ told }) => told)).toMatchObject(
    (['collected', 'delivered'] as const).map((status) => ({
      id: expect.stringMatching(/^evt_/),
      type: 'tracking.updated',
      created_at: expect.any(String),
      shipment: { id, reference, tracking_number, status, estimated_delivery },
    })),
  );
  expect(endpoint.heard.some(({ raw }) => /Ada|Nowhere|EH1/.test(raw))).toBe(false);
});

test('an event is sent again until the shop says that it has it', async () => {
  endpoint.answers.push(500, 503, 302);
  await cancelled('ord-1');
  await until(() => endpoint.heard.length === 4);
  await quiet();
  expect(endpoint.heard).toHaveLength(4);
  expect(new Set(endpoint.heard.map(({ told }) => told.id)).size).toBe(1);
});

test('duplicates carry the same event', async () => {
  await carrier.faults({ webhooks: { duplicate: 2 } });
  await cancelled('ord-1');
  await until(() => endpoint.heard.length === 3);
  expect(new Set(endpoint.heard.map(({ raw }) => raw)).size).toBe(1);
});

test('a later scan overtakes a reordered one', async () => {
  await carrier.faults({ webhooks: { reorder: true } });
  await deliver('ord-1');
  await until(() => endpoint.heard.length === 2);
  expect(endpoint.statuses()).toEqual(['delivered', 'collected']);
});

test('a wrong signature and an old one do not hold, and the event still comes afterwards', async () => {
  await carrier.faults({ webhooks: { badSignature: 1 } });
  await cancelled('ord-1');
  await until(() => endpoint.heard.length === 2);
  expect(endpoint.heard.map(({ isGenuine }) => isGenuine)).toEqual([false, true]);
  await carrier.faults({ webhooks: { oldTimestamp: { count: 1, value: 600 } } });
  await cancelled('ord-2');
  await until(() => endpoint.heard.length === 4);
  expect(endpoint.heard.map(({ isGenuine }) => isGenuine)).toEqual([false, true, false, true]);
});

test('held webhooks wait for their release, and those of other parcels do not', async () => {
  await carrier.faults({ webhooks: { hold: { match: { reference: 'held' } } } });
  await deliver('held');
  await deliver('free');
  await until(() => endpoint.heard.length === 2);
  await quiet();
  expect(endpoint.heard.map(({ told }) => told.shipment.reference)).toEqual(['free', 'free']);
  expect(await carrier.control('release', { reference: 'held' })).toEqual({ released: 2 });
  await until(() => endpoint.heard.length === 4);
});

test('late webhooks come after their delay', async () => {
  await carrier.faults({ webhooks: { delayMs: 250 } });
  const started = Date.now();
  await cancelled('ord-1');
  await until(() => endpoint.heard.length === 1);
  expect(Date.now() - started).toBeGreaterThanOrEqual(250);
});

test('an event can be delivered three times more, wrongly signed or ten minutes old', async () => {
  await cancelled('ord-1');
  await until(() => endpoint.heard.length === 1);
  const again = (body: object) =>
    carrier.control<{ statuses: number[] }>(`events/${endpoint.heard[0]?.told.id}/deliver`, body);
  expect((await again({ times: 3 })).statuses).toEqual([200, 200, 200]);
  expect((await again({ badSignature: true })).statuses).toEqual([401]);
  expect((await again({ ageSeconds: 600 })).statuses).toEqual([401]);
});
