// What orders can do: load, decide, save, send.
import { createHmac, type KeyObject } from 'node:crypto';
import type { Database, Tx } from '@orderstream/runtime/database';
import { RequestError } from '@orderstream/runtime/errors';
import { newId } from '@orderstream/runtime/ids';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import { publicNetworkOf } from '@orderstream/runtime/network';
import { once } from '@orderstream/runtime/once';
import { checkAddress, type TypedAddress } from '@orderstream/runtime/postal-address';
import { invalidInput, problemOf, tidy } from '@orderstream/runtime/text';
import { newTrace } from '@orderstream/runtime/trace';
import { acceptCart, acceptLine, type Cart } from './cart.ts';
import { cartForUpdate, cartOf, emptyCart, putLine, removeCart, variantById } from './cart-store.ts';
import { type Advanced, advance, begin, type Checkout, type Moment, mayCancel } from './checkout.ts';
import {
  addFact,
  type Event,
  eraseFromOrders,
  insertOrder,
  nextSerial,
  overdue,
  type Standing,
  saveStep,
  standingForUpdate,
} from './checkout-store.ts';
import type { Context } from './context.ts';
import type { Heard } from './hearing.ts';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderDelivered,
  OrderHeld,
  OrderPlaced,
  OrderProgressed,
  OrderShipped,
} from './messages.ts';
import { noticesOfRefund, noticesOfStep, type Refunded } from './notice.ts';
import { mayChange, mayRead, orderNumber, statusOf, type Terms, totalsOf } from './order.ts';
import { actorOf, detailOf, isFact } from './timeline.ts';

export type Shop = {
  readonly terms: Terms;
  /** multiplies every deadline; 1 outside tests */
  readonly scale: number;
  /** hashes addresses and devices, so that what is shared can be seen without being known */
  readonly hashKey: KeyObject;
};

const momentOf = ({ scale }: Shop, now: Date): Moment => ({ now, scale });

/** milliseconds that goods are held for a checkout */
const hold = 30 * 60_000;

const customerOf = (ctx: Context): string => {
  if (!ctx.viewer.userId) throw new RequestError('UNAUTHENTICATED');
  return ctx.viewer.userId;
};

/** The viewer's cart, made when first asked for. */
export const viewCart = async (ctx: Context, { terms }: Shop): Promise<Cart> => {
  const userId = customerOf(ctx);
  const { tenantId } = ctx.viewer;
  return (
    (await cartOf(ctx.db, tenantId, userId, terms.currency)) ??
    ctx.db.transaction((tx) => cartForUpdate(tx, newId(ctx.now), tenantId, userId, terms.currency))
  );
};

export const setCartLine = (
  ctx: Context,
  { terms }: Shop,
  { variantId, quantity }: { variantId: string; quantity: number },
) => {
  const userId = customerOf(ctx);
  const { tenantId } = ctx.viewer;
  return ctx.db.transaction(async (tx) => {
    const cart = await cartForUpdate(tx, newId(ctx.now), tenantId, userId, terms.currency);
    const variant = await variantById(tx, tenantId, variantId);
    if (!variant)
      return {
        error: 'NotFound',
        message: 'There is no such variant.',
        path: ['input', 'variantId'],
      } as const;
    const refused = acceptLine(cart, variant, quantity);
    if (refused) return refused;
    await putLine(tx, tenantId, cart.id, {
      id: newId(ctx.now),
      variantId,
      quantity,
      seenPrice: variant.price,
    });
    return (await cartOf(tx, tenantId, userId, terms.currency))!;
  });
};

/** What order-events call the arrival at a step; any other is progress. */
const arrivals: Partial<Record<Checkout['step'], typeof OrderProgressed>> = {
  REVIEW: OrderHeld,
  SHIPPING: OrderConfirmed,
  CAPTURING: OrderShipped,
  DONE: OrderDelivered,
  CANCELLED: OrderCancelled,
};

/** What an order hears, from whom. */
type News = {
  readonly type: string;
  readonly data: object;
  /** null: no message, but a wish or the clock */
  readonly messageId: string | null;
  readonly actor: string;
};

