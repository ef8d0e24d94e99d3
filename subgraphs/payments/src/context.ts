// What a request is given. The loaders know the viewer: what may not be seen cannot be loaded.

import type { Db } from '@orderstream/runtime/database';
import { grouped, inOrder, loader } from '@orderstream/runtime/loaders';
import {
  type Loader,
  originOf,
  type Parts,
  type Platform,
  type Context as RuntimeContext,
} from '@orderstream/runtime/subgraph';
import type { Viewer } from '@orderstream/runtime/viewer';
import type { PrismaClient } from './generated/prisma/client.ts';
import { mayRead as mayReadPayment, type Payment, type PaymentEvent } from './payment.ts';
import { mayRead as mayReadMethod, type PaymentMethod } from './payment-method.ts';
import { methodsByIds, methodsOfUsers } from './payment-method-store.ts';
import type { PaidLine, Refund, RefundLine } from './refund.ts';
import { linesOfRefunds, paidLinesByIds, refundsByIds, refundsOfPayments } from './refund-store.ts';
import { eventsOfPayments, paymentsByIds, paymentsOfOrders } from './store.ts';

export type Loaders = {
  readonly payment: Loader<string, Payment | null>;
  /** by order; null where there is none that the viewer may see, except that staff are told that there is none */
  readonly paymentsOfOrder: Loader<string, Payment[] | null>;
  readonly events: Loader<string, PaymentEvent[]>;
  readonly refunds: Loader<string, Refund[]>;
  readonly refund: Loader<string, Refund | null>;
  /** by refund */
  readonly refundLines: Loader<string, RefundLine[]>;
  /** by order line */
  readonly paidLine: Loader<string, PaidLine | null>;
  readonly method: Loader<string, PaymentMethod | null>;
  readonly methodsOfUser: Loader<string, PaymentMethod[] | null>;
};

export type Context = RuntimeContext<Loaders, PrismaClient>;

const createLoaders = (db: Db<PrismaClient>, viewer: Viewer): Loaders => {
  const { tenantId } = viewer;
  const isStaff = viewer.scopes.has('payments:read');
  return {
    payment: loader(async (ids) => {
      const payments = await paymentsByIds(db, tenantId, ids);
      return inOrder(
        ids,
        payments.filter((one) => mayReadPayment(viewer, one)),
        (one) => one.id,
      );
    }),
    paymentsOfOrder: loader(async (orderIds) => {
      const payments = await paymentsOfOrders(db, tenantId, orderIds);
      const visible = payments.filter((one) => mayReadPayment(viewer, one));
      return grouped(orderIds, visible, (one) => one.orderId).map((of) =>
        of.length > 0 || isStaff ? of : null,
      );
    }),
    events: loader(async (ids) => {
      const events = await eventsOfPayments(db, tenantId, ids);
      return grouped(ids, events, (one) => one.paymentId).map((of) => of.map(({ event }) => event));
    }),
    refunds: loader(async (ids) =>
      grouped(ids, await refundsOfPayments(db, tenantId, ids), (one) => one.paymentId),
    ),
    refund: loader(async (ids) => {
      const refunds = await refundsByIds(db, tenantId, ids);
      const visible = refunds.filter((one) => mayReadPayment(viewer, one));
      return inOrder(
        ids,
        visible.map(({ refund }) => refund),
        (one) => one.id,
      );
    }),
    refundLines: loader(async (ids) => {
      const lines = await linesOfRefunds(db, tenantId, ids);
      return grouped(ids, lines, (one) => one.refundId).map((of) => of.map(({ line }) => line));
    }),
    paidLine: loader(async (ids) => {
      const lines = await paidLinesByIds(db, tenantId, ids);
      const visible = lines.filter((one) => mayReadPayment(viewer, one));
      return inOrder(
        ids,
        visible.map(({ line }) => line),
        (one) => one.orderLineId,
      );
    }),
    method: loader(async (ids) => {
      const methods = await methodsByIds(db, tenantId, ids);
      return inOrder(
        ids,
        methods.filter((one) => mayReadMethod(viewer, one)),
        (one) => one.id,
      );
    }),
    methodsOfUser: loader(async (userIds) => {
      const visible = userIds.filter((userId) => mayReadMethod(viewer, { userId }));
      const methods = visible.length > 0 ? await methodsOfUsers(db, tenantId, visible) : [];
      const lists = grouped(userIds, methods, (one) => one.userId);
      return userIds.map((userId, index) => (visible.includes(userId) ? lists[index]! : null));
    }),
  };
};

export const createContext =
  ({ database }: Pick<Platform<unknown, PrismaClient>, 'database'>) =>
  (parts: Parts): Context => {
    const db = database.for(originOf(parts));
    return { ...parts, db, loaders: createLoaders(db, parts.viewer) };
  };
