// Outbox, relay, broker, consumer and inbox together, on the real ones.
import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { z } from 'zod';
// @boundaries-ignore tests share databases and services
import { type TestDatabase, testDatabase } from '../../tests/database.ts';
import { type Bus, openBus } from './bus.ts';
import { startConsumer } from './consumer.ts';
import { createHints } from './hints.ts';
import { createLog } from './log.ts';
import { message, topic } from './messages.ts';
import { openRedis } from './redis.ts';
import { startRelay } from './relay.ts';
import { type Handler, on } from './subgraph.ts';
import { sleep } from './time.ts';

const log = createLog('test', 'silent');
const origin = {
  tenantId: randomUUID(),
  traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
  causationId: null,
};
const things = topic('things', 'thing', { hinted: true, partitions: 3 });
const Happened = message(things, 'thing.happened', z.object({ thing: z.string(), n: z.number() }));

let db: TestDatabase<undefined>;
let bus: Bus;
const redis = openRedis(inject('services').redisUrl, log);
const subscriber = openRedis(inject('services').redisUrl, log);
const hints = createHints(redis, subscriber, `${randomUUID()}:`, log);

beforeAll(async () => {
  db = await testDatabase('fraud', { size: 8 });
  bus = await openBus({
    brokers: inject('services').kafkaBrokers,
    prefix: `${randomUUID()}-`,
    clientId: 'test',
    log,
  });
  await Promise.all([redis.connect(), subscriber.connect()]);
  await db.database.sql`create table effect (key text not null, n int not null)`;
  await bus.ensureTopics([things]);
  await hints.open([things.name]);
});

afterAll(async () => {
  await bus.close();
  await db.close();
  redis.disconnect();
  await hints.close();
});

// They share an inbox: a listener left over from one test would hear what is meant for the next.
const running: { stop: () => Promise<unknown> }[] = [];
const started = <T extends { stop: () => Promise<unknown> }>(one: T): T => {
  running.push(one);
  return one;
};
afterEach(() => Promise.all(running.splice(0).map((one) => one.stop())));

const relay = () =>
  started(startRelay({ url: db.url, database: db.database, bus, hints, log, name: 'test' }));
const tell = (...messages: ReturnType<typeof Happened>[]) =>
  db.database.for(origin).transaction((tx) => tx.send(...messages));
const listen = async (name: string, handlers: Handler[]) =>
  started(
    await startConsumer({
      name,
      bus,
      database: db.database,
      handlers,
      log,
      onHeard: () => undefined,
      pauses: [1, 1],
    }),
  );

