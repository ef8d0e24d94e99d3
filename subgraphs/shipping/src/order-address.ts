// Where an order goes. Addresses travel in no message: they are read from their owner when the label is made.

import { encodeId } from '@orderstream/runtime/ids';
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import type { ServiceClient } from '@orderstream/runtime/service-client';
import { z } from 'zod';

export const query = `query AddressOfOrder($id: ID!) {
  order(id: $id) { shippingAddress { recipient line1 line2 city postcode country } }
}`;

const answer = z.object({
  order: z
    .object({
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
});

/** What orders writes where an address was. */
const erased = 'erased';

/**
 * Null where the order is not there or its address has been erased.
 * @throws where orders cannot be asked
 */
export const addressOfOrder = async (
  client: ServiceClient,
  tenantId: string,
  orderId: string,
): Promise<PostalAddress | null> => {
  const { order } = answer.parse(await client.ask(tenantId, query, { id: encodeId('order', orderId) }));
  return order && order.shippingAddress.recipient !== erased ? order.shippingAddress : null;
};
