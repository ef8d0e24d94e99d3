// A customer's way through the shop, from signing up to an order that has come to rest.
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { accepted, type Client, connect } from '../operations/client.ts';
import {
  AddPaymentMethodDocument,
  CancelOrderDocument,
  type CartViewFragment,
  CheckoutDocument,
  type OfferFragment,
  OrderDocument,
  type OrderHeadFragment,
  OrderPaymentsDocument,
  OrderUpdatedDocument,
  type PaymentStatus,
  RegisterDocument,
  SearchProductsDocument,
  type SearchProductsQuery,
  SetCartLineDocument,
  VariantDocument,
} from '../operations/generated/graphql.ts';
import type { Provider } from './provider.ts';
import type { RunningStack } from './running-stack.ts';
import type { Scenario } from './scenarios.ts';
import { type Good, isSettled, type Seen, type Sight } from './verdict.ts';

/** milliseconds until an order has to be at rest */
const patience = 60_000;

/** milliseconds for which the shop may show a stock that is no more */
const stockAge = 2_000;

const mostGoods = 2;

export type Tell = {
  readonly step: (what: string, text: string) => void;
  readonly sight: (sight: Sight) => void;
  readonly payment: (status: PaymentStatus, afterMs: number) => void;
};

/** What keeps the demo from going on is no fault of the order: there is nothing fit to be bought. */
export class NothingToBuyError extends Error {}

const signUp = async (client: Client): Promise<{ email: string; token: string }> => {
  const email = `demo-${randomBytes(5).toString('hex')}@example.com`;
  const password = randomBytes(12).toString('base64url');
  const { register } = await client.send(RegisterDocument, {
    input: { email, password, displayName: 'Demo Customer' },
  });
  return { email, token: accepted(register, 'SessionStarted').accessToken };
};

const isFit = ({ availability, availableQuantity }: OfferFragment, { goods, quantity }: Scenario): boolean =>
  goods === 'in stock' ? (availableQuantity ?? 0) >= quantity : availability === 'OUT_OF_STOCK';

const findGoods = async (client: Client, scenario: Scenario, tell: Tell): Promise<OfferFragment[]> => {
  const found: OfferFragment[] = [];
  let after: string | null = null;
  do {
    const page: SearchProductsQuery = await client.send(SearchProductsDocument, {
      q: scenario.search,
      first: 50,
      after,
    });
    const { products, tookMs } = page.searchProducts;
    if (after === null)
      tell.step(
        'searched',
        `"${scenario.search}": ${products.totalCount} products in ${tookMs.toFixed(1)} ms`,
      );
    const offers = products.edges.flatMap(({ node }) => node.variants);
    found.push(...offers.filter((offer) => isFit(offer, scenario)));
    after = products.pageInfo.hasNextPage ? products.pageInfo.endCursor : null;
  } while (found.length === 0 && after !== null);
  if (found.length === 0)
    throw new NothingToBuyError(
      `Nothing that "${scenario.search}" finds is ${scenario.goods}; npm start -- --fresh fills the shop anew.`,
    );
  return found.slice(0, mostGoods);
};

const fillCart = async (
  client: Client,
  offers: readonly OfferFragment[],
  { quantity }: Scenario,
  tell: Tell,
) => {
  let cart: CartViewFragment | undefined;
  for (const { id } of offers) {
    const { setCartLine } = await client.send(SetCartLineDocument, { input: { variantId: id, quantity } });
    cart = accepted(setCartLine, 'CartUpdated').cart;
  }
  for (const { name, sku, lineTotal, problem } of cart!.lines)
    tell.step(
      'cart',
      `${quantity} × ${name} (${sku}), ${lineTotal.formatted}${problem ? `, marked ${problem}` : ''}`,
    );
  return cart!;
};

const addCard = async (client: Client, { card }: Scenario, tell: Tell): Promise<string> => {
  const { addPaymentMethod } = await client.send(AddPaymentMethodDocument, {
    input: { providerToken: card },
  });
  const { method } = accepted(addPaymentMethod, 'PaymentMethodAdded');
  tell.step('card', `${method.brand} ending in ${method.last4}, given by the provider as ${card}`);
  return method.id;
};

const placeOrder = async (client: Client, cart: CartViewFragment, paymentMethodId: string) => {
  const { checkout } = await client.send(CheckoutDocument, {
    input: {
      idempotencyKey: randomUUID(),
      cartId: cart.id,
      expectedCartVersion: cart.version,
      paymentMethodId,
      shippingAddress: {
        recipient: 'Demo Customer',
        line1: '1 Market Square',
        city: 'Northampton',
        postcode: 'NN1 2DL',
        country: 'GB',
      },
    },
  });
  return accepted(checkout, 'CheckoutAccepted').order;
};

