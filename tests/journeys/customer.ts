// What people do at the shop, each with an account and a card of their own.
import { randomBytes, randomUUID } from 'node:crypto';
import { expect, inject, vi } from 'vitest';
import { accepted, type Client, connect } from '../../ops/operations/client.ts';
import {
  AddPaymentMethodDocument,
  type AddressInput,
  CancelOrderDocument,
  type CancelOrderInput,
  CartDocument,
  type CartViewFragment,
  CheckoutDocument,
  type CheckoutInput,
  LoginDocument,
  OrderDocument,
  type OrderHeadFragment,
  type OrderStatus,
  type OrderViewFragment,
  RegisterDocument,
  SetCartLineDocument,
} from '../../ops/operations/generated/graphql.ts';
import { bookOf, type Good, uuidOf } from './books.ts';
import { refuseLabels } from './carrier.ts';

const { gatewayUrl, secrets } = inject('product');
export const graphqlUrl = `${gatewayUrl}/graphql`;
export const socketUrl = graphqlUrl.replace(/^http/, 'ws');

/**
 * Somebody with this access token, or nobody in particular.
 * @param deviceId by which the shop knows a device again; none: it is not told
 */
export const visitor = (token?: string, deviceId?: string): Client =>
  connect({
    url: graphqlUrl,
    subscriptionsUrl: socketUrl,
    token,
    ...(deviceId && { headers: { 'x-device-id': deviceId } }),
  });

export type Person = {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly token: string;
  readonly refreshToken: string;
  readonly client: Client;
};

export type Customer = Person & {
  readonly paymentMethodId: string;
  /** a door of their own: people who share one without knowing each other are suspicious */
  readonly address: AddressInput;
};

/** @param mark in the name and the e-mail address */
export const newPerson = async (mark = ''): Promise<Person> => {
  const email = `journey-${mark}${randomUUID()}@example.com`;
  const password = `pass-${randomUUID()}`;
  const { register } = await visitor().send(RegisterDocument, {
    input: { email, password, displayName: `Jo Journey ${mark}`.trim() },
  });
  const { accessToken: token, refreshToken, user } = accepted(register, 'SessionStarted');
  return { id: user.id, email, password, token, refreshToken, client: visitor(token) };
};

export const addCard = async ({ client }: Person, providerToken = 'pm_card_visa'): Promise<string> => {
  const { addPaymentMethod } = await client.send(AddPaymentMethodDocument, { input: { providerToken } });
  return accepted(addPaymentMethod, 'PaymentMethodAdded').method.id;
};

const tenantId = '01900000-0000-7000-8000-000000000001';

/** A new account with a costly order is suspicious; these people have been with the shop for long. */
const makeOld = ({ id }: Person): Promise<unknown> => bookOf('fraud')`
  insert into customer (tenant_id, customer_id, registered_at)
  values (${tenantId}, ${uuidOf('user', id)}, now() - interval '90 days')
  on conflict (tenant_id, customer_id) do update set registered_at = excluded.registered_at`;

/**
 * @param card one of the provider's test tokens
 * @param mark in the name and the e-mail address
 */
export const newCustomer = async (card?: string, mark?: string): Promise<Customer> => {
  const person = await newPerson(mark);
  const [paymentMethodId] = await Promise.all([addCard(person, card), makeOld(person)]);
  return { ...person, paymentMethodId, address: { ...shippingAddress, postcode: newPostcode() } };
};

/** Without labels the orders of this customer are packed and go no further. */
export const newCustomerWithoutLabels = async (): Promise<Customer> => {
  const customer = await newCustomer();
  await refuseLabels(customer.address.postcode);
  return customer;
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

/** In Leeds, where the carrier goes. */
const newPostcode = (): string => {
  const [district, sector, one, two] = randomBytes(4);
  const letters = 'ABDEFGHJLNPQRSTUWXYZ';
  return `LS${1 + (district! % 29)} ${sector! % 10}${letters[one! % 20]}${letters[two! % 20]}`;
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
  shippingAddress: customer.address,
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

/** The order as soon as it is so, looked at again and again. */
export const orderWhen = (
  person: Person,
  id: string,
  isSo: (order: OrderViewFragment) => void,
): Promise<OrderViewFragment> =>
  vi.waitFor(
    async () => {
      const order = await openOrder(person, id);
      isSo(order);
      return order;
    },
    { timeout: 25_000, interval: 100 },
  );

/** The order once nothing is awaited any more: delivered, or cancelled. */
export const settled = (person: Person, id: string): Promise<OrderViewFragment> =>
  orderWhen(person, id, ({ waitingFor }) => expect(waitingFor).toBeNull());

/** The order once it has this status. */
export const orderIs = (person: Person, id: string, status: OrderStatus): Promise<OrderViewFragment> =>
  orderWhen(person, id, (order) => expect(order.status).toBe(status));

/** The order of a customer without labels, once the carrier has refused one; it stays like this for ten seconds. */
export const packed = (customer: Customer, id: string): Promise<OrderViewFragment> =>
  orderWhen(customer, id, ({ timeline }) =>
    expect(timeline.map(({ type }) => type)).toContain('shipment.failed'),
  );

/** The order once its payment has got there, which may be after the order itself. */
export const paymentIs = (person: Person, id: string, status: string): Promise<OrderViewFragment> =>
  orderWhen(person, id, ({ payments }) =>
    expect(payments?.map((payment) => payment.status)).toEqual([status]),
  );

/** What the order's timeline says moved it, in order; what only tells of something is left out. */
export const stepsOf = ({ timeline }: Pick<OrderViewFragment, 'timeline'>): string[] =>
  timeline.filter(({ version }) => version !== null).map(({ type }) => type);

/** Calls the order off, once. */
export const cancel = async ({ client }: Person, id: string, wish: Partial<CancelOrderInput> = {}) => {
  const input = { idempotencyKey: `cancel ${id}`, id, ...wish };
  return (await client.send(CancelOrderDocument, { input })).cancelOrder;
};
