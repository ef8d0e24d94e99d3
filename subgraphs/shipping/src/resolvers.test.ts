import { randomUUID } from 'node:crypto';
import { createHints, type Hints } from '@orderstream/runtime/hints';
import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { openRedis } from '@orderstream/runtime/redis';
import { type GraphQLSchema, graphql, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Context } from './context.ts';
import { ShipmentMoved } from './messages.ts';
import { query as addressQuery } from './order-address.ts';
import { createResolvers } from './resolvers.ts';
import { watchShipment } from './subscriptions.ts';
import { type Depot, openDepot, origin } from './test-depot.ts';

const log = createLog('test', 'silent');
const publisher = openRedis(inject('services').redisUrl, log);
const subscriber = openRedis(inject('services').redisUrl, log);
let depot: Depot;
let hints: Hints;
let schema: GraphQLSchema;

beforeAll(async () => {
  [depot] = await Promise.all([openDepot(), publisher.connect(), subscriber.connect()]);
  hints = createHints(publisher, subscriber, `${randomUUID()}:`, log);
  await hints.open([ShipmentMoved.topic.name]);
  schema = subgraphSchema(schemaText(new URL('../', import.meta.url))!, createResolvers(hints));
});
afterAll(async () => {
  await hints.close();
  publisher.disconnect();
  await depot.close();
});

const ask = async (contextValue: Context, source: string, variableValues = {}) => {
  const { data, errors } = await graphql({ schema, source, contextValue, variableValues });
  const { code, argument } = errors?.[0]?.extensions ?? {};
  if (errors && !code) throw errors[0];
  return { data: data as Record<string, never> | null | undefined, code, argument };
};

const fields = 'id status carrier trackingNumber estimatedDelivery location { latitude longitude }';
const one = `query ($id: ID!) { shipment(id: $id) { ${fields} events { at status place point { latitude } } } }`;
const ofOrders = `query ($refs: [_Any!]!) {
  _entities(representations: $refs) { ... on Order { estimatedDelivery shipments { ${fields} events { status } } } }
}`;
const refsOf = (orderIds: string[]) =>
  orderIds.map((id) => ({ __typename: 'Order', id: encodeId('order', id) }));

type OfOrder = { estimatedDelivery: string | null; shipments: { id: string; status: string }[] | null };
const entities = async (ctx: Context, orderIds: string[]): Promise<OfOrder[]> => {
  const { data } = await ask(ctx, ofOrders, { refs: refsOf(orderIds) });
  return (data as unknown as { _entities: OfOrder[] })._entities;
};

describe('a parcel', () => {
  test('shows its customer and staff where it is; to all others it does not exist', async () => {
    const customerId = newId();
    const orderId = await depot.labelled(customerId);
    const shipmentId = (await depot.shipment(orderId)).id;
    await depot.control(`shipments/${shipmentId}/deliver`, {});
    await depot.untilState(orderId, 'DELIVERED');
    const id = encodeId('shipment', shipmentId);
    for (const ctx of [depot.as(customerId), depot.as(newId(), 'orders:read')]) {
      expect((await ask(ctx, one, { id })).data).toMatchObject({
        shipment: {
          id,
          status: 'DELIVERED',
          carrier: 'Simulated Parcel',
          trackingNumber: expect.stringMatching(/^SP\d{9}GB$/),
          location: { latitude: expect.any(Number), longitude: expect.any(Number) },
          events: [
            { status: 'IN_TRANSIT', place: origin.name },
            { status: 'DELIVERED', place: 'Leeds' },
          ],
        },
      });
    }
    for (const ctx of [depot.as(newId()), depot.as(null), depot.as(newId(), 'payments:read')]) {
      expect((await ask(ctx, one, { id })).data).toEqual({ shipment: null });
      expect(await entities(ctx, [orderId])).toEqual([{ estimatedDelivery: null, shipments: null }]);
    }
    const [ofOrder] = await entities(depot.as(customerId), [orderId]);
    expect(ofOrder?.shipments).toMatchObject([{ id, status: 'DELIVERED' }]);
    expect(Date.parse(ofOrder!.estimatedDelivery!)).toBeGreaterThan(Date.now());
  });

  test.each([['shp_'], ['hello'], [encodeId('order', newId())]])('is not named by %s', async (id) => {
    expect(await ask(depot.as(newId()), one, { id })).toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: 'id',
    });
  });

  test('that nobody has heard of is none', async () => {
    const ctx = depot.as(newId(), 'orders:read');
    expect((await ask(ctx, one, { id: encodeId('shipment', newId()) })).data).toEqual({ shipment: null });
    expect(await entities(ctx, [newId()])).toEqual([{ estimatedDelivery: null, shipments: [] }]);
  });

  test('whose label was refused is still waited for', async () => {
    const customerId = newId();
    const orderId = newId();
    depot.addresses.set(orderId, async () => null);
    await depot.create(customerId, orderId);
    await depot.untilState(orderId, 'FAILED');
    const [ofOrder] = await entities(depot.as(customerId), [orderId]);
    expect(ofOrder?.shipments).toMatchObject([{ status: 'PENDING', carrier: '', trackingNumber: null }]);
  });
});

