// Somebody with an order behind them, and others who would like to see it.
import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import { accepted } from '../../ops/operations/client.ts';
import {
  MyNotificationsDocument,
  RefundOrderDocument,
  SaveAddressDocument,
  WholeOrderDocument,
} from '../../ops/operations/generated/graphql.ts';
import { type Good, shelf } from './books.ts';
import {
  buy,
  type Customer,
  newCustomer,
  type Person,
  putIntoCart,
  settled,
  shippingAddress,
  signIn,
  visitor,
} from './customer.ts';

export type Who = 'owner' | 'other' | 'anonymous' | 'admin' | 'reviewer';
export const everybody: Who[] = ['owner', 'other', 'anonymous', 'admin', 'reviewer'];

export type Possessions = {
  order: string;
  number: string;
  payment: string;
  user: string;
  email: string;
  address: string;
  card: string;
  cart: string;
  parcel: string;
  tracking: string;
  refund: string;
  notification: string;
  assessment: string;
};

/** What one customer has, and all who may look at it. */
export type Household = {
  readonly people: Record<Who, Pick<Person, 'client'> & Partial<Person>>;
  readonly owner: Customer;
  readonly other: Customer;
  readonly its: Possessions;
  readonly goods: readonly Good[];
};

/** @param shelfNumber of goods that nobody else of the journeys buys */
export const arrange = async (shelfNumber: number): Promise<Household> => {
  const [owner, other, admin, reviewer, goods] = await Promise.all([
    newCustomer(),
    newCustomer(),
    signIn('admin'),
    signIn('reviewer'),
    shelf(shelfNumber),
  ]);
  const people = { owner, other, admin, reviewer, anonymous: { client: visitor() } };
  const { saveAddress } = await owner.client.send(SaveAddressDocument, {
    input: { address: shippingAddress },
  });
  const { id } = await buy(owner, goods[0]!, 2);
  const order = await settled(owner, id);
  const { client } = admin;
  const { refundOrder } = await client.send(RefundOrderDocument, {
    input: { idempotencyKey: randomUUID(), orderId: id, amount: { amountMinor: 1, currency: 'GBP' } },
  });
  const whole = (await client.send(WholeOrderDocument, { id })).order!;
  // Confirmed, shipped, delivered, refunded.
  const me = await vi.waitFor(
    async () => {
      const answer = await owner.client.send(MyNotificationsDocument, { first: 1 });
      expect(answer.me!.unreadNotifications).toBe(4);
      return answer.me;
    },
    { timeout: 15_000, interval: 100 },
  );
  const its = {
    parcel: whole.shipments![0]!.id,
    tracking: whole.shipments![0]!.trackingNumber!,
    refund: accepted(refundOrder, 'RefundRequested').refund.id,
    notification: me!.notifications!.edges[0]!.node.id,
    assessment: whole.fraudAssessment!.id,
    order: id,
    number: order.number,
    payment: order.payments![0]!.id,
    user: owner.id,
    email: owner.email,
    address: accepted(saveAddress, 'AddressSaved').address.id,
    card: owner.paymentMethodId,
    cart: (await putIntoCart(owner, goods[1]!, 1)).id,
  };
  return { people, owner, other, its, goods };
};
