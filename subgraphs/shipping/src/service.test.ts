// Parcels on a real database and with the carrier's simulator, whose book is compared with ours.
import { newId } from '@orderstream/runtime/ids';
import { UserErased } from '@orderstream/users/messages';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CancelShipment, CreateShipment } from './messages.ts';
import { type Depot, leeds, openDepot, origin } from './test-depot.ts';

let depot: Depot;

beforeAll(async () => {
  depot = await openDepot();
});
afterAll(() => depot.close());

describe('a label', () => {
  test('is asked for once, however often and at once the order asks', async () => {
    const orderId = newId();
    const command = CreateShipment({ orderId, customerId: newId(), origin, pieces: 1 });
    await Promise.all([depot.hear(command), depot.hear(command), depot.hear(command)]);
    await depot.untilState(orderId, 'LABELLED');
    expect(await depot.types(orderId)).toEqual(['shipment.created']);
    await depot.hear(command);
    const [first, second] = await depot.told(orderId);
    expect(second?.data).toEqual(first?.data);
    expect(await depot.shipment(orderId)).toMatchObject({
      wanted: null,
      ...leeds,
      carrier: 'Simulated Parcel',
    });
    const { tracking_number: number } = (await depot.book(orderId))!;
    expect((await depot.shipment(orderId)).tracking_number).toBe(number);
  });

  test('that the carrier refuses is asked for anew only when the order asks again', async () => {
    const orderId = newId();
    depot.addresses.set(orderId, async () => ({ ...leeds, postcode: 'LS9 9ZZ' }));
    await depot.faults({ failLabels: { count: 1, match: { postcode: 'LS9 9ZZ' } } });
    await depot.create(newId(), orderId);
    await depot.untilState(orderId, 'FAILED');
    expect(await depot.work()).toBe(0);
    expect(await depot.types(orderId)).toEqual(['shipment.failed']);
    await depot.create(newId(), orderId);
    await depot.untilState(orderId, 'LABELLED');
    expect(await depot.types(orderId)).toEqual(['shipment.failed', 'shipment.created']);
    expect((await depot.shipment(orderId)).attempt).toBe(2);
  });

  test('whose answer is lost is the same label when it is asked for again', async () => {
    const orderId = newId();
    await depot.create(newId(), orderId);
    await depot.faults({ timeoutAfterSuccess: { count: 1 } });
    await depot.untilState(orderId, 'LABELLED');
    expect((await depot.shipment(orderId)).carrier_id).toBe((await depot.book(orderId))?.id);
    expect(await depot.types(orderId)).toEqual(['shipment.created']);
  });

  test('survives a carrier that has too much to do', async () => {
    await depot.faults({ serverError: { count: 2, value: 429 } });
    const orderId = await depot.labelled();
    expect(await depot.types(orderId)).toEqual(['shipment.created']);
  });

  test('waits while orders cannot be asked for the address', async () => {
    const orderId = newId();
    depot.addresses.set(orderId, () => Promise.reject(new Error('orders are not there')));
    await depot.create(newId(), orderId);
    await depot.work();
    expect(await depot.shipment(orderId)).toMatchObject({
      state: 'PENDING',
      wanted: 'LABEL',
      called_at: null,
    });
    depot.addresses.delete(orderId);
    await depot.untilState(orderId, 'LABELLED');
  });

  test('is not made for an order whose address was erased', async () => {
    const orderId = newId();
    depot.addresses.set(orderId, async () => null);
    await depot.create(newId(), orderId);
    await depot.untilState(orderId, 'FAILED');
    expect((await depot.told(orderId)).map(({ type, data }) => [type, data.reason])).toEqual([
      ['shipment.failed', 'The order has no address any more.'],
    ]);
    expect(await depot.book(orderId)).toBeUndefined();
  });

  test('is asked for with the same key by the worker that follows one that died', async () => {
    const orderId = await depot.create();
    await depot.database.sql`
      update shipment set leased_until = now() + interval '300 milliseconds' where order_id = ${orderId}`;
    expect(await depot.work()).toBe(0);
    await depot.untilState(orderId, 'LABELLED');
  });
});