test('the parcels of twenty orders cost as many statements as those of one', async () => {
  const customerId = newId();
  const orderIds = await Promise.all(Array.from({ length: 20 }, () => depot.create(customerId)));
  for (const orderId of orderIds) await depot.untilState(orderId, 'LABELLED');
  await depot.until(async () => (await depot.work()) === 0);
  const costOf = async (ids: string[]): Promise<number> => {
    const before = depot.database.statements();
    const found = await entities(depot.as(customerId), ids);
    expect(found.every(({ shipments }) => shipments?.length === 1)).toBe(true);
    return depot.database.statements() - before;
  };
  expect(await costOf(orderIds.slice(0, 1))).toBe(2);
  expect(await costOf(orderIds)).toBe(2);
});

describe('whoever watches an order', () => {
  const hint = async (orderId: string) => {
    const [last] = (await depot.told(orderId)).slice(-1);
    hints.tell(ShipmentMoved.topic.name, orderId, last!.version);
  };

  test('sees its parcel as it is, and then each change', async () => {
    const customerId = newId();
    const orderId = await depot.labelled(customerId);
    const seen = await watchShipment(depot.as(customerId), hints, orderId);
    expect((await seen.next()).value).toMatchObject({ shipmentMoved: { state: 'LABELLED' } });
    await depot.control(`shipments/${(await depot.shipment(orderId)).id}/deliver`, {});
    await depot.untilState(orderId, 'DELIVERED');
    await hint(orderId);
    expect((await seen.next()).value).toMatchObject({ shipmentMoved: { state: 'DELIVERED' } });
    const ended = seen.next();
    await seen.return(undefined);
    expect((await ended).done).toBe(true);
  });

  test('before anything is packed sees the parcel as soon as there is one', async () => {
    const customerId = newId();
    const orderId = newId();
    const seen = await watchShipment(depot.as(customerId), hints, orderId);
    const first = seen.next();
    await depot.create(customerId, orderId);
    await depot.untilState(orderId, 'LABELLED');
    await hint(orderId);
    expect((await first).value).toMatchObject({ shipmentMoved: { orderId, state: 'LABELLED' } });
    await seen.return(undefined);
  });

  test('of somebody else hears nothing, as if there were none', async () => {
    const orderId = await depot.labelled();
    const seen = await watchShipment(depot.as(newId()), hints, orderId);
    let heard = false;
    const next = seen.next().then(({ done }) => {
      heard = !done;
    });
    const before = depot.database.statements();
    hints.tell(ShipmentMoved.topic.name, orderId, 99);
    await expect.poll(() => depot.database.statements()).toBeGreaterThan(before);
    await seen.return(undefined);
    await next;
    expect(heard).toBe(false);
  });

  test('signs in first', async () => {
    await expect(watchShipment(depot.as(null), hints, newId())).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });
});

test('orders understand how they are asked for an address', () => {
  const orders = subgraphSchema(schemaText(new URL('../../orders/', import.meta.url))!, {});
  expect(validate(orders, parse(addressQuery))).toEqual([]);
});
