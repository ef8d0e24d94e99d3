// A customer's way through the shop, from signing up to an order that has come to rest and all that is told of it.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../operations/client.ts';
import {
  MyNotificationsDocument,
  OrderAssessmentDocument,
  OrderDocument,
  OrderParcelsDocument,
  type PaymentStatus,
  VariantDocument,
} from '../operations/generated/graphql.ts';
import type { Carrier } from './carrier.ts';
import type { Provider } from './provider.ts';
import { tryCards } from './ring.ts';
import type { RunningStack } from './running-stack.ts';
import type { Scenario } from './scenarios.ts';
import { addCard, cancelOrder, fillCart, findGoods, newAddress, placeOrder, signUp } from './shopper.ts';
import { decideReview, type Refunded, type Review, refundInParts } from './staff.ts';
import { type Good, isSettled, type News, type Seen, type Sight } from './verdict.ts';
import { follow, hearNews, type Tell, type Watch, watchParcel, watchPayment } from './watch.ts';

/** milliseconds for which the shop may show a stock that is no more */
const stockAge = 2_000;

/** Looks again and again; the last look counts where it was never settled. */
const settled = async <T>(look: () => Promise<T>, isSettled: (found: T) => boolean): Promise<T> => {
  for (let tries = 1; ; tries++) {
    const found = await look();
    if (tries === 20 || isSettled(found)) return found;
    await pause(250);
  }
};

/** What can be sold of the goods once the order rests; waits for as long as the shop may show what was. */
const lookAtStock = async (client: Client, goods: readonly Good[], keepsGoods: boolean): Promise<Good[]> => {
  await pause(stockAge + 200);
  return settled(
    () =>
      Promise.all(
        goods.map(async (good) => {
          const { variant } = await client.send(VariantDocument, { sku: good.sku });
          return { ...good, after: variant?.availableQuantity ?? null };
        }),
      ),
    (now) => now.every((good) => isSettled(good, keepsGoods)),
  );
};

/** The customer's list, oldest first; it is written a moment after the order has moved. */
const readNews = (client: Client, { news }: Scenario['expected']): Promise<News> =>
  settled(
    async () => {
      const { me } = await client.send(MyNotificationsDocument, { first: 50 });
      const list = me?.notifications?.edges.map(({ node }) => node) ?? [];
      return { list: list.toReversed(), unread: me?.unreadNotifications ?? null };
    },
    // It may be told more than has to be, and the last of it comes last.
    ({ list }) => list.length >= news.length && list.at(-1)?.kind === news.at(-1),
  );

const parcelsOf = async (client: Client, id: string) =>
  (await client.send(OrderParcelsDocument, { id })).order?.shipments ?? [];

type Outside = { readonly provider: Provider | null; readonly carrier: Carrier | null };

type Doing = {
  readonly stack: RunningStack;
  readonly carrier: Carrier | null;
  readonly client: Client;
  readonly tell: Tell;
  readonly reviewed: (review: Review) => void;
};

type Deed = {
  /** whether the order can bear it now */
  readonly when: (sight: Sight) => boolean;
  readonly act: (doing: Doing, orderId: string) => Promise<void>;
};

const review = (decision: 'APPROVE' | 'REJECT'): Deed => ({
  when: ({ status }) => status === 'AWAITING_REVIEW',
  act: async ({ stack, tell, reviewed }, orderId) => {
    const told = await decideReview(stack, orderId, decision, ({ score, level, factors }) => {
      tell.step('reviewer', `sees it in the queue: ${score ?? 'no score'} of 100, ${level}`);
      for (const { contribution, explanation } of factors)
        tell.step('', `${contribution.toFixed(1).padStart(5)}  ${explanation}`);
      tell.step('reviewer', decision === 'APPROVE' ? 'approves it' : 'rejects it');
    });
    reviewed(told);
  },
});

const deeds: Readonly<Record<Exclude<Scenario['meanwhile'], null>, Deed>> = {
  cancel: {
    when: ({ status }) => status === 'CONFIRMED' || status === 'PROCESSING',
    act: async ({ client, tell }, orderId) => {
      tell.step('cancels', '"I changed my mind."');
      await cancelOrder(client, orderId);
    },
  },
  approve: review('APPROVE'),
  reject: review('REJECT'),
  // Once the money is taken, so that it has to go back.
  lose: {
    when: ({ status, payments }) => status === 'SHIPPED' && payments.includes('CAPTURED'),
    act: async ({ client, carrier, tell }, orderId) => {
      const trackingNumber = (await parcelsOf(client, orderId))[0]?.trackingNumber;
      if (!trackingNumber) return;
      tell.step('carrier', `loses the parcel ${trackingNumber}`);
      await carrier?.lose(trackingNumber);
    },
  },
};

