import type { KeyObject } from 'node:crypto';
import type { Heard } from '@orderstream/runtime/subgraph';
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
import { addSales, type Cancelled, cancelSales, type Sale } from './purchase-store.ts';

type Order = { readonly orderId: string };
type Placed = Order & Pick<Sale, 'customerId' | 'lines'>;

/** In whatever order they come: what is cancelled stays so. */
export const learnOfOrders = async (heard: readonly Heard<Order | Placed>[]): Promise<void> => {
  const [first] = heard;
  if (!first) return;
  const sales: Sale[] = [];
  const cancelled: Cancelled[] = [];
  for (const { message } of heard) {
    const { tenantId, occurredAt, data } = message;
    const { orderId } = data;
    if (!('lines' in data)) cancelled.push({ tenantId, orderId });
    else {
      const { customerId, lines } = data;
      sales.push({ tenantId, orderId, customerId, at: new Date(occurredAt), lines });
    }
  }
  await addSales(first.tx, sales);
  await cancelSales(first.tx, cancelled);
};

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
