// One order's whole life as its customer sees it: live, in its timeline, on the map and in what the shop tells.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { accepted } from '../../ops/operations/client.ts';
import {
  MarkAllNotificationsReadDocument,
  MarkNotificationsReadDocument,
  MyNotificationsDocument,
  NotificationReceivedDocument,
  type NotificationViewFragment,
  OrderUpdatedDocument,
  ParcelDocument,
  ParcelMovedDocument,
  type ParcelViewFragment,
  WholeOrderDocument,
  type WholeOrderQuery,
} from '../../ops/operations/generated/graphql.ts';
import { shelf } from './books.ts';
import { buy, type Customer, newCustomer, settled } from './customer.ts';

const life = ['PENDING', 'AWAITING_PAYMENT', 'CONFIRMED', 'PROCESSING', 'SHIPPED', 'DELIVERED'] as const;
const news = ['ORDER_CONFIRMED', 'ORDER_SHIPPED', 'ORDER_DELIVERED'];

let customer: Customer;
let order: NonNullable<WholeOrderQuery['order']>;
const states: { version: number; status: string }[] = [];
const parcels: ParcelViewFragment[] = [];
const told: NotificationViewFragment[] = [];

const listen = async <T>(events: AsyncIterable<T>, hear: (event: T) => void): Promise<void> => {
  for await (const event of events) hear(event);
};

beforeAll(async () => {
  const [someone, goods] = await Promise.all([newCustomer(), shelf(9)]);
  customer = someone;
  const { client } = customer;
  const notifications = client.watch(NotificationReceivedDocument);
  const hearing = [listen(notifications, ({ notificationReceived }) => told.push(notificationReceived))];
  const { id } = await buy(customer, goods[0]!, 2);
  const updates = client.watch(OrderUpdatedDocument, { id });
  const moves = client.watch(ParcelMovedDocument, { orderId: id });
  hearing.push(listen(updates, ({ orderUpdated }) => states.push(orderUpdated)));
  hearing.push(listen(moves, ({ shipmentMoved }) => parcels.push(shipmentMoved)));
  await settled(customer, id);
  await vi.waitFor(
    async () => {
      expect(told.map(({ kind }) => kind)).toEqual(news);
      order = (await client.send(WholeOrderDocument, { id })).order!;
      const entries = order.timeline.filter(({ type }) => type === 'notification.sent');
      expect(entries).toHaveLength(news.length);
      expect(states.at(-1)?.version).toBe(order.version);
      expect(parcels.at(-1)?.status).toBe('DELIVERED');
    },
    { timeout: 15_000, interval: 100 },
  );
  await Promise.all([notifications, updates, moves].map((events) => events.return?.()));
  await Promise.all(hearing);
});
afterAll(() => customer.client.close());

test('an order passes all its states, each once, and no push is older than the one before', () => {
  expect([...new Set(order.timeline.map(({ to }) => to))]).toEqual(life);
  expect(order).toMatchObject({ status: 'DELIVERED', waitingFor: null, nextDeadlineAt: null });
  const versions = states.map(({ version }) => version);
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  const places = states.map(({ status }) => life.indexOf(status as (typeof life)[number]));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(states.at(-1)!.status).toBe('DELIVERED');
});

test('its timeline tells what each part of the shop did, and when', () => {
  expect(order.timeline.map(({ seq }) => seq)).toEqual(order.timeline.map((_, index) => index + 1));
  const times = order.timeline.map(({ at }) => at);
  expect(times).toEqual(times.toSorted());
  const actors = Object.groupBy(order.timeline, ({ actor }) => actor);
  const typesOf = (actor: string): string[] => [...new Set(actors[actor]?.map(({ type }) => type))].sort();
  expect(typesOf('customer')).toEqual(['placed']);
  expect(typesOf('inventory')).toEqual(['inventory.allocated', 'inventory.reserved', 'inventory.shipped']);
  expect(typesOf('fraud')).toEqual(['fraud.scored']);
  expect(typesOf('payments')).toEqual(['payment.authorized', 'payment.captured']);
  expect(typesOf('shipping')).toEqual([
    'shipment.created',
    'shipment.delivered',
    'shipment.handed-over',
    'shipment.moved',
  ]);
  expect(typesOf('notifications')).toEqual(['notification.sent']);
  // By whom a parcel goes and where it was scanned are reasons; a score is nobody's but the staff's.
  const reasonOf = (type: string) => order.timeline.find((event) => event.type === type)!.reason;
  expect(reasonOf('shipment.created')).toBe('By Simulated Parcel.');
  expect(reasonOf('shipment.moved')).toMatch(/^On its way: .+\.$/);
  expect(reasonOf('fraud.scored')).toBeNull();
});

