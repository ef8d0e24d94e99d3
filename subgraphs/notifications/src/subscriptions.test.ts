import { type Bus, openBus } from '@orderstream/runtime/bus';
import { startConsumer } from '@orderstream/runtime/consumer';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { startRelay } from '@orderstream/runtime/relay';
import { sleep } from '@orderstream/runtime/time';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { handlers } from './handlers.ts';
import { NotificationSent, NotificationStored, NotifyCustomer } from './messages.ts';
import { type Desk, openDesk } from './testing.ts';

let desk: Desk;
let bus: Bus;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  desk = await openDesk();
  const { database, url, hints, log } = desk;
  const brokers = inject('services').kafkaBrokers;
  // The whole way: a command on the broker, the inbox, the outbox, its relay, the hint.
  bus = await openBus({ brokers, prefix: `${newId()}.`, clientId: 'test', log });
  const heard = handlers.map(({ message }) => message.topic);
  await bus.ensureTopics([...heard, NotificationSent.topic, NotificationStored.topic]);
  const name = 'notifications';
  const relay = startRelay({ url, database, bus, hints, log, name });
  const consumer = await startConsumer({ name, bus, database, handlers, log, onHeard: () => undefined });
  stops.push(consumer.stop, relay.stop, bus.close);
});

afterAll(async () => {
  for (const stop of stops) await stop();
  await desk?.close();
});

/** What a client sees, as it comes. */
const watch = async (viewer: Viewer, args = '') => {
  const answer = await desk.subscribe(
    viewer,
    `subscription { notificationReceived${args} { id title readAt } }`,
  );
  if (!(Symbol.asyncIterator in answer)) return { refused: answer.errors?.[0]?.extensions };
  const seen: string[] = [];
  const events = answer;
  const ended = (async () => {
    for await (const { data, errors } of events) {
      if (errors) throw errors[0];
      seen.push((data as { notificationReceived: { id: string } }).notificationReceived.id);
    }
  })();
  return {
    seen,
    leave: async () => {
      await events.return(undefined);
      await ended;
    },
  };
};

const patience = { timeout: 20_000, interval: 20 };

describe('what a customer is told', () => {
  test('comes live, each once and in order, and to nobody else', async () => {
    const ada = desk.customer();
    const [before] = await desk.tell(ada.userId);
    const [hers, again, his] = [await watch(ada), await watch(ada), await watch(desk.customer())];
    const news = Array.from({ length: 5 }, () => desk.news(ada.userId));
    const records = [...news, news[0]!].map((each) => ({
      topic: NotifyCustomer.topic.name,
      key: each.key,
      value: JSON.stringify(each),
    }));
    await bus.publish(records);
    await bus.publish(records);
    const expected = news.map(({ id }) => encodeId('notification', id));
    await expect.poll(() => hers.seen?.length, patience).toBe(5);
    await expect.poll(() => again.seen?.length, patience).toBe(5);
    expect(hers.seen?.toSorted()).toEqual(expected.toSorted());
    expect(again.seen).toEqual(hers.seen);
    const seqs = await desk.database.sql<{ id: string }>`
      select id from notification where customer_id = ${ada.userId} order by seq`;
    expect(seqs.map(({ id }) => encodeId('notification', id))).toEqual([before, ...hers.seen!]);
    expect(his.seen).toEqual([]);

    const [sixth] = await desk.tell(ada.userId);
    await expect.poll(() => hers.seen?.at(-1), patience).toBe(sixth);
    expect(hers.seen).toHaveLength(6);
    for (const each of [hers, again, his]) await each.leave!();
  });

  test('is caught up after a break, from the last one seen', async () => {
    const ada = desk.customer();
    const ids = await desk.tell(ada.userId, 205);
    const unsent = () => desk.database.sql`select from plumbing.outbox`;
    await expect.poll(unsent, patience).toEqual([]);
    const seen = await watch(ada, `(after: "${ids[2]}")`);
    // At once: a heartbeat would come after five seconds.
    await expect.poll(() => seen.seen?.length, { ...patience, timeout: 4_500 }).toBe(202);
    ids.push(...(await desk.tell(ada.userId, 2)));
    await expect.poll(() => seen.seen?.length, patience).toBe(204);
    expect(seen.seen).toEqual(ids.slice(3));
    await seen.leave!();
  });

  test('is not looked for before there is a hint of it, by whoever has nothing to catch up on', async () => {
    const ada = desk.customer();
    const [last] = await desk.tell(ada.userId);
    const unsent = () => desk.database.sql`select from plumbing.outbox`;
    await expect.poll(unsent, patience).toEqual([]);
    const looksOf = async (args: string): Promise<number> => {
      const before = desk.database.statements();
      const { seen, leave } = await watch(ada, args);
      // A heartbeat would come after five seconds.
      await sleep(500);
      expect(seen).toEqual([]);
      const looks = desk.database.statements() - before;
      await leave!();
      return looks;
    };
    // Where the list ends, or where the one seen stands in it; and a look at what follows.
    expect(await looksOf('')).toBe(1);
    expect(await looksOf(`(after: "${last}")`)).toBe(2);
  });

  test('arrives also when its hint is lost and a look fails', async () => {
    const ada = desk.customer();
    const seen = await watch(ada);
    await desk.database.sql`alter table notification rename to mislaid`;
    const before = desk.database.statements();
    desk.hints.tell(NotificationStored.topic.name, ada.userId, 1);
    await expect.poll(() => desk.database.statements(), patience).toBeGreaterThan(before);
    await sleep(100);
    await desk.database.sql`alter table mislaid rename to notification`;
    // Without a message there is no hint: only the heartbeat finds it.
    const news = desk.news(ada.userId);
    await desk.database.sql`
      with box as (insert into mailbox (tenant_id, customer_id, last_seq) values (${desk.tenantId}, ${ada.userId}, 1))
      insert into notification (id, tenant_id, customer_id, seq, order_id, number, kind, currency)
      values (${news.id}, ${desk.tenantId}, ${ada.userId}, 1, ${news.key}, 'N-1', 'ORDER_HELD', 'GBP')`;
    await expect.poll(() => seen.seen, patience).toEqual([encodeId('notification', news.id)]);
    await seen.leave!();
  });
});

describe('before any data is refused', () => {
  test('whoever is not signed in', async () => {
    expect((await watch(anonymous(desk.tenantId))).refused).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('whoever goes on from something that is not theirs', async () => {
    const [foreign] = await desk.tell(desk.customer().userId);
    const refused = { code: 'NOT_FOUND', argument: 'after' };
    expect((await watch(desk.customer(), `(after: "${foreign}")`)).refused).toMatchObject(refused);
    const unknown = encodeId('notification', newId());
    expect((await watch(desk.customer(), `(after: "${unknown}")`)).refused).toMatchObject(refused);
    expect((await watch(desk.customer(), '(after: "ord_1")')).refused).toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: 'after',
    });
  });
});

test('whoever leaves while nothing happens is let go at once', async () => {
  const seen = await watch(desk.customer());
  await sleep(50);
  const left = await Promise.race([seen.leave!().then(() => 'gone'), sleep(3_000)]);
  expect(left).toBe('gone');
});
