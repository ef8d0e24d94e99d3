import { badInput, userError } from '@orderstream/runtime/errors';
import { references } from '@orderstream/runtime/host/references';
import { decodeId, encodeId, type Kind, parseId } from '@orderstream/runtime/ids';
import { minus, money, sum, times } from '@orderstream/runtime/money';
import type { Loader } from '@orderstream/runtime/subgraph';
import { tidy } from '@orderstream/runtime/text';
import type { Context, Loaders } from './context.ts';
import type { BulkRefundInput, RefundOrderInput, Resolvers } from './generated/resolvers.ts';
import { type OfOrder, type Payment, refundable } from './payment.ts';
import type { OfUser, PaymentMethod } from './payment-method.ts';
import { addPaymentMethod, removePaymentMethod } from './payment-method-service.ts';
import type { Provider } from './provider.ts';
import { mostOrders, type OfOrderLine, type Refund, reasonProblem, type Wish } from './refund.ts';
import { bulkRefund, refundOrder } from './refund-service.ts';

type Reference = { readonly __typename: string; readonly id: string };

/** Entities that only their id is needed of; an id of another kind is none of ours. */
const stubs = <T>(kind: Kind) =>
  references<Context, Reference, T>(async (refs) =>
    refs.map((ref) => {
      const id = parseId(kind, ref.id);
      return id ? ({ id } as T) : null;
    }),
  );

const loaded = <T>(kind: Kind, loaderOf: (loaders: Loaders) => Loader<string, T | null>) =>
  references<Context, Reference, T>((refs, { loaders }) =>
    Promise.all(
      refs.map((ref) => {
        const id = parseId(kind, ref.id);
        return id
          ? loaderOf(loaders)
              .load(id)
              .catch((error: Error) => error)
          : null;
      }),
    ),
  );

const paymentsOf = (order: OfOrder, ctx: Context): Promise<Payment[] | null> =>
  ctx.loaders.paymentsOfOrder.load(order.id);

const refundsOf = async (order: OfOrder, ctx: Context): Promise<Refund[] | null> => {
  const payments = await paymentsOf(order, ctx);
  if (!payments) return null;
  return (await Promise.all(payments.map((payment) => ctx.loaders.refunds.load(payment.id)))).flat();
};

const toReason = (typed: string | null | undefined): string | null => (typed ? tidy(typed) || null : null);

/** @throws RequestError BAD_USER_INPUT naming the line */
const toWish = ({ lines, amount, reason }: RefundOrderInput): Wish => ({
  lines:
    lines?.map(({ orderLineId, quantity, restock }, index) => ({
      orderLineId: decodeId('orderLine', orderLineId, ['input', 'lines', `${index}`, 'orderLineId']),
      quantity,
      restock: restock ?? true,
    })) ?? null,
  amount: amount ? money(amount.amountMinor, amount.currency) : null,
  reason: toReason(reason),
});

/** @throws RequestError BAD_USER_INPUT naming the order, before any is looked at */
const toBulk = ({ idempotencyKey: key, orderIds: ids, reason: given }: BulkRefundInput) => {
  if (ids.length < 1 || ids.length > mostOrders)
    throw badInput(['input', 'orderIds'], `There are 1 to ${mostOrders} orders at a time.`);
  const pathOf = (index: number) => ['input', 'orderIds', `${index}`];
  const orderIds = ids.map((id, index) => decodeId('order', id, pathOf(index)));
  const doubled = orderIds.findIndex((id, index) => orderIds.indexOf(id) < index);
  if (doubled > 0) throw badInput(pathOf(doubled), 'This order is named twice.');
  const reason = toReason(given);
  const problem = reasonProblem(reason);
  if (problem) throw badInput(['input', 'reason'], problem);
  return { key, orderIds, reason };
};

const requested = async ({ loaders }: Context, refundId: string) => {
  const refund = await loaders.refund.load(refundId);
  if (!refund) throw new Error(`refund ${refundId} is gone`);
  return { __typename: 'RefundRequested' as const, refund };
};