/** Saves a step: the order's version rises, its event is written and told, and the step's commands are sent. */
const save = async (
  tx: Tx,
  shop: Shop,
  tenantId: string,
  now: Date,
  before: Standing,
  news: News,
  { checkout, send, told, keepsClock }: Advanced,
): Promise<void> => {
  const version = before.version + 1;
  const status = statusOf(checkout.step, before.status);
  const event: Event = {
    seq: before.entries + 1,
    version,
    messageId: news.messageId,
    type: news.type,
    actor: news.actor,
    from: { step: before.checkout.step, status: before.status },
    to: { step: checkout.step, status },
    reason: told ?? detailOf(news.type, news.data),
  };
  const statusReason = told ?? before.statusReason;
  await saveStep(tx, tenantId, { checkout, event, statusReason, now, scale: shop.scale, keepsClock });
  const isArrival = before.checkout.step !== checkout.step;
  const tell = (isArrival && arrivals[checkout.step]) || OrderProgressed;
  const { orderId, customerId, step, reason } = checkout;
  await tx.send(
    tell({ orderId, customerId, status, step, reason }, version),
    ...send.map((message): Message => ({ ...message, version })),
    ...noticesOfStep(before.checkout, checkout),
  );
};

type CheckoutInput = {
  readonly idempotencyKey: string;
  readonly cartId: string;
  readonly expectedCartVersion: number;
  readonly shippingAddress: TypedAddress;
  readonly paymentMethodId: string;
};

/**
 * Places the order and answers at once; stock and payment follow in the saga. The idempotency row, the order with its
 * prices and address, the saga and the first messages are one transaction.
 */
export const checkout = async (ctx: Context, shop: Shop, { idempotencyKey, ...request }: CheckoutInput) => {
  const customerId = customerOf(ctx);
  const { tenantId, deviceId, clientAddress } = ctx.viewer;
  const address = checkAddress(request.shippingAddress, ['input', 'shippingAddress']);
  if ('error' in address) return address;
  const hash = (text: string): string =>
    createHmac('sha256', shop.hashKey).update(`${tenantId}\n${text}`).digest('base64url');

  const network = publicNetworkOf(clientAddress);
  return once(ctx, { operation: 'checkout', key: idempotencyKey, request }, async (tx) => {
    const cart = await cartForUpdate(tx, newId(ctx.now), tenantId, customerId, shop.terms.currency);
    if (cart.id !== request.cartId)
      return { error: 'NotFound', message: 'There is no such cart.', path: ['input', 'cartId'] } as const;
    if (cart.version !== request.expectedCartVersion)
      return {
        error: 'CartChanged',
        message: 'The cart has changed since it was shown.',
        path: ['input', 'expectedCartVersion'],
        cart,
      } as const;
    const refused = acceptCart(cart);
    if (refused) return refused;

    const totals = totalsOf(
      cart.lines.map((line) => ({ unitPrice: line.variant.price, quantity: line.quantity })),
      shop.terms,
    );
    const lines = cart.lines.map((line) => ({
      id: newId(ctx.now),
      variantId: line.variant.id,
      sku: line.variant.sku,
      name: line.variant.name,
      quantity: line.quantity,
      unitPriceMinor: line.variant.price.amountMinor,
    }));
    const begun = begin({
      orderId: newId(ctx.now),
      number: orderNumber(ctx.now, await nextSerial(tx)),
      customerId,
      total: totals.total,
      lines,
      paymentMethodId: request.paymentMethodId,
      holdUntil: new Date(ctx.now.getTime() + hold),
      addressHash: hash([address.line1, address.postcode, address.country].join('\n').toLowerCase()),
      deviceHash: deviceId && hash(deviceId),
      clientHash: network && hash(network),
    });
    const { orderId, step } = begun.checkout;
    const status = statusOf(step, 'PENDING');
    const event: Event = {
      seq: 1,
      version: 1,
      messageId: null,
      type: 'placed',
      actor: 'customer',
      from: null,
      to: { step, status },
      reason: null,
    };
    await insertOrder(
      tx,
      tenantId,
      { checkout: begun.checkout, idempotencyKey, address, totals, lines },
      { event, now: ctx.now, scale: shop.scale },
    );
    await emptyCart(tx, cart.id);
    await tx.send(
      OrderPlaced({
        orderId,
        customerId,
        status,
        step,
        reason: null,
        lines: cart.lines.map((line) => ({
          variantId: line.variant.id,
          productId: line.variant.productId,
          quantity: line.quantity,
          unitPriceMinor: line.variant.price.amountMinor,
        })),
        totalMinor: totals.total.amountMinor,
        currency: totals.total.currency,
      }),
      ...begun.send,
    );
    return { orderId };
  });
};

type CancelInput = {
  readonly idempotencyKey: string;
  readonly id: string;
  readonly reason: string | null;
  readonly expectedVersion: number | null;
};

