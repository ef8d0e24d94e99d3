// Where an order goes. Addresses travel in no message: they are read from their owner when the label is made, those of
// labels that are made at the same moment in one go.
import { encodeId } from '@orderstream/runtime/ids';
import { gatheringLoader } from '@orderstream/runtime/loaders';
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import type { ServiceClient } from '@orderstream/runtime/service-client';
import { z } from 'zod';

export const query = `query AddressesOfOrders($orders: [_Any!]!) {
  _entities(representations: $orders) {
    ... on Order { id shippingAddress { recipient line1 line2 city postcode country } }
  }
}`;

const answer = z.object({
  _entities: z.array(
    z
      .object({
        id: z.string(),
        shippingAddress: z.object({
          recipient: z.string(),
          line1: z.string(),
          line2: z.string().nullable(),
          city: z.string(),
          postcode: z.string(),
          country: z.string(),
        }),
      })
      .nullable(),
  ),
});

/** What orders writes where an address was. */
const erased = 'erased';

/** milliseconds for which the first label waits for others */
const gatheringMs = 5;

/** Null where the order is not there or its address has been erased; rejected where orders cannot be asked. */
export type AddressOf = (tenantId: string, orderId: string) => Promise<PostalAddress | null>;

export const addressesOfOrders = (client: ServiceClient): AddressOf => {
  const ofTenant = async (
    tenantId: string,
    orderIds: readonly string[],
  ): Promise<ReadonlyMap<string, PostalAddress>> => {
    const orders = orderIds.map((orderId) => ({ __typename: 'Order', id: encodeId('order', orderId) }));
    const { _entities: found } = answer.parse(await client.ask(tenantId, query, { orders }));
    return new Map(found.flatMap((order) => (order ? [[order.id, order.shippingAddress] as const] : [])));
  };
  const addresses = gatheringLoader<{ tenantId: string; orderId: string }, PostalAddress | null>(
    gatheringMs,
    async (places) => {
      const known = new Map<string, ReadonlyMap<string, PostalAddress>>();
      for (const [tenantId, own] of Map.groupBy(places, (place) => place.tenantId))
        known.set(
          tenantId,
          await ofTenant(
            tenantId,
            own.map(({ orderId }) => orderId),
          ),
        );
      return places.map(({ tenantId, orderId }) => {
        const address = known.get(tenantId)!.get(encodeId('order', orderId));
        return address && address.recipient !== erased ? address : null;
      });
    },
  );
  return (tenantId, orderId) => addresses.load({ tenantId, orderId });
};