describe('a cancellation', () => {
  test('before anybody asked for a parcel is remembered against a late request', async () => {
    const orderId = newId();
    await depot.cancel(orderId);
    await depot.create(newId(), orderId);
    await depot.cancel(orderId);
    const told = await depot.told(orderId);
    expect(told.map(({ type, data }) => [type, data.shipmentId])).toEqual([
      ['shipment.cancelled', null],
      ['shipment.cancelled', null],
      ['shipment.cancelled', null],
    ]);
    expect(await depot.database.sql`select id from shipment where order_id = ${orderId}`).toEqual([]);
  });

  test('before the carrier was called is one at once, and it is never called', async () => {
    const orderId = await depot.create();
    await depot.cancel(orderId);
    expect(await depot.types(orderId)).toEqual(['shipment.cancelled']);
    expect(await depot.work()).toBe(0);
    expect(await depot.book(orderId)).toBeUndefined();
    await depot.create(newId(), orderId);
    expect(await depot.types(orderId)).toEqual(['shipment.cancelled', 'shipment.cancelled']);
  });

  test('while the address is on its way from orders keeps the carrier from being called', async () => {
    const orderId = await depot.create();
    depot.addresses.set(orderId, async () => {
      await depot.cancel(orderId);
      return leeds;
    });
    await depot.work();
    expect(await depot.shipment(orderId)).toMatchObject({
      state: 'CANCELLED',
      called_at: null,
      recipient: null,
    });
    expect(await depot.types(orderId)).toEqual(['shipment.cancelled']);
    expect(await depot.book(orderId)).toBeUndefined();
  });

  test('of a label cancels it at the carrier, and is told once it did', async () => {
    const orderId = await depot.labelled();
    await depot.cancel(orderId);
    await depot.cancel(orderId);
    expect(await depot.types(orderId)).toEqual(['shipment.created']);
    await depot.untilState(orderId, 'CANCELLED');
    await depot.cancel(orderId);
    expect(await depot.types(orderId)).toEqual([
      'shipment.created',
      'shipment.cancelled',
      'shipment.cancelled',
    ]);
    expect((await depot.book(orderId))?.status).toBe('cancelled');
  });

  test('while the outcome of the call is open finds the label by its reference', async () => {
    const orderId = await depot.create();
    await depot.faults({ timeoutAfterSuccess: { count: 1 }, webhooks: { hold: true } });
    const calling = depot.work();
    await expect.poll(async () => (await depot.shipment(orderId)).called_at).not.toBeNull();
    await depot.cancel(orderId);
    await calling;
    await depot.untilState(orderId, 'CANCELLED');
    expect(await depot.types(orderId)).toEqual(['shipment.cancelled']);
    expect((await depot.book(orderId))?.status).toBe('cancelled');
    await depot.faults({ webhooks: { hold: false } });
  });

  test('of a call that never got there waits until it cannot arrive any more', async () => {
    const orderId = await depot.create();
    await depot.database.sql`update shipment set called_at = now() where order_id = ${orderId}`;
    await depot.cancel(orderId);
    await depot.work();
    expect(await depot.shipment(orderId)).toMatchObject({ state: 'PENDING', wanted: 'CANCEL' });
    await depot.untilState(orderId, 'CANCELLED');
    expect(await depot.types(orderId)).toEqual(['shipment.cancelled']);
  });

  test('after the carrier collected is not answered; the hand-over is', async () => {
    await depot.faults({ webhooks: { hold: true } });
    const orderId = await depot.labelled();
    const { id } = await depot.shipment(orderId);
    await depot.control(`shipments/${id}/deliver`, {});
    await depot.cancel(orderId);
    await depot.untilState(orderId, 'DELIVERED');
    await depot.cancel(orderId);
    expect(await depot.types(orderId)).toEqual([
      'shipment.created',
      'shipment.handed-over',
      'shipment.delivered',
    ]);
    expect((await depot.shipment(orderId)).wanted).toBeNull();
    await depot.faults({ webhooks: { hold: false } });
  });

  test('of a parcel that was called back leaves room for the next', async () => {
    const orderId = await depot.labelled();
    await depot.cancel(orderId);
    await depot.untilState(orderId, 'CANCELLED');
    await depot.create(newId(), orderId, 2);
    await depot.work();
    await vi.waitFor(
      async () =>
        expect((await depot.types(orderId)).filter((type) => type === 'shipment.created')).toHaveLength(2),
      5_000,
    );
    const rows = await depot.database.sql`
      select parcel, state from shipment where order_id = ${orderId} order by parcel`;
    expect(rows).toMatchObject([
      { parcel: 1, state: 'CANCELLED' },
      { parcel: 2, state: 'LABELLED' },
    ]);
  });
});