/** Cancel is a message to the saga like any other, so a race with an answer has exactly one outcome. */
export const cancelOrder = async (ctx: Context, shop: Shop, { idempotencyKey, ...request }: CancelInput) => {
  customerOf(ctx);
  const { viewer, now } = ctx;
  // It may have been typed in several lines, and is shown in one.
  const reason = tidy(request.reason?.replace(/\s+/g, ' ') ?? '') || null;
  const problem = problemOf(reason ?? '', { name: 'The reason', least: 0, most: 500 });
  if (problem) return invalidInput([{ path: ['input', 'reason'], message: problem }]);
  return once(ctx, { operation: 'cancelOrder', key: idempotencyKey, request }, async (tx) => {
    const standing = await standingForUpdate(tx, viewer.tenantId, request.id);
    if (!standing || !mayRead(viewer, standing.checkout) || !mayChange(viewer, standing.checkout))
      return { error: 'NotFound', message: 'There is no such order.', path: ['input', 'id'] } as const;
    if (request.expectedVersion !== null && request.expectedVersion !== standing.version)
      return {
        error: 'VersionConflict',
        message: 'The order has moved on since it was shown.',
        path: ['input', 'expectedVersion'],
        currentVersion: standing.version,
      } as const;
    const next = mayCancel(standing.checkout)
      ? advance(standing.checkout, 'cancel', { reason }, momentOf(shop, now))
      : null;
    if (!next)
      return {
        error: 'InvalidTransition',
        message: 'The order cannot be cancelled any more.',
        path: ['input', 'id'],
        orderId: request.id,
      } as const;
    const actor = viewer.userId === standing.checkout.customerId ? 'customer' : 'staff';
    const news: News = { type: 'cancel', data: {}, messageId: null, actor };
    await save(tx, shop, viewer.tenantId, now, standing, news, next);
    return { orderId: request.id };
  });
};

type Answer = { readonly orderId: string };

/**
 * An answer from another subgraph. The row lock makes it wait for our own transaction, should it be that fast. What moves
 * nothing may still be worth an entry of the timeline.
 */
export const advanceSaga =
  (shop: Shop) =>
  async (tx: Tx, { id, type, tenantId, data }: Envelope<Answer>, { now }: { now: Date }): Promise<void> => {
    const standing = await standingForUpdate(tx, tenantId, data.orderId);
    if (!standing) return;
    const { checkout } = standing;
    const actor = actorOf(type);
    const next = advance(checkout, type as keyof Heard, data as never, momentOf(shop, now));
    if (next) await save(tx, shop, tenantId, now, standing, { type, data, messageId: id, actor }, next);
    else if (isFact(type))
      await addFact(tx, tenantId, standing, {
        messageId: id,
        type,
        at: now,
        actor,
        reason: detailOf(type, data),
      });
  };

/** Money that went back is an entry of the timeline and worth telling the customer. */
export const takeRefund =
  (shop: Shop) =>
  async (tx: Tx, message: Envelope<Refunded>, ctx: { now: Date }): Promise<void> => {
    await advanceSaga(shop)(tx, message, ctx);
    const standing = await standingForUpdate(tx, message.tenantId, message.data.orderId);
    if (standing) await tx.send(...noticesOfRefund(standing.checkout, message.data));
  };

/** Deadlines that have passed are heard like messages. @returns how many checkouts were looked at */
export const passDeadlines = (
  database: Pick<Database, 'transaction'>,
  shop: Shop,
  now: Date,
): Promise<number> =>
  database.transaction(async (begin) => {
    const origin = { tenantId: '', traceparent: newTrace().traceparent, causationId: null };
    const late = await overdue(begin(origin), 20);
    for (const { order_id: orderId, tenant_id: tenantId } of late) {
      const tx = begin({ ...origin, tenantId });
      const standing = await standingForUpdate(tx, tenantId, orderId);
      const next = standing && advance(standing.checkout, 'deadline', {}, momentOf(shop, now));
      const news: News = { type: 'deadline', data: {}, messageId: null, actor: 'clock' };
      if (next) await save(tx, shop, tenantId, now, standing, news, next);
    }
    return late.length;
  });

/** Takes a person out of orders and removes their cart. What must be kept for the books names nobody. */
export const eraseCustomer = async (tx: Tx, tenantId: string, userId: string): Promise<void> => {
  await eraseFromOrders(tx, tenantId, userId);
  await removeCart(tx, tenantId, userId);
};
