// A parcel live: as it is now, then every newer version. A hint says when to look; what is sent is always read anew, so a
// slow client skips versions but never sees an older one, and a lost hint costs a heartbeat.
import { RequestError } from '@orderstream/runtime/errors';
import { endingWith, type Hints } from '@orderstream/runtime/hints';
import type { Context } from './context.ts';
import { ShipmentMoved } from './messages.ts';
import { mayRead, type Shipment } from './shipment.ts';
import { shipmentsOfOrders } from './store.ts';

const topic = ShipmentMoved.topic.name;

const readShipment = async (ctx: Context, orderId: string): Promise<Shipment | null> => {
  const [shipment] = await shipmentsOfOrders(ctx.db, ctx.viewer.tenantId, [orderId]);
  return shipment && mayRead(ctx.viewer, shipment) ? shipment : null;
};

/** As `readShipment`, for one who watches already: after a look that fails there is another at the next turn. */
const lookAgain = (ctx: Context, orderId: string): Promise<Shipment | null> =>
  readShipment(ctx, orderId).catch((error: unknown) => {
    ctx.log.warn({ err: error, orderId }, 'a watched parcel could not be read, will look again');
    return null;
  });

/**
 * Nobody knows yet whose parcel it will be where there is none, so an order without one is watched in silence; somebody
 * else's order is watched in the same silence.
 * @throws RequestError UNAUTHENTICATED
 */
export const watchShipment = async (
  ctx: Context,
  hints: Hints,
  orderId: string,
): Promise<AsyncGenerator<{ shipmentMoved: Shipment }>> => {
  const { userId, scopes } = ctx.viewer;
  if (userId === null && !scopes.has('orders:read')) throw new RequestError('UNAUTHENTICATED');
  // Listening starts before the first look, so nothing falls between the two.
  const turns = hints.listen(topic, orderId);
  const first = await readShipment(ctx, orderId).catch(async (error: unknown) => {
    await turns.return(undefined);
    throw error;
  });
  return endingWith(turns, newerVersions(ctx, turns, orderId, first));
};

async function* newerVersions(
  ctx: Context,
  turns: ReturnType<Hints['listen']>,
  orderId: string,
  first: Shipment | null,
): AsyncGenerator<{ shipmentMoved: Shipment }> {
  // A second parcel begins at version 1 again.
  let sent = { parcel: 0, version: 0 };
  const isNews = ({ parcel, version }: Shipment): boolean =>
    parcel > sent.parcel || (parcel === sent.parcel && version > sent.version);
  try {
    if (first) {
      sent = first;
      yield { shipmentMoved: first };
    }
    for await (const _ of turns) {
      const shipment = await lookAgain(ctx, orderId);
      if (!shipment || !isNews(shipment)) continue;
      sent = shipment;
      yield { shipmentMoved: shipment };
    }
  } finally {
    await turns.return(undefined);
  }
}