describe('messages', () => {
  test('a rolled back transaction says nothing, a committed one is heard in order per key', async () => {
    const heard: string[] = [];
    relay();
    await listen('order', [
      on(Happened, async (_tx, { key, data }) => {
        if (key.startsWith('a')) heard.push(`${key}${data.n}`);
      }),
    ]);
    await Promise.all(
      ['a', 'ab', 'ac'].map(async (thing) => {
        for (let n = 1; n <= 20; n++) await tell(Happened({ thing, n }));
      }),
    );
    await db.database
      .for(origin)
      .transaction(async (tx) => {
        await tx.send(Happened({ thing: 'a', n: 99 }));
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    await vi.waitFor(() => expect(heard).toHaveLength(60), { timeout: 10_000 });
    for (const thing of ['a', 'ab', 'ac'])
      expect(heard.filter((text) => text.replace(/\d+/, '') === thing)).toEqual(
        Array.from({ length: 20 }, (_, n) => `${thing}${n + 1}`),
      );
    await vi.waitFor(async () => expect(await db.database.sql`select 1 from plumbing.outbox`).toEqual([]));
  });

  test('a message delivered twice has one effect', async () => {
    const seen = vi.fn(async () => undefined);
    await listen('twice', [on(Happened, (_tx, { key }) => (key === 'dup' ? seen() : Promise.resolve()))]);
    const id = randomUUID();
    const value = JSON.stringify({
      id,
      type: 'thing.happened',
      v: 1,
      ...origin,
      key: 'dup',
      version: 1,
      occurredAt: new Date().toISOString(),
      data: { thing: 'dup', n: 1 },
    });
    const one = { topic: 'things', key: 'dup', value };
    await bus.publish([one, one]);
    await bus.publish([one]);
    await bus.publish([{ ...one, value: value.replace(id, randomUUID()) }]);
    await vi.waitFor(() => expect(seen).toHaveBeenCalledTimes(2), { timeout: 10_000 });
    await sleep(300);
    expect(seen).toHaveBeenCalledTimes(2);
  });

  test('a message that cannot be handled is parked with all later ones of its key, and the others flow', async () => {
    await listen('parks', [
      on(Happened, async (tx, { key, data }) => {
        if (!key.startsWith('p')) return;
        await tx.sql`insert into effect (key, n) values (${key}, ${data.n})`;
        if (key === 'p1' && data.n === 2) throw new Error('this one is poison');
      }),
    ]);
    relay();
    for (let n = 1; n <= 4; n++) {
      await tell(Happened({ thing: 'p1', n }));
      await tell(Happened({ thing: 'p2', n }));
    }
    await bus.publish([{ topic: 'things', key: 'p3', value: 'not json' }]);
    await bus.publish([{ topic: 'things', key: 'p3', value: '{"id":1}' }]);
    await vi.waitFor(
      async () => {
        const parked = await db.database.sql`
          select key, error from plumbing.parked_message where key like 'p%' order by key, "offset"`;
        expect(parked.map((row) => [row.key, row.error === null])).toEqual([
          ['p1', false],
          ['p1', true],
          ['p1', true],
          ['p3', false],
          ['p3', true],
        ]);
      },
      { timeout: 10_000 },
    );
    await vi.waitFor(async () =>
      expect(await db.database.sql`select key, n from effect order by key, n`).toEqual([
        { key: 'p1', n: 1 },
        ...[1, 2, 3, 4].map((n) => ({ key: 'p2', n })),
      ]),
    );
  });

  test('four relays and parallel writers lose nothing and keep the order of each key', async () => {
    const heard = new Map<string, number[]>();
    await listen('many', [
      on(Happened, async (_tx, { key, data }) => {
        if (key.startsWith('m')) heard.set(key, [...(heard.get(key) ?? []), data.n]);
      }),
    ]);
    const relays = Array.from({ length: 4 }, relay);
    await Promise.all(
      Array.from({ length: 12 }, async (_, writer) => {
        for (let n = 1; n <= 25; n++) {
          await tell(Happened({ thing: `m${writer}`, n }));
          if (n === 12 && writer === 0) await relays[0]!.stop();
        }
      }),
    );
    await vi.waitFor(() => expect([...heard.values()].flat()).toHaveLength(300), { timeout: 15_000 });
    for (const numbers of heard.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  test('a listener that was away for so long that its group gave it up joins again and goes on', async () => {
    const heard: string[] = [];
    const told = vi.spyOn(log, 'error');
    const listener = await bus.consume({
      group: 'away',
      topics: [things.name],
      onBatch: async (batch) => {
        const own = batch.filter(({ key }) => key === 'w1').map(({ value }) => value);
        // Longer than a session, without a sign of life.
        if (own.includes('one') && !heard.includes('one')) await sleep(8_000);
        heard.push(...own);
      },
    });
    await bus.publish([{ topic: things.name, key: 'w1', value: 'one' }]);
    await vi.waitFor(() => expect(heard).toContain('one'), { timeout: 12_000 });
    await bus.publish([{ topic: things.name, key: 'w1', value: 'two' }]);
    await vi.waitFor(() => expect(heard).toContain('two'), { timeout: 8_000 });
    await vi.waitFor(async () => expect(await bus.lag('away', [things.name])).toBe(0), { timeout: 5_000 });
    expect(told).not.toHaveBeenCalled();
    told.mockRestore();
    await listener.stop();
  }, 30_000);

  test('a listener that breaks off for want of sense in a batch starts anew and hears it', async () => {
    const heard: string[] = [];
    let breaks = 0;
    const listener = await bus.consume({
      group: 'breaks',
      topics: [things.name],
      onBatch: async (batch) => {
        const own = batch.filter(({ key }) => key === 'b1');
        if (own.length > 0 && breaks++ === 0) throw new TypeError('undefined is not a function');
        heard.push(...own.map(({ value }) => value));
      },
    });
    await bus.publish([{ topic: things.name, key: 'b1', value: 'still here' }]);
    await vi.waitFor(() => expect(heard).toEqual(['still here']), { timeout: 10_000 });
    await listener.stop();
  });

  test('a relay whose server falls silent without a word is sending again soon after', async () => {
    const server = new URL(db.url);
    const isSilent = new Set<object>();
    const wire = createServer((near) => {
      const far = connect(Number(server.port), server.hostname);
      near.on('data', (bytes) => isSilent.has(near) || far.write(bytes));
      far.on('data', (bytes) => isSilent.has(near) || near.write(bytes));
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => undefined);
        one.on('close', () => isSilent.has(near) || other.destroy());
      }
      wire.once('silence', () => isSilent.add(near));
    });
    await new Promise<void>((done) => wire.listen(0, '127.0.0.1', done));
    const url = new URL(db.url);
    url.host = `127.0.0.1:${(wire.address() as AddressInfo).port}`;
    // Not by the socket file, which nobody can cut.
    url.searchParams.delete('host');
    const database = db.database;
    const running = startRelay({ url: url.href, database, bus, hints, log, name: 'silent' });
    const unsent = () => database.sql`select 1 from plumbing.outbox`;
    await tell(Happened({ thing: 's1', n: 1 }));
    await vi.waitFor(async () => expect(await unsent()).toEqual([]), { timeout: 5_000 });
    wire.emit('silence');
    await tell(Happened({ thing: 's1', n: 2 }));
    await vi.waitFor(async () => expect(await unsent()).toEqual([]), { timeout: 18_000, interval: 200 });
    await running.stop();
    wire.close();
  }, 30_000);

  test('a listener is told of its key and no other', async () => {
    relay();
    const turns = hints.listen('things', 'h1');
    await tell(Happened({ thing: 'h2', n: 1 }, 4), Happened({ thing: 'h1', n: 1 }, 7));
    expect((await turns.next()).value).toEqual({ key: 'h1', version: 7 });
    await turns.return(undefined);
  });
});
