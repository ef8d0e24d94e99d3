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
import { mayRead, type Shipment, type TrackingEvent } from './shipment.ts';
import { eventsOfShipments, shipmentsByIds, shipmentsOfOrders } from './store.ts';

export type Loaders = {
  readonly shipment: Loader<string, Shipment | null>;
  /** by order; null where there is none that the viewer may see, except that staff are told that there is none */
  readonly shipmentsOfOrder: Loader<string, Shipment[] | null>;
  readonly events: Loader<string, TrackingEvent[]>;
};

export type Context = RuntimeContext<Loaders, PrismaClient>;

const createLoaders = (db: Db<PrismaClient>, viewer: Viewer): Loaders => {
  const { tenantId } = viewer;
  const isStaff = viewer.scopes.has('orders:read');
  return {
    shipment: loader(async (ids) => {
      const shipments = await shipmentsByIds(db, tenantId, ids);
      return inOrder(
        ids,
        shipments.filter((one) => mayRead(viewer, one)),
        (one) => one.id,
      );
    }),
    shipmentsOfOrder: loader(async (orderIds) => {
      const shipments = await shipmentsOfOrders(db, tenantId, orderIds);
      const visible = shipments.filter((one) => mayRead(viewer, one));
      return grouped(orderIds, visible, (one) => one.orderId).map((of) =>
        of.length > 0 || isStaff ? of : null,
      );
    }),
    events: loader((ids) => eventsOfShipments(db, tenantId, ids)),
  };
};

export const createContext =
  ({ database }: Pick<Platform<unknown, PrismaClient>, 'database'>) =>
  (parts: Parts): Context => {
    const db = database.for(originOf(parts));
    return { ...parts, db, loaders: createLoaders(db, parts.viewer) };
  };
