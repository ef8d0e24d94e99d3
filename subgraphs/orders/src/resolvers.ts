import { badInput, userError } from '@orderstream/runtime/errors';
import { references } from '@orderstream/runtime/host/references';
import { decodeId, encodeId, parseId } from '@orderstream/runtime/ids';
import { type Money, minus, times } from '@orderstream/runtime/money';
import { connection, readPage } from '@orderstream/runtime/paging';
import { personOf } from '@orderstream/runtime/viewer';
import { type Cart, discountOf, problemOf, subtotalOf } from './cart.ts';
import type { Context } from './context.ts';
import type { OrderFilter, Resolvers } from './generated/resolvers.ts';
import { allowedActions, type Customer, type Order, type OrderPage, waitingFor } from './order.ts';
import { countOrders, type Filter, orderPage, type Sort, sorts } from './order-store.ts';
import { cancelOrder, checkout, type Shop, setCartLine, viewActivity, viewCart } from './service.ts';
import { type Sight, watchAllOrders, watchOrder, watchOwnOrders } from './subscriptions.ts';

const readFilter = (filter: OrderFilter | null | undefined, currency: string): Filter => {
  const amount = (given: Money | null | undefined, field: string): number | null => {
    if (!given) return null;
    if (given.currency !== currency)
      throw badInput(['filter', field, 'currency'], `Orders are in ${currency}.`);
    return given.amountMinor;
  };
  const search = filter?.search?.trim() || null;
  if (search && (search.length > 100 || /\p{Cc}/u.test(search)))
    throw badInput(['filter', 'search'], 'A search has 100 characters at most and no control characters.');
  return {
    customerId: filter?.customerId ? decodeId('user', filter.customerId, ['filter', 'customerId']) : null,
    statuses: filter?.statuses ?? null,
    placedFrom: filter?.placedFrom ?? null,
    placedTo: filter?.placedTo ?? null,
    totalMin: amount(filter?.totalMin, 'totalMin'),
    totalMax: amount(filter?.totalMax, 'totalMax'),
    search,
    productId: filter?.productId ? decodeId('product', filter.productId, ['filter', 'productId']) : null,
  };
};

type ListArgs = { filter?: OrderFilter | null; first?: number | null; after?: string | null };

const listOrders = async (
  ctx: Context,
  shop: Shop,
  args: ListArgs,
  sort: Sort,
  customerId: string | null,
): Promise<OrderPage> => {
  const { tenantId } = ctx.viewer;
  const page = readPage(args, sort);
  const given = readFilter(args.filter, shop.terms.currency);
  const filter = customerId === null ? given : { ...given, customerId };
  const rows = await orderPage(ctx.db, tenantId, filter, sort, page);
  const list = connection(rows, page, (order) => ({ sort, at: sorts[sort].of(order), id: order.id }));
  let counted: ReturnType<OrderPage['count']> | undefined;
  const count = () => {
    counted ??= countOrders(ctx.db, tenantId, filter);
    return counted;
  };
  return { ...list, count };
};

/** The fields that orders add to a user are for that user, and for staff who read orders. */
const isOwn = (ctx: Context, user: Customer): boolean => ctx.viewer.userId === user.id;

