import { userError } from '@orderstream/runtime/errors';
import type { Hints } from '@orderstream/runtime/hints';
import { references } from '@orderstream/runtime/host/references';
import { decodeId, encodeId, parseId } from '@orderstream/runtime/ids';
import { connection, readPage } from '@orderstream/runtime/paging';
import { personOf } from '@orderstream/runtime/viewer';
import type { Context } from './context.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { type Customer, channel, type Notification, type NotificationPage, tooMany } from './notification.ts';
import { countOf, countUnread, markRead, markReadUpTo, notificationsOf } from './store.ts';
import { watchNotifications } from './subscriptions.ts';
import { wordsFor } from './templates.ts';

type ListArgs = { first?: number | null; after?: string | null };

const sort = 'newest';

const listNotifications = async (
  { db, viewer: { tenantId } }: Context,
  customerId: string,
  args: ListArgs,
): Promise<NotificationPage> => {
  const page = readPage(args, sort);
  const rows = await notificationsOf(db.prisma, tenantId, customerId, page);
  return {
    ...connection(rows, page, ({ seq, id }) => ({ sort, at: `${seq}`, id })),
    count: () => countOf(db.prisma, tenantId, customerId),
  };
};

/** What is added to a user here is for that user alone. */
const isOwn = (ctx: Context, user: Customer): boolean => ctx.viewer.userId === user.id;

const answerTo = (count: number | null, path: string[]) =>
  count === null
    ? userError({ error: 'NotFound' as const, message: 'There is no such notification.', path })
    : { __typename: 'NotificationsRead' as const, count };

export const createResolvers = (hints: Hints): Resolvers => ({
  Mutation: {
    markNotificationsRead: async (_root, { input: { ids } }, ctx) => {
      const customerId = personOf(ctx.viewer);
      const problem = tooMany(ids);
      if (problem) return userError(problem);
      const wanted = new Set(
        ids.map((id, index) => decodeId('notification', id, ['input', 'ids', `${index}`])),
      );
      return answerTo(await markRead(ctx.db, ctx.viewer.tenantId, customerId, [...wanted]), ['input', 'ids']);
    },
    markAllNotificationsRead: async (_root, { input: { upTo } }, ctx) => {
      const customerId = personOf(ctx.viewer);
      const last = decodeId('notification', upTo, ['input', 'upTo']);
      return answerTo(await markReadUpTo(ctx.db, ctx.viewer.tenantId, customerId, last), ['input', 'upTo']);
    },
  },
  Subscription: {
    notificationReceived: {
      subscribe: (_root, { after }, ctx) =>
        watchNotifications(
          ctx,
          hints,
          personOf(ctx.viewer),
          after == null ? null : decodeId('notification', after, ['after']),
        ),
    },
  },
  Notification: {
    ...references(async (refs: readonly { __typename: 'Notification'; id: string }[], ctx: Context) =>
      Promise.all(
        refs.map(async ({ id }): Promise<Notification | null> => {
          const uuid = parseId('notification', id);
          return uuid ? ctx.loaders.notification.load(uuid) : null;
        }),
      ),
    ),
    id: ({ id }) => encodeId('notification', id),
    channel: () => channel,
    title: (notification) => wordsFor(notification).title,
    body: (notification) => wordsFor(notification).body,
    order: ({ orderId }) => ({ id: encodeId('order', orderId) }),
  },
  NotificationConnection: {
    totalCount: ({ count }) => count(),
  },
  User: {
    ...references(async (refs: readonly { __typename: 'User'; id: string }[]) =>
      refs.map(({ id }): Customer | null => {
        const uuid = parseId('user', id);
        return uuid ? { id: uuid } : null;
      }),
    ),
    id: ({ id }) => encodeId('user', id),
    unreadNotifications: (user, _args, ctx) =>
      isOwn(ctx, user) ? countUnread(ctx.db.prisma, ctx.viewer.tenantId, user.id) : null,
    notifications: (user, args, ctx) => (isOwn(ctx, user) ? listNotifications(ctx, user.id, args) : null),
  },
});