/** Does the scenario's deed once, at the first sight that bears it. */
const onceWhenFit = (scenario: Scenario, doing: Doing, orderId: string) => {
  const deed = scenario.meanwhile && deeds[scenario.meanwhile];
  let isDone = false;
  return async (sight: Sight): Promise<void> => {
    if (!deed || isDone || !deed.when(sight)) return;
    isDone = true;
    await deed.act(doing, orderId);
  };
};

const fillBasket = async (client: Client, scenario: Scenario, tell: Tell) => {
  const offers = await findGoods(client, scenario, (text) => tell.step('searched', text));
  const cart = await fillCart(client, offers, scenario);
  for (const { name, sku, quantity, lineTotal, problem } of cart.lines)
    tell.step(
      'cart',
      `${quantity} × ${name} (${sku}), ${lineTotal.formatted}${problem ? `, marked ${problem}` : ''}`,
    );
  const card = await addCard(client, scenario.card);
  tell.step('card', `${card.brand} ending in ${card.last4}, given by the provider as ${scenario.card}`);
  return { offers, cart, card };
};

export const buyAs = async (
  scenario: Scenario,
  stack: RunningStack,
  { provider, carrier }: Outside,
  tell: Tell,
): Promise<Seen> => {
  const address = newAddress();
  const deviceId = scenario.hasRing ? randomUUID() : undefined;
  if (deviceId) {
    const accounts = await tryCards(stack, deviceId, address);
    tell.step('before', `${accounts} new accounts tried cards from one device; all were declined`);
  }
  const { email, client } = await signUp(stack, deviceId);
  tell.step('signed up', email);
  let began = performance.now();
  const elapsed = (): number => Math.round(performance.now() - began);
  const news = hearNews(client, tell, elapsed);
  try {
    const { offers, cart, card } = await fillBasket(client, scenario, tell);
    began = performance.now();
    const placed = await placeOrder(client, cart, card.id, address);
    // First of all: the provider's news must not be quicker than this.
    const slowed = scenario.slowNews ? provider?.slowNews(placed.id) : undefined;
    tell.step('ordered', `${placed.number}, ${placed.total.formatted}, answered after ${elapsed()} ms`);
    const { id } = placed;

    const paymentStatuses: PaymentStatus[] = [];
    const paid = (status: PaymentStatus): void => {
      if (paymentStatuses.at(-1) !== status) paymentStatuses.push(status);
    };
    const watch: Watch = { client, tell, elapsed, paid };
    const parcel = watchParcel(watch, id);
    let reviewed: Review | null = null;
    const doing: Doing = {
      stack,
      carrier,
      client,
      tell,
      reviewed: (review) => {
        reviewed = review;
      },
    };
    let isOver = false;
    const [sights] = await Promise.all([
      follow(watch, id, onceWhenFit(scenario, doing, id)).finally(() => {
        isOver = true;
      }),
      slowed,
      scenario.slowNews ? watchPayment(watch, id, () => isOver) : undefined,
    ]);

    const readOrder = async () => {
      const { order } = await client.send(OrderDocument, { id });
      if (!order) throw new Error(`Order ${placed.number} is not to be found any more.`);
      return order;
    };
    const rested = await readOrder();
    for (const { status } of rested.payments ?? []) paid(status);
    const refunded: Refunded =
      scenario.afterwards === 'refund' && rested.status === 'DELIVERED'
        ? await refundInParts(stack, rested, (text) => tell.step('refund', text))
        : { asked: [], restocked: {} };

    const goods = offers.map(({ sku, availableQuantity: before }) => {
      return {
        sku,
        quantity: scenario.quantity,
        restocked: refunded.restocked[sku] ?? 0,
        before,
        after: null,
      };
    });
    const [after, told, { order: assessed }] = await Promise.all([
      lookAtStock(client, goods, scenario.expected.keepsGoods),
      readNews(client, scenario.expected),
      client.send(OrderAssessmentDocument, { id }),
    ]);
    const [order, parcels, charges] = await Promise.all([
      readOrder(),
      parcelsOf(client, id),
      provider?.chargesOf(id) ?? null,
    ]);
    for (const { status } of order.payments ?? []) paid(status);
    await parcel.end();
    await news.end();
    return {
      email,
      sights,
      paymentStatuses,
      order,
      goods: after,
      charges,
      parcels,
      scans: parcel.heard,
      news: told,
      newsLive: news.heard,
      review: reviewed,
      isScoreShown: (assessed?.fraudAssessment ?? null) !== null,
      refundsAsked: refunded.asked,
    };
  } finally {
    await client.close();
  }
};
