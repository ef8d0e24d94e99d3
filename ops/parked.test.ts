import { randomUUID } from 'node:crypto';
import { type Bus, openBus } from '@orderstream/runtime/bus';
import { startConsumer } from '@orderstream/runtime/consumer';
import { createLog } from '@orderstream/runtime/log';
import { message, topic } from '@orderstream/runtime/messages';
import { on } from '@orderstream/runtime/subgraph';
import { afterAll, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import { z } from 'zod';
import { type TestDatabase, testDatabase } from '../tests/database.ts';
import { discard, list, replay, show } from './parked-messages.ts';

const log = createLog('test', 'silent');
const parcels = topic('parcels', 'parcel', { partitions: 1 });
const Moved = message(parcels, 'parcel.moved', z.object({ parcel: z.string(), n: z.number() }));

let db: TestDatabase<undefined>;
let bus: Bus;
let isBroken = true;
let consumer: { stop: () => Promise<void> };

beforeAll(async () => {
  db = await testDatabase('fraud');
  await db.database.sql`create table moved (parcel text not null, n int not null)`;
  bus = await openBus({
    brokers: inject('services').kafkaBrokers,
    prefix: `${randomUUID()}-`,
    clientId: 'test',
    log,
  });
  await bus.ensureTopics([parcels]);
  consumer = await startConsumer({
    name: 'parked',
    bus,
    database: db.database,
    log,
    onHeard: () => undefined,
    pauses: [1],
    handlers: [
      on(Moved, async (tx, { data }) => {
        await tx.sql`insert into moved (parcel, n) values (${data.parcel}, ${data.n})`;
        if (isBroken && data.n === 2) throw new Error('the lorry is in the ditch');
      }),
    ],
  });
});
afterAll(async () => {
  await consumer.stop();
  await bus.close();
  await db.close();
});
beforeEach(() => {
  isBroken = true;
});

const move = (parcel: string, n: number) => ({
  topic: parcels.name,
  key: parcel,
  value: JSON.stringify({
    id: randomUUID(),
    type: Moved.type,
    v: 1,
    tenantId: randomUUID(),
    key: parcel,
    version: n,
    occurredAt: new Date().toISOString(),
    causationId: null,
    traceparent: '',
    data: { parcel, n },
  }),
});
const parkThree = async (parcel: string) => {
  await bus.publish([1, 2, 3, 4].map((n) => move(parcel, n)));
  await vi.waitFor(
    async () =>
      expect((await list(db.database)).find(({ key }) => key === parcel)).toMatchObject({ messages: 3 }),
    { timeout: 15_000 },
  );
};
const moves = async (parcel: string): Promise<number[]> =>
  (await db.database.sql<{ n: number }>`select n from moved where parcel = ${parcel}`).map(({ n }) => n);
const audited = (key: string) =>
  db.database.sql`select actor, action from plumbing.parked_audit where key = ${key} order by id`;

test('what was parked is replayed in its order and has its effect once, however often it is replayed', async () => {
  await parkThree('p1');
  const of = { topic: 'parcels', key: 'p1' };
  const kept = await show(db.database, of, 'ann');
  expect(kept.map(({ error, attempts }) => [error, attempts])).toEqual([
    ['Error: the lorry is in the ditch', 2],
    [null, 0],
    [null, 0],
  ]);
  isBroken = false;
  expect(await replay(db.database, bus, of, 'ann')).toBe(3);
  await vi.waitFor(async () => expect(await moves('p1')).toEqual([1, 2, 3, 4]), { timeout: 10_000 });

  // Somebody was killed between publishing and tidying up, and somebody else does it again.
  for (const { partition, offset, payload } of kept)
    await db.database.sql`
      insert into plumbing.parked_message (topic, partition, "offset", key, payload)
      values ('parcels', ${partition}, ${offset}, 'p1', ${payload})`;
  expect(await list(db.database)).toMatchObject([{ key: 'p1', messages: 3 }]);
  expect(await replay(db.database, bus, of, 'bob')).toBe(3);
  await bus.publish([move('p1', 5)]);
  await vi.waitFor(async () => expect(await moves('p1')).toEqual([1, 2, 3, 4, 5]), { timeout: 10_000 });
  expect(await list(db.database)).toEqual([]);
  expect(await audited('p1')).toEqual([
    ...Array(3).fill({ actor: 'ann', action: 'show' }),
    ...Array(3).fill({ actor: 'ann', action: 'replay' }),
    ...Array(3).fill({ actor: 'bob', action: 'replay' }),
  ]);
});

test('what fails again is parked again', async () => {
  await parkThree('p2');
  await replay(db.database, bus, { topic: 'parcels', key: 'p2' }, 'ann');
  await vi.waitFor(
    async () =>
      expect(await list(db.database)).toMatchObject([
        { key: 'p2', messages: 3, firstError: expect.stringContaining('ditch') },
      ]),
    { timeout: 10_000 },
  );
  expect(await moves('p2')).toEqual([1]);
  await discard(db.database, { topic: 'parcels', key: 'p2' }, 'ann');
});

test('what was discarded is gone, who did it is known, and the key flows again', async () => {
  await parkThree('p3');
  expect(await discard(db.database, { topic: 'parcels', key: 'p3' }, 'ann')).toBe(3);
  expect(await list(db.database)).toEqual([]);
  await bus.publish([move('p3', 9)]);
  await vi.waitFor(async () => expect(await moves('p3')).toEqual([1, 9]), { timeout: 10_000 });
  expect(await audited('p3')).toEqual(Array(3).fill({ actor: 'ann', action: 'discard' }));
});

test('a key that is not parked has nothing to replay or discard', async () => {
  const of = { topic: 'parcels', key: 'nobody' };
  expect(await replay(db.database, bus, of, 'ann')).toBe(0);
  expect(await discard(db.database, of, 'ann')).toBe(0);
});
