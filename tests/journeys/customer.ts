// What people do at the shop, each with an account and a card of their own.
import { randomUUID } from 'node:crypto';
import { expect, inject, vi } from 'vitest';
import { accepted, type Client, connect } from '../../ops/operations/client.ts';
import {
  AddPaymentMethodDocument,
  type AddressInput,
  CartDocument,
  type CartViewFragment,
  CheckoutDocument,
  type CheckoutInput,
  LoginDocument,
  OrderDocument,
  type OrderHeadFragment,
  type OrderViewFragment,
  RegisterDocument,
  SetCartLineDocument,
} from '../../ops/operations/generated/graphql.ts';
import type { Good } from './books.ts';

const { gatewayUrl, secrets } = inject('product');
export const graphqlUrl = `${gatewayUrl}/graphql`;
export const socketUrl = graphqlUrl.replace(/^http/, 'ws');

/** Somebody with this access token, or nobody in particular. */
export const visitor = (token?: string): Client =>
  connect({ url: graphqlUrl, subscriptionsUrl: socketUrl, token });

export type Person = {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly token: string;
  readonly refreshToken: string;
  readonly client: Client;
};

export type Customer = Person & { readonly paymentMethodId: string };

export const newPerson = async (): Promise<Person> => {
  const email = `journey-${randomUUID()}@example.com`;
  const password = `pass-${randomUUID()}`;
  const { register } = await visitor().send(RegisterDocument, {
    input: { email, password, displayName: 'Jo Journey' },
  });
  const { accessToken: token, refreshToken, user } = accepted(register, 'SessionStarted');
  return { id: user.id, email, password, token, refreshToken, client: visitor(token) };
};

export const addCard = async ({ client }: Person, providerToken = 'pm_card_visa'): Promise<string> => {
  const { addPaymentMethod } = await client.send(AddPaymentMethodDocument, { input: { providerToken } });
  return accepted(addPaymentMethod, 'PaymentMethodAdded').method.id;
};

/** @param card one of the provider's test tokens */
export const newCustomer = async (card?: string): Promise<Customer> => {
  const person = await newPerson();
  return { ...person, paymentMethodId: await addCard(person, card) };
};

/** One of the demo shop's own people. */
export const signIn = async (who: 'ada' | 'admin' | 'reviewer'): Promise<Person> => {
  const email = `${who}@example.com`;
  const { password } = secrets;
  const { login } = await visitor().send(LoginDocument, { input: { email, password } });
  const { accessToken: token, refreshToken, user } = accepted(login, 'SessionStarted');
  return { id: user.id, email, password, token, refreshToken, client: visitor(token) };
};

export const shippingAddress: AddressInput = {
  recipient: 'Jo Journey',
  line1: '12 Bell Lane',
  city: 'Leeds',
  postcode: 'LS1 4AP',
  country: 'GB',
};

export const cartOf = async ({ client }: Person): Promise<CartViewFragment> =>
  (await client.send(CartDocument)).cart!;

export const putIntoCart = async (
  { client }: Person,
  good: Pick<Good, 'id'>,
  quantity: number,
): Promise<CartViewFragment> => {
  const { setCartLine } = await client.send(SetCartLineDocument, { input: { variantId: good.id, quantity } });
  return accepted(setCartLine, 'CartUpdated').cart;
};

/** A checkout of the cart as it stands, with a key of its own unless `wish` brings one. */
export const checkoutInput = (
  customer: Customer,
  cart: Pick<CartViewFragment, 'id' | 'version'>,
  wish: Partial<CheckoutInput> = {},
): CheckoutInput => ({
  idempotencyKey: randomUUID(),
  cartId: cart.id,
  expectedCartVersion: cart.version,
  shippingAddress,
  paymentMethodId: customer.paymentMethodId,
  ...wish,
});

export const checkout = async ({ client }: Person, input: CheckoutInput) =>
  (await client.send(CheckoutDocument, { input })).checkout;

/** Puts it into the cart and checks out. */
export const buy = async (customer: Customer, good: Good, quantity = 1): Promise<OrderHeadFragment> => {
  const cart = await putIntoCart(customer, good, quantity);
  const outcome = await checkout(customer, checkoutInput(customer, cart));
  return accepted(outcome, 'CheckoutAccepted').order;
};

export const openOrder = async ({ client }: Person, id: string): Promise<OrderViewFragment> =>
  (await client.send(OrderDocument, { id })).order!;

/** The order once nothing is awaited any more. */
export const settled = (person: Person, id: string): Promise<OrderViewFragment> =>
  vi.waitFor(
    async () => {
      const order = await openOrder(person, id);
      expect(order.waitingFor).toBeNull();
      return order;
    },
    { timeout: 15_000, interval: 100 },
  );

/** The order once its payment has got there, which may be after the order itself. */
export const paymentIs = (person: Person, id: string, status: string): Promise<OrderViewFragment> =>
  vi.waitFor(
    async () => {
      const order = await openOrder(person, id);
      expect(order.payments?.map((payment) => payment.status)).toEqual([status]);
      return order;
    },
    { timeout: 15_000, interval: 100 },
  );
