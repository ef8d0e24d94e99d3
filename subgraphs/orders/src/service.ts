// What orders can do: load, decide, save, send.
import { createHmac, type KeyObject } from 'node:crypto';
import type { Tx } from '@orderstream/runtime/database';
import { RequestError } from '@orderstream/runtime/errors';
import { newId } from '@orderstream/runtime/ids';
import { publicNetworkOf } from '@orderstream/runtime/network';
import { once } from '@orderstream/runtime/once';
import { checkAddress, type TypedAddress } from '@orderstream/runtime/postal-address';
import { invalidInput, problemOf, tidy } from '@orderstream/runtime/text';
import { personOf } from '@orderstream/runtime/viewer';
import type { Activity } from './activity-store.ts';
import { acceptCart, acceptLine, type Cart, withLine } from './cart.ts';
import { cartForUpdate, cartOf, emptyCart, putLine, removeCart, variantById } from './cart-store.ts';
import { begin, mayCancel } from './checkout.ts';
import {
  type Entry,
  eraseFromOrders,
  insertOrder,
  nextSerial,
  standingsForUpdate,
} from './checkout-store.ts';
import type { Context } from './context.ts';
import { OrderPlaced } from './messages.ts';
import { mayChange, mayRead, orderNumber, statusOf, type Terms, totalsOf } from './order.ts';
import { telling } from './saga-service.ts';

export type Shop = {
  readonly terms: Terms;
  /** multiplies every deadline; 1 outside tests */
  readonly scale: number;
  /** hashes addresses and devices, so that what is shared can be seen without being known */
  readonly hashKey: KeyObject;
  /** what is counted on the side */
  readonly activity: Activity;
};

/** milliseconds that goods are held for a checkout */
const hold = 30 * 60_000;

/** The viewer's cart, made when first asked for. */
export const viewCart = async (ctx: Context, { terms }: Shop): Promise<Cart> => {
  const userId = personOf(ctx.viewer);
  const { tenantId } = ctx.viewer;
  return (
    (await cartOf(ctx.db, tenantId, userId, terms.currency)) ??
    ctx.db.transaction((tx) => cartForUpdate(tx, newId(ctx.now), tenantId, userId, terms.currency))
  );
};

export const setCartLine = async (
  ctx: Context,
  { terms, activity }: Shop,
  { variantId, quantity }: { variantId: string; quantity: number },
) => {
  const userId = personOf(ctx.viewer);
  const { tenantId } = ctx.viewer;
  const outcome = await ctx.db.transaction(async (tx) => {
    const [cart, variant] = await Promise.all([
      cartForUpdate(tx, newId(ctx.now), tenantId, userId, terms.currency),
      variantById(tx, tenantId, variantId),
    ]);
    if (!variant)
      return {
        error: 'NotFound',
        message: 'There is no such variant.',
        path: ['input', 'variantId'],
      } as const;
    const refused = acceptLine(cart, variant, quantity);
    if (refused) return refused;
    const line = { id: newId(ctx.now), variantId, quantity, seenPrice: variant.price };
    putLine(tx, tenantId, cart.id, line);
    return withLine(cart, { id: line.id, variant, quantity, seenPrice: variant.price });
  });
  if (!('error' in outcome)) activity.cartChanged(tenantId, outcome, ctx.now);
  return outcome;
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
  const customerId = personOf(ctx.viewer);
  const { tenantId, deviceId, clientAddress } = ctx.viewer;
  const address = checkAddress(request.shippingAddress, ['input', 'shippingAddress']);
  if ('error' in address) return address;
  const hash = (text: string): string =>
    createHmac('sha256', shop.hashKey).update(`${tenantId}\n${text}`).digest('base64url');

  const network = publicNetworkOf(clientAddress);
  const outcome = await once(ctx, { operation: 'checkout', key: idempotencyKey, request }, async (tx) => {
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
    const entry: Entry = {
      tenantId,
      orderId,
      seq: 1,
      version: 1,
      messageId: null,
      type: 'placed',
      actor: 'customer',
      from: null,
      to: { step, status },
      reason: null,
    };
    insertOrder(
      tx,
      tenantId,
      { checkout: begun.checkout, idempotencyKey, address, totals, lines },
      { entry, now: ctx.now, scale: shop.scale },
    );
    emptyCart(tx, cart.id);
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
  if ('done' in outcome && !outcome.replayed) {
    shop.activity.cartChanged(tenantId, { id: request.cartId, lines: [] }, ctx.now);
    shop.activity.checkoutBegun({ tenantId, orderId: outcome.done.orderId }, ctx.now);
  }
  return outcome;
};

type CancelInput = {
  readonly idempotencyKey: string;
  readonly id: string;
  readonly reason: string | null;
  readonly expectedVersion: number | null;
};

/** Cancel is a message to the saga like any other, so a race with an answer has exactly one outcome. */
export const cancelOrder = async (ctx: Context, shop: Shop, { idempotencyKey, ...request }: CancelInput) => {
  const { viewer, now } = ctx;
  // It may have been typed in several lines, and is shown in one.
  const reason = tidy(request.reason?.replace(/\s+/g, ' ') ?? '') || null;
  const problem = problemOf(reason ?? '', { name: 'The reason', least: 0, most: 500 });
  if (problem) return invalidInput([{ path: ['input', 'reason'], message: problem }]);
  return once(ctx, { operation: 'cancelOrder', key: idempotencyKey, request }, async (tx) => {
    const place = { tenantId: viewer.tenantId, orderId: request.id };
    const standings = await standingsForUpdate(tx, [place]);
    const standing = standings.get(request.id);
    if (!standing || !mayRead(viewer, standing.checkout) || !mayChange(viewer, standing.checkout))
      return { error: 'NotFound', message: 'There is no such order.', path: ['input', 'id'] } as const;
    if (request.expectedVersion !== null && request.expectedVersion !== standing.version)
      return {
        error: 'VersionConflict',
        message: 'The order has moved on since it was shown.',
        path: ['input', 'expectedVersion'],
        currentVersion: standing.version,
      } as const;
    const actor = viewer.userId === standing.checkout.customerId ? 'customer' : 'staff';
    const told = telling(shop, standings, now);
    const isHeard =
      mayCancel(standing.checkout) &&
      (await told.tell(tx, place, { type: 'cancel', data: { reason }, messageId: null, actor }));
    if (!isHeard)
      return {
        error: 'InvalidTransition',
        message: 'The order cannot be cancelled any more.',
        path: ['input', 'id'],
        orderId: request.id,
      } as const;
    told.save(tx);
    return { orderId: request.id };
  });
};

/** @throws RequestError SUBGRAPH_UNAVAILABLE (retryable) where Redis does not say */
export const viewActivity = async ({ viewer, now }: Context, { activity }: Shop) => {
  const counted = await activity.counted(viewer.tenantId, now);
  if (!counted) throw new RequestError('SUBGRAPH_UNAVAILABLE', 'Nobody counts at this moment. Try again.');
  return { ...counted, asOf: now };
};

/** Takes a person out of orders and removes their cart. What must be kept for the books names nobody. */
export const eraseCustomer = async (tx: Tx, tenantId: string, userId: string): Promise<void> => {
  await eraseFromOrders(tx, tenantId, userId);
  await removeCart(tx, tenantId, userId);
};