describe('commands of one batch', () => {
  const parcelsOf = (orderIds: readonly string[]) =>
    depot.database.sql<{ order_id: string; parcel: number; state: string; wanted: string; version: number }>`
      select order_id, parcel, state, wanted, version from shipment
      where order_id = any(${orderIds}::uuid[]) order by order_id, parcel`;
  const wish = fc.record({
    order: fc.nat({ max: 1 }),
    parcel: fc.integer({ min: 1, max: 2 }),
    isCreate: fc.boolean(),
  });

  test('come to the same as one by one, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { minLength: 2, maxLength: 8 }), async (wishes) => {
        const outcomes = [];
        for (const isTogether of [false, true]) {
          const orderIds = [newId(), newId()].toSorted();
          const messages = wishes.map(({ order, parcel, isCreate }) =>
            isCreate
              ? CreateShipment({ orderId: orderIds[order]!, customerId: null, origin, pieces: 1, parcel })
              : CancelShipment({ orderId: orderIds[order]!, parcel }),
          );
          const batches = isTogether ? [messages] : messages.map((one) => [one]);
          for (const batch of batches) await depot.hearTogether(batch);
          // Nothing is left for the carrier.
          const rows = await parcelsOf(orderIds);
          await depot.database.sql`
            update shipment set wanted = null, state = 'CANCELLED' where order_id = any(${orderIds}::uuid[])`;
          outcomes.push({
            rows: rows.map(({ order_id, ...row }) => ({ ...row, order: orderIds.indexOf(order_id) })),
            told: await Promise.all(
              orderIds.map(async (id) =>
                (await depot.told(id)).map(({ type, version, data }) => [
                  type,
                  version,
                  data.shipmentId !== null,
                ]),
              ),
            ),
          });
        }
        expect(outcomes[1]).toEqual(outcomes[0]);
      }),
      { numRuns: 25 },
    );
  });

  test('cost no more statements than one, and each is answered in the name of who asked', async () => {
    const costs: number[] = [];
    for (const orders of [1, 10]) {
      const orderIds = Array.from({ length: orders }, () => newId());
      const before = depot.database.statements();
      await depot.hearTogether(
        orderIds.map((orderId) => CreateShipment({ orderId, customerId: newId(), origin, pieces: 1 })),
      );
      costs.push(depot.database.statements() - before);
      const traces = await depot.database.sql<{ traceparent: string }>`
        select distinct traceparent from shipment where order_id = any(${orderIds}::uuid[])`;
      expect(traces).toHaveLength(orders);
      await depot.hearTogether(orderIds.map((orderId) => CancelShipment({ orderId })));
      for (const orderId of orderIds) expect(await depot.types(orderId)).toEqual(['shipment.cancelled']);
    }
    expect(costs).toEqual([5, 5]);
  });
});

describe('a parcel whose webhooks are all lost', () => {
  test('is looked for until it has arrived', async () => {
    await depot.faults({ webhooks: { hold: true } });
    const orderId = await depot.labelled();
    const { id } = await depot.shipment(orderId);
    await depot.control(`shipments/${id}/deliver`, {});
    await depot.sweep();
    expect((await depot.shipment(orderId)).state).toBe('LABELLED');
    await depot.database
      .sql`update shipment set next_look_at = now() - interval '1 second' where order_id = ${orderId}`;
    await depot.sweep();
    expect((await depot.shipment(orderId)).state).toBe('DELIVERED');
    expect(await depot.types(orderId)).toEqual([
      'shipment.created',
      'shipment.handed-over',
      'shipment.delivered',
    ]);
    const [late] = await depot.database.sql<{ in_time: boolean; hours: number }>`
      select delivered_at <= promised_at as in_time, extract(epoch from handed_over_at - label_at) / 3600 as hours
      from shipment where order_id = ${orderId}`;
    expect(late?.in_time).toBe(true);
    await depot.faults({ webhooks: { hold: false } });
  });

  test.each([
    ['within seconds, is looked for more and more seldom', '8 seconds', [6, 12, 24, 48]],
    ['within hours, is not asked about after seconds', '4 hours', [1_800, 1_800]],
    ['within days, is not asked about by the hour', '4 days', [43_200, 43_200]],
  ])('that is to arrive %s', async (_, takes, expected) => {
    const orderId = await depot.labelled();
    const waits: number[] = [];
    for (let look = 0; look < expected.length; look++) {
      // Ahead of all others that are due.
      await depot.database.sql`
        update shipment set next_look_at = 'epoch', estimated_delivery = label_at + ${takes}::interval
        where order_id = ${orderId}`;
      await depot.sweep();
      const [row] = await depot.database.sql<{ wait: number }>`
        select extract(epoch from next_look_at - now())::float8 as wait from shipment where order_id = ${orderId}`;
      waits.push(row!.wait);
    }
    for (const [index, usual] of expected.entries()) expect(Math.abs(waits[index]! - usual)).toBeLessThan(3);
  });
});

