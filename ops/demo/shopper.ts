// What a customer does before there is an order: signs up, finds goods, fills a cart, adds a card, asks for the order.
import { randomBytes, randomUUID } from 'node:crypto';
import { accepted, type Client, connect } from '../operations/client.ts';
import {
  AddPaymentMethodDocument,
  type AddressInput,
  CancelOrderDocument,
  type CartViewFragment,
  CheckoutDocument,
  type OfferFragment,
  type OrderHeadFragment,
  RegisterDocument,
  SearchProductsDocument,
  type SearchProductsQuery,
  SetCartLineDocument,
} from '../operations/generated/graphql.ts';
import type { RunningStack } from './running-stack.ts';
import type { Wish } from './scenarios.ts';

/** What keeps the demo from going on is no fault of the order: there is nothing fit to be bought. */
export class NothingToBuyError extends Error {}

/** Where every parcel of the demo goes: far from each of the warehouses. */
export const home = { city: 'Norwich', latitude: 52.63, longitude: 1.297 };

/** A street of its own for each run, as people who live together are suspicious when they do not know each other. */
export const newAddress = (): AddressInput => ({
  recipient: 'Demo Customer',
  line1: `${1 + randomBytes(2).readUInt16BE()} Market Street`,
  city: home.city,
  postcode: 'NR1 3QU',
  country: 'GB',
});

export type Shopper = { readonly email: string; readonly client: Client };

/** @param deviceId by which the shop knows a device again; none: it is not told */
export const signUp = async (
  { graphql: url, subscriptions: subscriptionsUrl }: RunningStack,
  deviceId?: string,
): Promise<Shopper> => {
  const headers: Record<string, string> = deviceId ? { 'x-device-id': deviceId } : {};
  const email = `demo-${randomBytes(5).toString('hex')}@example.com`;
  const password = randomBytes(12).toString('base64url');
  const { register } = await connect({ url, subscriptionsUrl, headers }).send(RegisterDocument, {
    input: { email, password, displayName: 'Demo Customer' },
  });
  const { accessToken: token } = accepted(register, 'SessionStarted');
  // The order is watched from its first moment.
  return { email, client: connect({ url, subscriptionsUrl, headers, token, keepsSocket: true }) };
};

const isFit = (offer: OfferFragment, { goods, quantity, leastWorth }: Wish): boolean =>
  (offer.listPrice?.amountMinor ?? 0) * quantity >= leastWorth &&
  (goods === 'in stock' ? (offer.availableQuantity ?? 0) >= quantity : offer.availability === 'OUT_OF_STOCK');

/** @param tell is told once how the search went */
export const findGoods = async (
  client: Client,
  wish: Wish,
  tell: (text: string) => void = () => undefined,
): Promise<OfferFragment[]> => {
  const found: OfferFragment[] = [];
  let after: string | null = null;
  do {
    const page: SearchProductsQuery = await client.send(SearchProductsDocument, {
      q: wish.search,
      first: 50,
      after,
    });
    const { products, tookMs } = page.searchProducts;
    if (after === null) tell(`"${wish.search}": ${products.totalCount} products in ${tookMs.toFixed(1)} ms`);
    const offers = products.edges.flatMap(({ node }) => node.variants);
    found.push(...offers.filter((offer) => isFit(offer, wish)));
    after = products.pageInfo.hasNextPage ? products.pageInfo.endCursor : null;
  } while (found.length === 0 && after !== null);
  if (found.length === 0)
    throw new NothingToBuyError(
      `Nothing that "${wish.search}" finds is ${wish.goods} (${wish.quantity} pieces); npm start -- --fresh fills the shop anew.`,
    );
  return found.slice(0, wish.mostGoods);
};

export const fillCart = async (
  client: Client,
  offers: readonly OfferFragment[],
  { quantity }: Wish,
): Promise<CartViewFragment> => {
  let cart: CartViewFragment | undefined;
  for (const { id } of offers) {
    const { setCartLine } = await client.send(SetCartLineDocument, { input: { variantId: id, quantity } });
    cart = accepted(setCartLine, 'CartUpdated').cart;
  }
  return cart!;
};

export const addCard = async (client: Client, providerToken: string) => {
  const { addPaymentMethod } = await client.send(AddPaymentMethodDocument, { input: { providerToken } });
  return accepted(addPaymentMethod, 'PaymentMethodAdded').method;
};

export const placeOrder = async (
  client: Client,
  cart: Pick<CartViewFragment, 'id' | 'version'>,
  paymentMethodId: string,
  shippingAddress: AddressInput,
): Promise<OrderHeadFragment> => {
  const { checkout } = await client.send(CheckoutDocument, {
    input: {
      idempotencyKey: randomUUID(),
      cartId: cart.id,
      expectedCartVersion: cart.version,
      paymentMethodId,
      shippingAddress,
    },
  });
  return accepted(checkout, 'CheckoutAccepted').order;
};

/** Whatever its version: it moves on by itself while the customer makes up their mind. */
export const cancelOrder = async (client: Client, id: string): Promise<void> => {
  const { cancelOrder: cancelled } = await client.send(CancelOrderDocument, {
    input: { idempotencyKey: randomUUID(), id, reason: 'I changed my mind.' },
  });
  accepted(cancelled, 'OrderCancelRequested');
};
