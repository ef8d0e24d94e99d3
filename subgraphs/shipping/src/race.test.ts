// Cancellation against collection, with a carrier whose days are short: its store decides, and we tell what it decided.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Depot, openDepot } from './test-depot.ts';

let depot: Depot;

beforeAll(async () => {
  depot = await openDepot({ dayMs: 2_000 });
});
afterAll(() => depot.close());

test('orders cancelled around their collection are either cancelled or on their way, as the carrier’s book has it', async () => {
  await depot.faults({ webhooks: { duplicate: { count: 30 }, badSignature: { count: 10 } } });
  const orderIds = await Promise.all(Array.from({ length: 24 }, () => depot.create()));
  const cancelling = orderIds.map(async (orderId, index) => {
    await pause(index * 30);
    await depot.cancel(orderId);
    await depot.cancel(orderId);
  });
  const isOver = async (orderId: string) =>
    ['CANCELLED', 'DELIVERED'].includes((await depot.shipment(orderId)).state);
  await depot.until(async () => (await Promise.all(orderIds.map(isOver))).every(Boolean), 25_000);
  await Promise.all(cancelling);
  await depot.until(async () => (await depot.work()) === 0);

  const outcomes = new Set<string>();
  for (const orderId of orderIds) {
    const { state } = await depot.shipment(orderId);
    const types = await depot.types(orderId);
    const times = (type: string) => types.filter((one) => one === `shipment.${type}`).length;
    outcomes.add(state);
    // A label that was never asked for is in nobody's book.
    expect((await depot.book(orderId))?.status ?? 'cancelled').toBe(state.toLowerCase());
    expect([times('cancelled') > 0, times('handed-over'), times('delivered')]).toEqual(
      state === 'CANCELLED' ? [true, 0, 0] : [false, 1, 1],
    );
    // Cancelled before its label was known, it is told to be on its way without a word about the label.
    if (state === 'DELIVERED') {
      expect(types.find((type) => type !== 'shipment.created')).toBe('shipment.handed-over');
      expect(types.at(-1)).toBe('shipment.delivered');
    }
  }
  expect(outcomes).toEqual(new Set(['CANCELLED', 'DELIVERED']));
});

test('a parcel that is lost is told to be lost once, after its hand-over', async () => {
  const orderId = await depot.labelled();
  await depot.control(`shipments/${(await depot.shipment(orderId)).id}/lose`, {});
  await depot.untilState(orderId, 'LOST');
  expect(await depot.types(orderId)).toEqual(['shipment.created', 'shipment.handed-over', 'shipment.lost']);
  expect(await depot.shipment(orderId)).toMatchObject({ delivered_at: null, wanted: null });
});
