// What a customer is told, live. A hint says when to look; what is sent is always what stands after the last one sent, so
// nothing is sent twice, out of order or not at all, and a lost hint costs a heartbeat.
import { RequestError } from '@orderstream/runtime/errors';
import { endingWith, type Hints } from '@orderstream/runtime/hints';
import type { Context } from './context.ts';
import { NotificationStored } from './messages.ts';
import type { Notification } from './notification.ts';
import { lastSeq, notificationsAfter } from './store.ts';

/** Read at once; whoever was away for long gets the rest by the next looks. */
const batch = 100;

const startOf = async (ctx: Context, customerId: string, after: string | null): Promise<number> => {
  if (after === null) return lastSeq(ctx.db.prisma, ctx.viewer.tenantId, customerId);
  const seen = await ctx.loaders.notification.load(after);
  if (!seen) throw new RequestError('NOT_FOUND', 'There is no such notification.', { path: ['after'] });
  return seen.seq;
};

/**
 * @param after the last one seen (uuid); null for what comes from now on
 * @throws RequestError NOT_FOUND before any data where `after` is not the customer's
 */
export const watchNotifications = async (
  ctx: Context,
  hints: Hints,
  customerId: string,
  after: string | null,
): Promise<AsyncGenerator<{ notificationReceived: Notification }>> => {
  // Listening starts before the first look, so nothing falls between the two.
  const turns = hints.listen(NotificationStored.topic.name, customerId);
  try {
    const seq = await startOf(ctx, customerId, after);
    return endingWith(turns, newerThan(ctx, turns, customerId, seq, after !== null));
  } catch (error) {
    await turns.return(undefined);
    throw error;
  }
};

async function* newerThan(
  ctx: Context,
  turns: ReturnType<Hints['listen']>,
  customerId: string,
  seq: number,
  isResumed: boolean,
): AsyncGenerator<{ notificationReceived: Notification }> {
  let sent = seq;
  /** After a look that fails there is another at the next turn. */
  const look = (): Promise<Notification[]> =>
    notificationsAfter(ctx.db.prisma, ctx.viewer.tenantId, customerId, sent, batch).catch(
      (error: unknown) => {
        ctx.log.warn({ err: error }, 'a watched list could not be read, will look again');
        return [];
      },
    );
  const missed = async function* () {
    for (let found = await look(); found.length > 0; found = found.length < batch ? [] : await look())
      for (const notification of found) {
        sent = notification.seq;
        yield { notificationReceived: notification };
      }
  };
  try {
    if (isResumed) yield* missed();
    for await (const hint of turns) if (!hint || hint.version > sent) yield* missed();
  } finally {
    await turns.return(undefined);
  }
}
