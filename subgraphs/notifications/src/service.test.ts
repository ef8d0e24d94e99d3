import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { forgetOld, notificationsOf } from './store.ts';
import { type Desk, openDesk } from './testing.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
beforeEach(() => desk.database.sql`delete from plumbing.outbox`);
afterAll(() => desk?.close());

const listOf = (customerId: string) =>
  notificationsOf(desk.contextOf(desk.customer()).db.prisma, desk.tenantId, customerId, {
    first: 100,
    after: null,
  });
const sent = async (): Promise<{ type: string; key: string; version: number; hinted: boolean }[]> =>
  desk.database.sql`
    select message->>'type' as type, key, (message->>'version')::int as version, hinted
    from plumbing.outbox order by id`;

describe('what a customer is to be told', () => {
  test('stands in the list and is announced in the same transaction', async () => {
    const customerId = newId();
    const first = desk.news(customerId, { kind: 'ORDER_CANCELLED', reason: 'out of stock' });
    await desk.hear(first);
    const [told, ...more] = await listOf(customerId);
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      id: first.id,
      customerId,
      orderId: first.key,
      number: 'N-2026-0000012',
      kind: 'ORDER_CANCELLED',
      reason: 'out of stock',
      amountMinor: null,
      currency: 'GBP',
      readAt: null,
    });
    expect(Date.now() - told!.createdAt.getTime()).toBeLessThan(60_000);
    expect(await sent()).toEqual([
      { type: 'notification.sent', key: first.key, version: 1, hinted: false },
      { type: 'notification.stored', key: customerId, version: told!.seq, hinted: true },
    ]);
  });

  test('is told once when it is heard twice, also at the same time', async () => {
    const customerId = newId();
    const first = desk.news(customerId);
    await Promise.all([desk.hear(first), desk.hear(first), desk.hear(first, first)]);
    expect(await listOf(customerId)).toHaveLength(1);
    expect(await sent()).toHaveLength(2);
  });

  test('is told once for each order and kind, whoever repeats it under a new id', async () => {
    const customerId = newId();
    const orderId = newId();
    const cancelled = () => desk.news(customerId, { orderId, kind: 'ORDER_CANCELLED', reason: 'a reason' });
    await desk.hear(cancelled());
    await desk.hear(cancelled(), desk.news(customerId, { orderId, kind: 'ORDER_HELD' }), cancelled());
    expect((await listOf(customerId)).map(({ kind }) => kind)).toEqual(['ORDER_HELD', 'ORDER_CANCELLED']);
  });

  test('are several refunds of one order, of the same amount too', async () => {
    const customerId = newId();
    const orderId = newId();
    const refunded = () => desk.news(customerId, { orderId, kind: 'REFUNDED', amountMinor: 1250 });
    const first = refunded();
    await desk.hear(first, refunded(), first);
    expect((await listOf(customerId)).map(({ amountMinor }) => amountMinor)).toEqual([1250, 1250]);
  });

  test('has a place in the list that rises with the commits, however many tell at once', async () => {
    const customerId = newId();
    const seen: number[] = [];
    let done = false;
    const telling = Promise.all(Array.from({ length: 20 }, () => desk.tell(customerId))).then(() => {
      done = true;
    });
    // Whoever looks in between never finds a lower number than one that was there before.
    while (!done) {
      const now = (await listOf(customerId)).map(({ seq }) => seq).reverse();
      expect(now.slice(0, seen.length)).toEqual(seen);
      seen.splice(0, seen.length, ...now);
    }
    await telling;
    expect(new Set((await listOf(customerId)).map(({ seq }) => seq)).size).toBe(20);
  });
});

test('an erased customer has no list any more, and what comes late is neither kept nor announced', async () => {
  const customerId = newId();
  const other = newId();
  await desk.tell(customerId, 3);
  await desk.tell(other);
  await desk.database.sql`delete from plumbing.outbox`;

  const erased = desk.erased(customerId);
  await desk.hear(erased, erased);
  await desk.tell(customerId);
  expect(await listOf(customerId)).toEqual([]);
  expect(await sent()).toEqual([]);
  expect(await listOf(other)).toHaveLength(1);

  const unknown = newId();
  await desk.hear(desk.erased(unknown), desk.news(unknown));
  expect(await listOf(unknown)).toEqual([]);
});

test('what was read half a year ago goes, and after two years everything, a batch at a time', async () => {
  const customerId = newId();
  await desk.tell(customerId, 7);
  const ids = (await listOf(customerId)).map(({ id }) => id);
  const age = (id: string, created: string, read: string | null) => desk.database.sql`
    update notification set created_at = now() - ${created}::interval, read_at = now() - ${read}::interval
    where id = ${id}`;
  const [fresh, readLately, readLongAgo, unread, tooOld, alsoTooOld, againTooOld] = ids as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  await age(readLately, '700 days', '179 days');
  await age(readLongAgo, '190 days', '181 days');
  await age(unread, '700 days', null);
  for (const id of [tooOld, alsoTooOld, againTooOld]) await age(id, '740 days', null);

  expect(await forgetOld(desk.database, 2)).toBe(true);
  expect(await listOf(customerId)).toHaveLength(4);
  expect(await forgetOld(desk.database, 2)).toBe(false);
  expect((await listOf(customerId)).map(({ id }) => id).sort()).toEqual([fresh, readLately, unread].sort());
});