describe('a customer who is erased', () => {
  const personal = async () =>
    depot.database.sql<{ found: string }>`
      select row_to_json(shipment)::text as found from shipment where row_to_json(shipment)::text ~* 'ada example|mill street'`;

  test('leaves no name and no address, here or at the carrier, and the parcel still arrives', async () => {
    await depot.database.sql`delete from tracking_event`;
    await depot.database.sql`delete from shipment`;
    const customerId = newId();
    const orderId = await depot.labelled(customerId);
    expect(await personal()).toHaveLength(1);
    const erased = UserErased({ userId: customerId, at: new Date().toISOString() });
    await depot.hear(erased);
    await depot.hear(erased);
    expect(await personal()).toEqual([]);
    expect((await depot.shipment(orderId)).customer_id).toBeNull();
    // The carrier needs the address until the parcel is there.
    expect(await depot.forgetAddresses()).toBe(0);
    await depot.control(`shipments/${(await depot.shipment(orderId)).id}/deliver`, {});
    await depot.untilState(orderId, 'DELIVERED');
    expect((await depot.book(orderId))?.forgotten).toBe(false);
    await depot.faults({ serverError: { count: 1 } });
    expect(await depot.forgetAddresses()).toBe(1);
    expect((await depot.book(orderId))?.forgotten).toBe(false);
    await depot.database
      .sql`update shipment set forget_at = now() - interval '1 second' where order_id = ${orderId}`;
    expect(await depot.forgetAddresses()).toBe(1);
    expect((await depot.book(orderId))?.forgotten).toBe(true);
    expect(await depot.forgetAddresses()).toBe(0);
  });

  test('is not written down again by a command that comes late', async () => {
    const customerId = newId();
    await depot.hear(UserErased({ userId: customerId, at: new Date().toISOString() }));
    const orderId = await depot.create(customerId);
    await depot.untilState(orderId, 'FAILED');
    expect(await depot.shipment(orderId)).toMatchObject({ customer_id: null, recipient: null });
    expect(await depot.book(orderId)).toBeUndefined();
  });

  test('leaves no trace of who it was on a parcel asked for at the same moment', async () => {
    const customers = Array.from({ length: 20 }, () => newId());
    const at = new Date().toISOString();
    const orderIds = customers.map(() => newId());
    await Promise.all(
      customers.flatMap((userId, index) => [
        depot.create(userId, orderIds[index]),
        depot.hear(UserErased({ userId, at })),
      ]),
    );
    const left = await depot.database.sql`
      select id from shipment where customer_id = any(${customers}::uuid[])`;
    expect(left).toEqual([]);
    await Promise.all(orderIds.map((orderId) => depot.cancel(orderId)));
  });

  test('while the address is on its way from orders is not sent to the carrier', async () => {
    const customerId = newId();
    const orderId = await depot.create(customerId);
    depot.addresses.set(orderId, async () => {
      await depot.hear(UserErased({ userId: customerId, at: new Date().toISOString() }));
      return leeds;
    });
    await depot.untilState(orderId, 'FAILED');
    expect(await depot.shipment(orderId)).toMatchObject({ recipient: null, called_at: null });
    expect(await depot.book(orderId)).toBeUndefined();
  });
});
