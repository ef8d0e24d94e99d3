// A customer of the bench: signed in, with an address and a card, and one socket on which orders are watched.
import { randomUUID } from 'node:crypto';
import { accepted, type Client, connect } from '../operations/client.ts';
import {
  AddPaymentMethodDocument,
  CheckoutDocument,
  MyOrdersMovedDocument,
  OrderMovedDocument,
  type OrderMovedSubscription,
  RegisterDocument,
  SaveAddressDocument,
  SetCartLineDocument,
} from '../operations/generated/graphql.ts';
import type { Arrival } from './arrivals.ts';
import type { Shop } from './shop.ts';

export type Sight = OrderMovedSubscription['orderUpdated'];

export type Customer = {
  readonly client: Client;
  readonly address: ReturnType<typeof addressOf>;
  readonly paymentMethodId: string;
};

const addressOf = (number: number) => ({
  recipient: `Customer ${number}`,
  line1: `${number + 1} Mill Lane`,
  city: 'York',
  postcode: 'YO1 7HH',
  country: 'GB',
});

export const newCustomer = async (shop: Shop, number: number): Promise<Customer> => {
  const where = { url: shop.graphql, subscriptionsUrl: shop.subscriptions };
  const { register } = await connect(where).send(RegisterDocument, {
    input: {
      email: `bench-${randomUUID()}@example.com`,
      password: randomUUID(),
      displayName: `Customer ${number}`,
    },
  });
  const { accessToken: token } = accepted(register, 'SessionStarted');
  const client = connect({ ...where, token, keepsSocket: true });
  const address = addressOf(number);
  const { saveAddress } = await client.send(SaveAddressDocument, { input: { address } });
  accepted(saveAddress, 'AddressSaved');
  const { addPaymentMethod } = await client.send(AddPaymentMethodDocument, {
    input: { providerToken: 'pm_card_visa' },
  });
  return { client, address, paymentMethodId: accepted(addPaymentMethod, 'PaymentMethodAdded').method.id };
};

export type Asked = {
  readonly id: string;
  /** milliseconds since 1970 at which the order was asked for */
  readonly askedAt: number;
  /** milliseconds until it was answered */
  readonly tookMs: number;
};

/** @throws OperationError or RefusedError where the shop does not take the order */
export const order = async (customer: Customer, { lines }: Arrival): Promise<Asked> => {
  const { client, address, paymentMethodId } = customer;
  let cart = { id: '', version: 0 };
  for (const { variant, quantity } of lines) {
    const { setCartLine } = await client.send(SetCartLineDocument, {
      input: { variantId: variant, quantity },
    });
    cart = accepted(setCartLine, 'CartUpdated').cart;
  }
  const askedAt = Date.now();
  const began = performance.now();
  const { checkout } = await client.send(CheckoutDocument, {
    input: {
      idempotencyKey: randomUUID(),
      cartId: cart.id,
      expectedCartVersion: cart.version,
      shippingAddress: address,
      paymentMethodId,
    },
  });
  return { id: accepted(checkout, 'CheckoutAccepted').order.id, askedAt, tookMs: performance.now() - began };
};

/** Tells every sight of one order, from what it is now on, until the client is closed. */
export const watchOrder = async (
  { client }: Customer,
  id: string,
  tell: (sight: Sight) => void,
): Promise<void> => {
  for await (const { orderUpdated } of client.watch(OrderMovedDocument, { id })) tell(orderUpdated);
};

/** Tells every sight of any order of the customer, until the client is closed. */
export const watchOwn = async ({ client }: Customer, tell: (sight: Sight) => void): Promise<void> => {
  for await (const { myOrdersUpdated } of client.watch(MyOrdersMovedDocument)) tell(myOrdersUpdated);
};
