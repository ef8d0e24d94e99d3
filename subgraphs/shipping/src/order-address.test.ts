import { encodeId, newId } from '@orderstream/runtime/ids';
import type { ServiceClient } from '@orderstream/runtime/service-client';
import { expect, test } from 'vitest';
import { addressesOfOrders } from './order-address.ts';

const mill = {
  recipient: 'Ada',
  line1: '1 Mill Lane',
  line2: null,
  city: 'York',
  postcode: 'YO1 7HH',
  country: 'GB',
};
type Asked = { readonly tenantId: string; readonly ids: readonly string[] };

/** Orders, which know these and nothing else, and answer in an order of their own. */
const ordersWith = (known: ReadonlyMap<string, string>) => {
  const asked: Asked[] = [];
  const client: ServiceClient = {
    ask: async (tenantId, _, variables) => {
      const ids = (variables as { orders: { id: string }[] }).orders.map(({ id }) => id);
      asked.push({ tenantId, ids });
      const found = ids.map((id) => {
        const recipient = known.get(`${tenantId} ${id}`);
        return recipient === undefined ? null : { id, shippingAddress: { ...mill, recipient } };
      });
      return { _entities: found.toReversed() };
    },
  };
  return { asked, addressOf: addressesOfOrders(client) };
};

test('labels that are made at once ask once for each tenant, and each gets its own address', async () => {
  const [here, there] = [newId(), newId()];
  const [ada, bob, cleo, nobody] = [newId(), newId(), newId(), newId()];
  const { asked, addressOf } = ordersWith(
    new Map([
      [`${here} ${encodeId('order', ada)}`, 'Ada'],
      [`${here} ${encodeId('order', bob)}`, 'erased'],
      [`${there} ${encodeId('order', cleo)}`, 'Cleo'],
    ]),
  );
  const found = await Promise.all([
    addressOf(here, ada),
    addressOf(here, bob),
    addressOf(there, cleo),
    addressOf(here, nobody),
    addressOf(there, ada),
  ]);
  expect(found.map((address) => address?.recipient ?? null)).toEqual(['Ada', null, 'Cleo', null, null]);
  expect(asked.map(({ tenantId, ids }) => [tenantId, ids.length])).toEqual([
    [here, 3],
    [there, 2],
  ]);
});

test('where orders do not answer, every label learns of it, and asks again later', async () => {
  let isUp = false;
  const orderId = newId();
  const addressOf = addressesOfOrders({
    ask: async () => {
      if (!isUp) throw new Error('orders answered 503');
      return { _entities: [{ id: encodeId('order', orderId), shippingAddress: mill }] };
    },
  });
  const tenantId = newId();
  const both = await Promise.allSettled([addressOf(tenantId, orderId), addressOf(tenantId, newId())]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  isUp = true;
  expect(await addressOf(tenantId, orderId)).toEqual(mill);
});
