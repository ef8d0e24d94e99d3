import { loader } from '@orderstream/runtime/loaders';
import {
  type Loader,
  originOf,
  type Parts,
  type Platform,
  type Context as RuntimeContext,
} from '@orderstream/runtime/subgraph';
import type { PrismaClient } from './generated/prisma/client.ts';
import { isOrderNumber, mayRead, type Order, type OrderEvent, type OrderLine } from './order.ts';
import { eventsOf, linesByIds, linesOf, ordersByIds, ordersByNumbers } from './order-store.ts';

type Loaders = {
  /** null where there is no such order or the viewer may not see it */
  readonly order: Loader<string, Order | null>;
  readonly orderByNumber: Loader<string, Order | null>;
  readonly lines: Loader<string, OrderLine[]>;
  /** null where there is no such line or the viewer may not see its order */
  readonly line: Loader<string, OrderLine | null>;
  readonly events: Loader<string, OrderEvent[]>;
};

export type Context = RuntimeContext<Loaders, PrismaClient>;

export const createContext =
  ({ database }: Pick<Platform<unknown, PrismaClient>, 'database'>) =>
  (parts: Parts): Context => {
    const db = database.for(originOf(parts));
    const { viewer } = parts;
    const seen = (order: Order | null): Order | null => (order && mayRead(viewer, order) ? order : null);
    return {
      ...parts,
      db,
      loaders: {
        order: loader(async (ids) => (await ordersByIds(db, viewer.tenantId, ids)).map(seen)),
        orderByNumber: loader(async (numbers) => {
          // The empty one is nobody's.
          const possible = numbers.map((number) => (isOrderNumber(number) ? number : ''));
          return (await ordersByNumbers(db, viewer.tenantId, possible)).map(seen);
        }),
        lines: loader((ids) => linesOf(db, ids)),
        line: loader(async (ids) =>
          (await linesByIds(db, viewer.tenantId, ids)).map((owned) =>
            owned && mayRead(viewer, owned) ? owned.line : null,
          ),
        ),
        events: loader((ids) => eventsOf(db.prisma, ids)),
      },
    };
  };