const cancel = async (client: Client, order: OrderHeadFragment): Promise<void> => {
  const { cancelOrder } = await client.send(CancelOrderDocument, {
    input: {
      idempotencyKey: randomUUID(),
      id: order.id,
      expectedVersion: order.version,
      reason: 'I changed my mind.',
    },
  });
  accepted(cancelOrder, 'OrderCancelRequested');
};

type Watch = {
  readonly client: Client;
  readonly scenario: Scenario;
  readonly tell: Tell;
  /** milliseconds since the customer asked for the order */
  readonly elapsed: () => number;
  readonly paid: (status: PaymentStatus) => void;
};

/** Every state that the shop pushes until the order rests, or until patience ends. */
const follow = async ({ client, scenario, tell, elapsed, paid }: Watch, id: string): Promise<Sight[]> => {
  const sights: Sight[] = [];
  const events = client.watch(OrderUpdatedDocument, { id });
  const stop = new AbortController();
  const tooLong = pause(patience, undefined, { signal: stop.signal }).catch(() => undefined);
  let isCancelled = false;
  try {
    for (;;) {
      const event = await Promise.race([events.next(), tooLong]);
      if (!event || event.done) return sights;
      const { orderUpdated: order } = event.value;
      const payments = (order.payments ?? []).map(({ status }) => status);
      const { version, status, waitingFor } = order;
      const sight: Sight = { version, status, waitingFor, payments, afterMs: elapsed() };
      sights.push(sight);
      tell.sight(sight);
      for (const status of payments) paid(status);
      if (waitingFor !== null) continue;
      if (!scenario.cancels || isCancelled || status === 'CANCELLED') return sights;
      isCancelled = true;
      tell.step('cancels', `"I changed my mind."`);
      await cancel(client, order);
    }
  } finally {
    stop.abort();
    await events.return?.();
  }
};

/** A payment that is being asked about changes without the order: it is looked at until the order rests. */
const watchPayment = async ({ client, tell, elapsed, paid }: Watch, id: string, isOver: () => boolean) => {
  let last: PaymentStatus | undefined;
  while (!isOver()) {
    const { order } = await client.send(OrderPaymentsDocument, { id });
    for (const { status } of order?.payments ?? []) {
      if (status !== last) tell.payment(status, elapsed());
      last = status;
      paid(status);
    }
    await pause(100);
  }
};

/** What can be sold of the goods once the order rests; waits for as long as the shop may show what was. */
const lookAtStock = async (client: Client, goods: readonly Good[], keepsGoods: boolean): Promise<Good[]> => {
  await pause(stockAge + 200);
  for (let tries = 1; ; tries++) {
    const now = await Promise.all(
      goods.map(async (good) => {
        const { variant } = await client.send(VariantDocument, { sku: good.sku });
        return { ...good, after: variant?.availableQuantity ?? null };
      }),
    );
    if (tries === 20 || now.every((good) => isSettled(good, keepsGoods))) return now;
    await pause(250);
  }
};

export const buyAs = async (
  scenario: Scenario,
  stack: RunningStack,
  provider: Provider | null,
  tell: Tell,
): Promise<Seen> => {
  const visitor = connect({ url: stack.graphql, subscriptionsUrl: stack.subscriptions });
  const { email, token } = await signUp(visitor);
  tell.step('signed up', email);
  const client = connect({
    url: stack.graphql,
    subscriptionsUrl: stack.subscriptions,
    token,
    // The order is watched from its first moment.
    keepsSocket: true,
  });
  try {
    const offers = await findGoods(client, scenario, tell);
    const cart = await fillCart(client, offers, scenario, tell);
    const card = await addCard(client, scenario, tell);

    const began = performance.now();
    const elapsed = (): number => Math.round(performance.now() - began);
    const placed = await placeOrder(client, cart, card);
    const answered = elapsed();
    const paymentStatuses: PaymentStatus[] = [];
    const paid = (status: PaymentStatus): void => {
      if (paymentStatuses.at(-1) !== status) paymentStatuses.push(status);
    };
    const watch: Watch = { client, scenario, tell, elapsed, paid };
    let isOver = false;
    const [sights] = await Promise.all([
      follow(watch, placed.id).finally(() => {
        isOver = true;
      }),
      scenario.slowNews ? provider?.slowNews(placed.id) : undefined,
      scenario.slowNews ? watchPayment(watch, placed.id, () => isOver) : undefined,
      tell.step('ordered', `${placed.number}, ${placed.total.formatted}, answered after ${answered} ms`),
    ]);

    const goods = offers.map(({ sku, availableQuantity: before }) => {
      return { sku, quantity: scenario.quantity, before, after: null };
    });
    const after = await lookAtStock(client, goods, scenario.expected.keepsGoods);
    const { order } = await client.send(OrderDocument, { id: placed.id });
    if (!order) throw new Error(`Order ${placed.number} is not to be found any more.`);
    const charges = (await provider?.chargesOf(order.id)) ?? null;
    return { email, sights, paymentStatuses, order, goods: after, charges };
  } finally {
    await client.close();
  }
};
