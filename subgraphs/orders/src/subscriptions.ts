// Live orders: the state now, then every newer version. A hint says when to look; what is sent is always read anew, so a
// slow client skips versions but never sees an older one, and a lost hint costs a heartbeat.
import type { Database } from '@orderstream/runtime/database';
import { RequestError } from '@orderstream/runtime/errors';
import { endingWith, type Hints } from '@orderstream/runtime/hints';
import { gatheringLoader } from '@orderstream/runtime/loaders';
import type { Context } from './context.ts';
import { OrderPlaced } from './messages.ts';
import { mayRead, type Order, type OrderStatus } from './order.ts';
import { ordersByIds } from './order-store.ts';

const topic = OrderPlaced.topic.name;

type Place = { readonly tenantId: string; readonly id: string };

/** What subscriptions need: who tells them when to look, and what they look at. */
export type Sight = {
  readonly hints: Hints;
  /** as the order is now, whoever asks */
  readonly read: (place: Place) => Promise<Order | null>;
};

/** milliseconds in which looks of many who watch become one statement */
const gathering = 15;

/** Many orders move at once, and each may have many who watch it. */
export const createSight = (database: Pick<Database, 'sql'>, hints: Hints): Sight => {
  const orders = gatheringLoader<Place, Order | null>(gathering, async (places) => {
    const found = new Map<string, Order>();
    for (const [tenantId, own] of Map.groupBy(places, (place) => place.tenantId)) {
      const ids = [...new Set(own.map(({ id }) => id))];
      for (const order of await ordersByIds(database, tenantId, ids))
        if (order) found.set(`${tenantId} ${order.id}`, order);
    }
    return places.map(({ tenantId, id }) => found.get(`${tenantId} ${id}`) ?? null);
  });
  return { hints, read: (place) => orders.load(place) };
};

const readOrder = async (ctx: Context, sight: Sight, id: string): Promise<Order | null> => {
  const order = await sight.read({ tenantId: ctx.viewer.tenantId, id });
  return order && mayRead(ctx.viewer, order) ? order : null;
};

/** As `readOrder`, for one who watches already: after a look that fails there is another at the next turn. */
const lookAgain = (ctx: Context, sight: Sight, id: string): Promise<Order | null> =>
  readOrder(ctx, sight, id).catch((error: unknown) => {
    ctx.log.warn({ err: error, orderId: id }, 'a watched order could not be read, will look again');
    return null;
  });

/** @throws RequestError NOT_FOUND before any data for an order that is not there or not the viewer's */
export const watchOrder = async (
  ctx: Context,
  sight: Sight,
  id: string,
  sinceVersion: number,
): Promise<AsyncGenerator<{ orderUpdated: Order }>> => {
  // Listening starts before the first look, so nothing falls between the two.
  const turns = sight.hints.listen(topic, id);
  const first = await readOrder(ctx, sight, id);
  if (!first) {
    await turns.return(undefined);
    throw new RequestError('NOT_FOUND', 'There is no such order.', { path: ['id'] });
  }
  return endingWith(turns, newerVersions(ctx, sight, turns, id, sinceVersion, first));
};

async function* newerVersions(
  ctx: Context,
  sight: Sight,
  turns: ReturnType<Hints['listen']>,
  id: string,
  sinceVersion: number,
  first: Order,
): AsyncGenerator<{ orderUpdated: Order }> {
  let sent = sinceVersion;
  try {
    if (first.version > sent) {
      sent = first.version;
      yield { orderUpdated: first };
    }
    for await (const hint of turns) {
      if (hint && hint.version <= sent) continue;
      const order = await lookAgain(ctx, sight, id);
      if (!order || order.version <= sent) continue;
      sent = order.version;
      yield { orderUpdated: order };
    }
  } finally {
    await turns.return(undefined);
  }
}

/** Every order that moves and passes `isWanted`, once for each version. */
async function* movingOrders<T>(
  ctx: Context,
  sight: Sight,
  turns: ReturnType<Hints['listen']>,
  isWanted: (order: Order) => boolean,
  toEvent: (order: Order) => T,
): AsyncGenerator<T> {
  const sent = new Map<string, number>();
  for await (const hint of turns) {
    if (!hint || hint.version <= (sent.get(hint.key) ?? 0)) continue;
    const order = await lookAgain(ctx, sight, hint.key);
    if (!order || !isWanted(order) || order.version <= (sent.get(order.id) ?? 0)) continue;
    sent.delete(order.id);
    sent.set(order.id, order.version);
    // Orders that have been quiet the longest are forgotten first; they would be sent again with a newer version only.
    if (sent.size > 10_000) sent.delete(sent.keys().next().value!);
    yield toEvent(order);
  }
}

export const watchOwnOrders = (ctx: Context, sight: Sight): AsyncGenerator<{ myOrdersUpdated: Order }> => {
  const turns = sight.hints.listen(topic, '*');
  const isOwn = ({ customerId }: Order): boolean => customerId === ctx.viewer.userId;
  return endingWith(
    turns,
    movingOrders(ctx, sight, turns, isOwn, (order) => ({ myOrdersUpdated: order })),
  );
};

export const watchAllOrders = (
  ctx: Context,
  sight: Sight,
  statuses: readonly OrderStatus[] | null,
): AsyncGenerator<{ orderFeed: Order }> => {
  const turns = sight.hints.listen(topic, '*');
  const isWanted = ({ status }: Order): boolean => statuses === null || statuses.includes(status);
  return endingWith(
    turns,
    movingOrders(ctx, sight, turns, isWanted, (order) => ({ orderFeed: order })),
  );
};
