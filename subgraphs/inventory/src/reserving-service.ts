// Holding goods and setting them aside, for all orders of a batch: read together, decided one after the other as if each
// were alone, written together. Safe to hear twice.
import type { Message } from '@orderstream/runtime/messages';
import type { Heard } from '@orderstream/runtime/subgraph';
import { type AllocateStock, type ReserveStock, StockAllocated, StockRefused } from './messages.ts';
import { after, answer, effect, type Reservation } from './reservation.ts';
import * as reservations from './reservation-store.ts';
import { changes } from './service.ts';
import * as store from './store.ts';
import { choose, type Offer, originOf, summed, type Warehouse } from './warehouse.ts';

type Reserve = Parameters<typeof ReserveStock>[0];
type Allocate = Parameters<typeof AllocateStock>[0];
type Asked = Heard<Reserve | Allocate>;

const isReserve = (data: Reserve | Allocate): data is Reserve => 'lines' in data;

/** What is there, and what is made of it; nothing is written before everybody was served. */
type Counter = {
  readonly tenantId: string;
  /** by order */
  readonly reservations: Map<string, Reservation>;
  /** what is left, as goods are held one order after the other */
  readonly offers: Map<string, Offer>;
  readonly begun: Map<string, Reservation>;
  readonly moved: Map<string, Reservation>;
  readonly shifts: store.Shift[];
};

const placeOf = ({ variantId, warehouseId }: Pick<Offer, 'variantId' | 'warehouseId'>): string =>
  `${variantId} ${warehouseId}`;

/** Holds everything an order needs, or nothing. Whatever was decided on the order before stays decided. */
const reserve = (counter: Counter, { orderId, lines, holdUntil }: Reserve): Reservation => {
  const before = counter.reservations.get(orderId);
  if (before) return before;
  const wanted = summed(lines);
  const variantIds = new Set(wanted.map((line) => line.variantId));
  const choice = choose(
    wanted,
    [...counter.offers.values()].filter(({ variantId }) => variantIds.has(variantId)),
  );
  const none = { tenantId: counter.tenantId, orderId, holdUntil: null, refusedSkus: [], parts: [] };
  const reservation = reservations.begun(
    'short' in choice
      ? { ...none, state: 'REFUSED', refusedSkus: choice.short }
      : { ...none, state: 'HELD', holdUntil: new Date(holdUntil), parts: choice.parts },
  );
  for (const part of reservation.parts) {
    const offer = counter.offers.get(placeOf(part))!;
    counter.offers.set(placeOf(part), { ...offer, available: offer.available - part.quantity });
  }
  counter.shifts.push({ orderId, parts: reservation.parts, signs: effect(null, reservation.state) });
  counter.begun.set(orderId, reservation);
  counter.reservations.set(orderId, reservation);
  return reservation;
};

/** Possible for as long as the hold stands, also in the moment between its deadline and the sweeper. */
const allocate = (counter: Counter, { orderId }: Allocate): Reservation | null => {
  const before = counter.reservations.get(orderId);
  const next = before && after(before.state, 'allocate');
  if (!before || !next) return before ?? null;
  const moved = reservations.entered(before, next);
  counter.shifts.push({ orderId, parts: before.parts, signs: effect(before.state, next) });
  counter.moved.set(orderId, moved);
  counter.reservations.set(orderId, moved);
  return moved;
};

/** What was set aside and where its parcel starts. */
const allocated = (
  { orderId, parts, version }: Reservation,
  warehouses: ReadonlyMap<string, Warehouse>,
): Message => {
  const { id: warehouseId, name, latitude, longitude } = warehouses.get(originOf(parts))!;
  const origin = { warehouseId, name, latitude, longitude };
  return StockAllocated({ orderId, parts: [...parts], origin }, version);
};

const isSetAside = ({ state }: Reservation): boolean => state === 'ALLOCATED' || state === 'SHIPPED';

const serve = async (tenantId: string, asked: readonly Asked[]): Promise<void> => {
  const [{ tx }] = asked as [Asked];
  const orderIds = asked.map(({ message }) => message.data.orderId);
  const wanted = asked.flatMap(({ message: { data } }) =>
    isReserve(data) ? data.lines.map((line) => line.variantId) : [],
  );
  // Sent together: the server reads when it is our turn.
  store.takeTurn(tx);
  const [known, offers] = await Promise.all([
    reservations.reservationsOf(tx, tenantId, orderIds),
    wanted.length > 0 ? store.offersForUpdate(tx, tenantId, [...new Set(wanted)]) : [],
  ]);
  const counter: Counter = {
    tenantId,
    reservations: new Map(known.map((one) => [one.orderId, one])),
    offers: new Map(offers.map((offer) => [placeOf(offer), offer])),
    begun: new Map(),
    moved: new Map(),
    shifts: [],
  };
  const served = asked.map(({ tx: own, message: { data } }) =>
    isReserve(data)
      ? { own, orderId: data.orderId, reserved: reserve(counter, data), found: null }
      : { own, orderId: data.orderId, reserved: null, found: allocate(counter, data) },
  );

  const aside = served.flatMap(({ found }) => (found && isSetAside(found) ? [originOf(found.parts)] : []));
  const held = [...counter.begun.values()].flatMap(({ parts }) => parts.map((part) => part.variantId));
  const [warehouses, , , , changed] = await Promise.all([
    aside.length > 0 ? store.warehousesByIds(tx, tenantId, [...new Set(aside)]) : [],
    reservations.insert(tx, tenantId, [...counter.begun.values()]),
    reservations.update(tx, tenantId, [...counter.moved.values()]),
    store.shift(tx, tenantId, counter.shifts),
    changes(tx, tenantId, held),
  ]);
  const places = new Map(warehouses.map((one) => [one.id, one]));
  for (const { own, orderId, reserved, found } of served)
    await own.send(
      reserved
        ? answer(reserved)
        : found && isSetAside(found)
          ? allocated(found, places)
          : StockRefused({ orderId, reason: 'HOLD_GONE', skus: [] }, found?.version),
    );
  await tx.send(...changed);
};

export const serveAll = async (heard: readonly Asked[]): Promise<void> => {
  for (const [tenantId, asked] of Map.groupBy(heard, ({ message }) => message.tenantId))
    await serve(tenantId, asked);
};