export const createResolvers = (shop: Shop, sight: Sight): Resolvers => ({
  Query: {
    cart: (_root, _args, ctx) => (ctx.viewer.userId ? viewCart(ctx, shop) : null),
    order: async (_root, { id, number }, ctx) => {
      if ((id == null) === (number == null)) throw badInput(['id'], 'Give either an id or a number.');
      return id != null
        ? ctx.loaders.order.load(decodeId('order', id))
        : ctx.loaders.orderByNumber.load(number!);
    },
    orders: (_root, args, ctx) => {
      const userId = personOf(ctx.viewer);
      const isStaff = ctx.viewer.scopes.has('orders:read');
      return listOrders(ctx, shop, args, args.sort ?? 'PLACED_DESC', isStaff ? null : userId);
    },
    shopActivity: (_root, _args, ctx) => viewActivity(ctx, shop),
  },
  Mutation: {
    setCartLine: async (_root, { input }, ctx) => {
      const variantId = decodeId('variant', input.variantId, ['input', 'variantId']);
      const outcome = await setCartLine(ctx, shop, { variantId, quantity: input.quantity });
      return 'error' in outcome ? userError(outcome) : { __typename: 'CartUpdated', cart: outcome };
    },
    checkout: async (_root, { input }, ctx) => {
      const outcome = await checkout(ctx, shop, {
        ...input,
        cartId: decodeId('cart', input.cartId, ['input', 'cartId']),
        paymentMethodId: decodeId('paymentMethod', input.paymentMethodId, ['input', 'paymentMethodId']),
      });
      if ('error' in outcome) return userError(outcome);
      const order = await ctx.loaders.order.load(outcome.done.orderId);
      return { __typename: 'CheckoutAccepted', order: order!, replayed: outcome.replayed };
    },
    cancelOrder: async (_root, { input }, ctx) => {
      const outcome = await cancelOrder(ctx, shop, {
        idempotencyKey: input.idempotencyKey,
        id: decodeId('order', input.id, ['input', 'id']),
        reason: input.reason ?? null,
        expectedVersion: input.expectedVersion ?? null,
      });
      if ('done' in outcome)
        return {
          __typename: 'OrderCancelRequested',
          order: (await ctx.loaders.order.load(outcome.done.orderId))!,
        };
      if (outcome.error !== 'InvalidTransition') return userError(outcome);
      return userError({ ...outcome, order: (await ctx.loaders.order.load(outcome.orderId))! });
    },
  },
  Subscription: {
    orderUpdated: {
      subscribe: (_root, { id, sinceVersion }, ctx) =>
        watchOrder(ctx, sight, decodeId('order', id), sinceVersion ?? 0),
    },
    myOrdersUpdated: { subscribe: (_root, _args, ctx) => watchOwnOrders(ctx, sight) },
    orderFeed: { subscribe: (_root, { statuses }, ctx) => watchAllOrders(ctx, sight, statuses ?? null) },
  },
  Order: {
    ...references(
      async (refs: readonly { __typename: 'Order'; id?: string; number?: string }[], ctx: Context) => {
        const { order, orderByNumber } = ctx.loaders;
        return Promise.all(
          refs.map(({ id, number }) => {
            if (id === undefined) return number === undefined ? null : orderByNumber.load(number);
            const uuid = parseId('order', id);
            return uuid && order.load(uuid);
          }),
        ) as Promise<(Order | null)[]>;
      },
    ),
    id: ({ id }) => encodeId('order', id),
    customer: ({ customerId }) => (customerId ? { id: customerId } : null),
    lines: ({ id }, _args, ctx) => ctx.loaders.lines.load(id),
    timeline: async ({ id }, { sinceSeq }, ctx) =>
      (await ctx.loaders.events.load(id)).filter((event) => event.seq > (sinceSeq ?? 0)),
    allowedActions: (order, _args, ctx) => allowedActions(ctx.viewer, order),
    waitingFor: (order) => waitingFor(order),
    nextDeadlineAt: ({ deadlineAt }) => deadlineAt,
  },
  OrderLine: {
    ...references((refs: readonly { __typename: 'OrderLine'; id: string }[], ctx: Context) =>
      Promise.all(
        refs.map(({ id }) => {
          const uuid = parseId('orderLine', id);
          return uuid ? ctx.loaders.line.load(uuid) : null;
        }),
      ),
    ),
    id: ({ id }) => encodeId('orderLine', id),
    variant: ({ variantId }) => ({ id: encodeId('variant', variantId) }),
  },
  OrderConnection: {
    totalCount: async (list) => (await list.count()).total,
    totalCountIsEstimate: async (list) => (await list.count()).isEstimate,
  },
  Cart: {
    ...references(async (refs: readonly { __typename: 'Cart'; id: string }[], ctx: Context) => {
      const own: Cart | null = ctx.viewer.userId ? await viewCart(ctx, shop) : null;
      return refs.map(({ id }) => (own && parseId('cart', id) === own.id ? own : null));
    }),
    id: ({ id }) => encodeId('cart', id),
    subtotal: subtotalOf,
    discountTotal: discountOf,
    total: (cart) => minus(subtotalOf(cart), discountOf(cart)),
  },
  CartLine: {
    id: ({ id }) => encodeId('cartLine', id),
    variant: ({ variant }) => ({ id: encodeId('variant', variant.id) }),
    sku: ({ variant }) => variant.sku,
    name: ({ variant }) => variant.name,
    unitPrice: ({ variant }) => variant.price,
    lineTotal: ({ variant, quantity }) => times(variant.price, quantity),
    problem: problemOf,
  },
  User: {
    ...references(async (refs: readonly { __typename: 'User'; id: string }[]) =>
      refs.map(({ id }): Customer | null => {
        const uuid = parseId('user', id);
        return uuid ? { id: uuid } : null;
      }),
    ),
    id: ({ id }) => encodeId('user', id),
    cart: (user, _args, ctx) => (isOwn(ctx, user) ? viewCart(ctx, shop) : null),
    orders: (user, args, ctx) =>
      isOwn(ctx, user) || ctx.viewer.scopes.has('orders:read')
        ? listOrders(ctx, shop, args, 'PLACED_DESC', user.id)
        : null,
  },
});