export const createResolvers = (provider: Provider): Resolvers => ({
  Query: {
    payment: (_root, { id }, ctx) => ctx.loaders.payment.load(decodeId('payment', id)),
  },

  Mutation: {
    addPaymentMethod: async (_root, { input }, ctx) => {
      const outcome = await addPaymentMethod(ctx, provider, input.providerToken);
      if (!('error' in outcome)) return { __typename: 'PaymentMethodAdded', method: outcome };
      return outcome.error === 'InvalidInput'
        ? userError({ ...outcome, message: 'This cannot be kept as a payment method.' })
        : userError(outcome);
    },
    removePaymentMethod: async (_root, { input }, ctx) => {
      const id = decodeId('paymentMethod', input.id, ['input', 'id']);
      return (await removePaymentMethod(ctx, id))
        ? { __typename: 'PaymentMethodRemoved', id: encodeId('paymentMethod', id) }
        : userError({
            error: 'NotFound' as const,
            message: 'There is no such payment method.',
            path: ['input', 'id'],
          });
    },
    refundOrder: async (_root, { input }, ctx) => {
      const orderId = decodeId('order', input.orderId, ['input', 'orderId']);
      const outcome = await refundOrder(ctx, { key: input.idempotencyKey, orderId, wish: toWish(input) });
      if ('error' in outcome)
        return outcome.error === 'RefundExceedsQuantity'
          ? userError({ ...outcome, orderLineId: encodeId('orderLine', outcome.orderLineId) })
          : userError(outcome);
      return requested(ctx, outcome.done.refundId);
    },
    bulkRefund: async (_root, { input }, ctx) => {
      const answers = await bulkRefund(ctx, toBulk(input));
      const outcomes = await Promise.all(
        answers.map((answer) =>
          'error' in answer ? userError(answer) : requested(ctx, answer.done.refundId),
        ),
      );
      const succeeded = outcomes.filter(({ __typename }) => __typename === 'RefundRequested').length;
      return {
        succeeded,
        failed: outcomes.length - succeeded,
        items: outcomes.map((outcome, index) => ({ index, outcome })),
      };
    },
  },

  Payment: {
    ...loaded<Payment>('payment', (loaders) => loaders.payment),
    id: ({ id }) => encodeId('payment', id),
    status: ({ state }) => state,
    method: ({ methodId }, _args, ctx) => (methodId ? ctx.loaders.method.load(methodId) : null),
    refundable: (payment) => refundable(payment),
    events: ({ id }, _args, ctx) => ctx.loaders.events.load(id),
  },

  PaymentMethod: {
    ...loaded<PaymentMethod>('paymentMethod', (loaders) => loaders.method),
    id: ({ id }) => encodeId('paymentMethod', id),
  },

  Refund: {
    ...loaded<Refund>('refund', (loaders) => loaders.refund),
    id: ({ id }) => encodeId('refund', id),
    status: ({ state }) => state,
    lines: ({ id }, _args, ctx) => ctx.loaders.refundLines.load(id),
  },

  RefundLine: {
    orderLine: ({ orderLineId }) => ({ id: orderLineId }),
  },

  OrderLine: {
    ...stubs<OfOrderLine>('orderLine'),
    id: ({ id }) => encodeId('orderLine', id),
    refundedQuantity: async ({ id }, _args, ctx) =>
      (await ctx.loaders.paidLine.load(id))?.refundedQuantity ?? null,
    refundedAmount: async ({ id }, _args, ctx) => {
      const line = await ctx.loaders.paidLine.load(id);
      return line && times(line.unitPrice, line.refundedQuantity);
    },
  },

  Order: {
    ...stubs<OfOrder>('order'),
    id: ({ id }) => encodeId('order', id),
    payments: (order, _args, ctx) => paymentsOf(order, ctx),
    refunds: (order, _args, ctx) => refundsOf(order, ctx),
    balance: async (order, _args, ctx) => {
      const payments = await paymentsOf(order, ctx);
      const [first] = payments ?? [];
      if (!payments || !first) return null;
      return sum(
        payments.map(({ captured, refunded }) => minus(captured, refunded)),
        first.amount.currency,
      );
    },
  },

  User: {
    ...stubs<OfUser>('user'),
    id: ({ id }) => encodeId('user', id),
    paymentMethods: ({ id }, _args, ctx) => ctx.loaders.methodsOfUser.load(id),
  },
});