test('its parcel is seen on a map at each of its scans, from the warehouse to the town', async () => {
  const [parcel, ...others] = order.shipments!;
  expect(others).toEqual([]);
  expect(parcel).toMatchObject({ status: 'DELIVERED', carrier: 'Simulated Parcel' });
  expect(parcel!.trackingNumber).toMatch(/^SP\d{9}GB$/);
  expect(order.estimatedDelivery).toBe(parcel!.estimatedDelivery);
  const scans = parcel!.events;
  expect(scans.map(({ status }) => status).filter((status, at, all) => status !== all[at - 1])).toEqual([
    'IN_TRANSIT',
    'OUT_FOR_DELIVERY',
    'DELIVERED',
  ]);
  for (const { place, point } of scans) {
    expect(place).not.toBe('');
    expect(point!.latitude).toBeGreaterThan(49);
    expect(point!.latitude).toBeLessThan(61);
    expect(point!.longitude).toBeGreaterThan(-9);
    expect(point!.longitude).toBeLessThan(2);
  }
  const at = scans.map((scan) => scan.at);
  expect(at).toEqual(at.toSorted());
  const found = await customer.client.send(ParcelDocument, { id: parcel!.id });
  expect(found.shipment).toEqual({ ...parcel, location: scans.at(-1)!.point });
  // Live it only ever grew.
  const seen = parcels.map(({ events }) => events.length);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(parcels.at(-1)).toEqual(parcel);
});

test('what the customer was told live stands in their list, unread until they have read it', async () => {
  const { client } = customer;
  const list = async () => (await client.send(MyNotificationsDocument, { first: 10 })).me!;
  const before = await list();
  const notices = before.notifications!.edges.map(({ node }) => node);
  expect(before.unreadNotifications).toBe(3);
  expect(before.notifications!.totalCount).toBe(3);
  expect(notices).toEqual(told.toReversed());
  for (const { title, order: about, readAt } of notices) {
    expect(title).toContain(order.number);
    expect([about, readAt]).toEqual([{ id: order.id }, null]);
  }

  const mark = async (ids: string[]) =>
    (await client.send(MarkNotificationsReadDocument, { input: { ids } })).markNotificationsRead;
  const oldest = notices[2]!.id;
  expect(await mark([oldest])).toEqual({ __typename: 'NotificationsRead', count: 1 });
  expect(await mark([oldest])).toEqual({ __typename: 'NotificationsRead', count: 0 });
  const between = await list();
  expect(between.unreadNotifications).toBe(2);
  expect(between.notifications!.edges.map(({ node }) => node.readAt !== null)).toEqual([false, false, true]);
  const input = { upTo: notices[0]!.id };
  const { markAllNotificationsRead } = await client.send(MarkAllNotificationsReadDocument, { input });
  expect(accepted(markAllNotificationsRead, 'NotificationsRead').count).toBe(2);
  expect((await list()).unreadNotifications).toBe(0);
});

test('who was away is told what came in between, and nothing twice', async () => {
  const later = customer.client.watch(NotificationReceivedDocument, { after: told[0]!.id });
  const caughtUp: string[] = [];
  for await (const { notificationReceived } of later) {
    caughtUp.push(notificationReceived.id);
    if (caughtUp.length === 2) break;
  }
  expect(caughtUp).toEqual(told.slice(1).map(({ id }) => id));
});
