import type { KeyObject } from 'node:crypto';
import type { OrderCancelled, OrderPlaced } from '@orderstream/orders/messages';
import type { Tx } from '@orderstream/runtime/database';
import type { Envelope } from '@orderstream/runtime/messages';
import {
  type Activity,
  anonymousQuery,
  lengthProblems,
  type Problem,
  problemsOf,
  sourceOf,
  visitorOf,
  waitFor,
} from './activity.ts';
import { remember, take, takenFrom } from './activity-store.ts';
import type { Context } from './context.ts';
import { ActivityTracked } from './messages.ts';
import { addSale, cancelSale } from './purchase-store.ts';

type Heard<M extends (data: never) => unknown> = Pick<
  Envelope<Parameters<M>[0]>,
  'tenantId' | 'occurredAt' | 'data'
>;

export const learnOfSale = (
  tx: Tx,
  { tenantId, occurredAt, data: { orderId, customerId, lines } }: Heard<typeof OrderPlaced>,
): Promise<void> => addSale(tx, { tenantId, orderId, customerId, at: new Date(occurredAt), lines });

export const forgetSale = (tx: Tx, { tenantId, data }: Heard<typeof OrderCancelled>): Promise<void> =>
  cancelSale(tx, tenantId, data.orderId);

export type Tracked =
  | { readonly count: number }
  | { readonly error: 'InvalidInput'; readonly path: string[]; readonly problems: Problem[] }
  | { readonly error: 'RateLimited'; readonly retryAfterMs: number };

const invalid = (problems: Problem[]) => ({
  error: 'InvalidInput' as const,
  message: problems[0]!.message,
  path: ['input', 'items'],
  problems,
});

/** How many items there are is looked at before what they are. */
export const trackActivity = async <T>(
  ctx: Context,
  key: KeyObject,
  given: readonly T[],
  read: (item: T, index: number) => Activity,
): Promise<Tracked> => {
  const tooMany = lengthProblems(given.length);
  if (tooMany.length > 0) return invalid(tooMany);
  const items = given.map(read);
  const problems = problemsOf(items, ctx.now);
  if (problems.length > 0) return invalid(problems);

  const { viewer } = ctx;
  const [visitor, source] = [visitorOf(viewer, key), sourceOf(viewer, key)];
  return ctx.db.transaction(async (tx) => {
    const { taken, now } = await takenFrom(tx, viewer.tenantId, source);
    const retryAfterMs = waitFor(taken, items.length, now);
    if (retryAfterMs > 0) return { error: 'RateLimited', retryAfterMs };
    await take(tx, viewer.tenantId, source, items.length);
    await remember(
      tx,
      viewer.tenantId,
      { visitor, customerId: viewer.userId },
      items.flatMap(({ kind, productId, at }) =>
        kind === 'ADD_TO_CART' && productId ? [{ productId, at }] : [],
      ),
    );
    await tx.send(
      ActivityTracked({
        visitor,
        customerId: viewer.userId,
        items: items.map(({ kind, at, productId, query, experiment }) => ({
          kind,
          at: at.toISOString(),
          productId,
          query: anonymousQuery(query),
          experiment,
        })),
      }),
    );
    return { count: items.length };
  });
};
