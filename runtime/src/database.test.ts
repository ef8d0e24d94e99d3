import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { PrismaPg } from '@prisma/adapter-pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
// @boundaries-ignore tests share databases and services
import { type TestDatabase, testDatabase } from '../../tests/database.ts';
import { joined, openDatabase, part, raw, shardOf, type Tx, toEnvelope } from './database.ts';
import { envelope, message, topic } from './messages.ts';
import { sleep } from './time.ts';

const origin = {
  tenantId: randomUUID(),
  traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
  causationId: null,
};
const Happened = message(topic('things', 'thing'), 'thing.happened', z.object({ thing: z.string() }));
const Said = message(
  topic('things', 'thing'),
  'thing.said',
  z.object({ thing: z.string(), words: z.string() }),
);

let db: TestDatabase<undefined>;
const open = () => db.database.for(origin);
const outbox = () =>
  db.database.sql<{ key: string; message: unknown }>`select key, message from plumbing.outbox`;

beforeAll(async () => {
  db = await testDatabase('fraud');
  await db.database.sql`create table counter (id int primary key, n bigint not null)`;
  await db.database.sql`insert into counter values (1, 0), (2, 0)`;
});
afterAll(() => db.close());

describe('a transaction', () => {
  test('that is rolled back says nothing and wakes nobody', async () => {
    let woken = 0;
    db.database.onSent(() => {
      woken += 1;
    });
    const failing = open().transaction(async (tx) => {
      await tx.sql`update counter set n = 99 where id = 1`;
      await tx.send(Happened({ thing: 'a' }));
      throw new Error('changed our mind');
    });
    await expect(failing).rejects.toThrow('changed our mind');
    expect(await outbox()).toEqual([]);
    expect(await db.database.sql`select n from counter where id = 1`).toEqual([{ n: 0 }]);
    expect(woken).toBe(0);

    await open().transaction((tx) => tx.send(Happened({ thing: 'b' }), Happened({ thing: 'c' }, 4)));
    const said = await outbox();
    expect(said.map((row) => row.key)).toEqual(['b', 'c']);
    expect(envelope.parse(said[1]!.message)).toMatchObject({ ...origin, version: 4, data: { thing: 'c' } });
    expect(woken).toBe(1);
  });

  test('nobody waits for any more is rolled back, and begins nothing', async () => {
    const impatient = db.database.for({ ...origin, deadline: performance.now() + 50 });
    const late = impatient.transaction(async (tx) => {
      await tx.sql`update counter set n = 66 where id = 1`;
      await tx.send(Happened({ thing: 'late' }));
      await sleep(60);
      await tx.sql`update counter set n = 67 where id = 2`;
    });
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const written = impatient.transaction(async (tx) => tx.write`update counter set n = 67 where id = 2`);
    await expect(written).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await expect(impatient.sql`select 1`).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(await db.database.sql`select n from counter where n in (66, 67)`).toEqual([]);
    expect((await outbox()).map(({ key }) => key)).not.toContain('late');
  });

  test('fails by what went wrong first, whether that was waited for or not', async () => {
    const waitedFor = open().transaction(async (tx) => {
      const broken = tx.sql`select 1 / 0`;
      tx.write`update counter set n = 55 where id = 1`;
      await broken;
    });
    await expect(waitedFor).rejects.toMatchObject({ code: '22012' });
    const notWaitedFor = open().transaction(async (tx) => {
      tx.write`select 1 / 0`;
      await tx.sql`update counter set n = 55 where id = 1`;
    });
    await expect(notWaitedFor).rejects.toMatchObject({ code: '22012' });
    expect(await db.database.sql`select n from counter where n = 55`).toEqual([]);
  });

  test('that loses its server between two statements fails, and the process and the next one go on', async () => {
    const failing = open().transaction(async (tx) => {
      const [own] = await tx.sql<{ pid: number }>`select pg_backend_pid() as pid`;
      await db.database.sql`select pg_terminate_backend(${own!.pid})`;
      await sleep(100);
      await tx.sql`select 1`;
    });
    await expect(failing).rejects.toThrow();
    expect(await open().transaction((tx) => tx.sql`select 1 as one`)).toEqual([{ one: 1 }]);
  });

  test('never says what its readers could not read', async () => {
    const words = 'half \ud800 and \u0000 none, but 💙 and \\ud800';
    await open().transaction((tx) => tx.send(Said({ thing: 'said', words })));
    const said = await db.database.sql`
      delete from plumbing.outbox where key = 'said' returning message->'data'->>'words' as words`;
    expect(said).toEqual([{ words: 'half \ufffd and \ufffd none, but 💙 and \\ud800' }]);
  });

  test('in which a failed statement was overlooked is not taken for done', async () => {
    const careless = open().transaction(async (tx) => {
      await tx.sql`update counter set n = 77 where id = 1`;
      await tx.sql`select 1 / 0`.catch(() => undefined);
      return 'done';
    });
    await expect(careless).rejects.toThrow(/rolled back/);
    expect(await db.database.sql`select n from counter where id = 1`).toEqual([{ n: 0 }]);
  });

  test('that meets another in a deadlock is run again', async () => {
    let runs = 0;
    let holding = 0;
    const meeting = Promise.withResolvers<void>();
    const both = (first: number, second: number) =>
      open().transaction(async (tx) => {
        runs += 1;
        await tx.sql`update counter set n = n + 1 where id = ${first}`;
        // Neither goes on before the other holds its row.
        holding += 1;
        if (holding === 2) meeting.resolve();
        await meeting.promise;
        await tx.sql`update counter set n = n + 1 where id = ${second}`;
      });
    await Promise.all([both(1, 2), both(2, 1)]);
    // More than once where the one that is run again is as fast as the other is slow.
    expect(runs).toBeGreaterThan(2);
    expect(await db.database.sql`select n from counter order by id`).toEqual([{ n: 2 }, { n: 2 }]);
  });

  test('with a mistake in it is not', async () => {
    let runs = 0;
    const wrong = open().transaction(async (tx) => {
      runs += 1;
      await tx.sql`select * from no_such_table`;
    });
    await expect(wrong).rejects.toMatchObject({ code: '42P01' });
    expect(runs).toBe(1);
  });

  test('in which a write fails, fails by the error of that write, whatever was asked or sent after it', async () => {
    const before = await outbox();
    const failing = (after: (tx: Tx) => Promise<unknown>) =>
      open().transaction(async (tx) => {
        tx.write`insert into counter values (1, 0)`;
        await after(tx);
      });
    const isTaken = { code: '23505', table: 'counter' };
    await expect(failing(async () => undefined)).rejects.toMatchObject(isTaken);
    await expect(failing((tx) => tx.sql`select 1`)).rejects.toMatchObject(isTaken);
    await expect(failing((tx) => tx.send(Happened({ thing: 'never' })))).rejects.toMatchObject(isTaken);
    await expect(failing(() => sleep(50))).rejects.toMatchObject(isTaken);
    expect(await outbox()).toEqual(before);
  });

  test('finds what it has written', async () => {
    const found = await open().transaction(async (tx) => {
      tx.write`insert into counter values (7, 70)`;
      const rows = await tx.sql`select n from counter where id = 7`;
      tx.write`delete from counter where id = 7`;
      return rows;
    });
    expect(found).toEqual([{ n: 70 }]);
    expect(await db.database.sql`select n from counter where id = 7`).toEqual([]);
  });

  test('leaves in as few pieces as there are turns of waiting', async () => {
    const database = openDatabase({ url: db.url, size: 1, applicationName: 'test' });
    let pieces = 0;
    database.pool.on('connect', (client) => {
      const { stream } = (client as unknown as { connection: { stream: Writable } }).connection;
      for (const way of ['_write', '_writev'] as const) {
        const write = (stream[way] as (...args: unknown[]) => void).bind(stream);
        stream[way] = (...args: unknown[]) => {
          pieces += 1;
          write(...args);
        };
      }
    });
    const work = () =>
      database.for(origin).transaction(async (tx) => {
        await Promise.all([tx.sql`select 1`, tx.sql`select 2`]);
        tx.write`update counter set n = n where id = 2`;
        await tx.send(Happened({ thing: 'in pieces' }));
      });
    await work();
    pieces = 0;
    await work();
    // Its begin with both statements, and what is written with the outbox and the commit.
    expect(pieces).toBe(2);
    await database.close();
  });

  test('gives its connection back, however it ends', async () => {
    for (let n = 0; n < 10; n++)
      await open()
        .transaction(async (tx) => {
          await tx.sql`select 1 / 0`;
        })
        .catch(() => undefined);
    expect(db.database.pool.waitingCount).toBe(0);
    expect(await db.database.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });
});

describe('statements', () => {
  test('are counted, whether pg or Prisma sends them', async () => {
    const count = async (work: () => Promise<unknown>): Promise<number> => {
      const before = db.database.statements();
      await work();
      return db.database.statements() - before;
    };
    expect(await count(() => db.database.sql`select 1`)).toBe(1);
    // What a Prisma client sends its statements through.
    const driver = await new PrismaPg(db.database.pool).connect();
    expect(await count(() => driver.queryRaw({ sql: 'select 1', args: [], argTypes: [] }))).toBe(1);
    expect(
      await count(() =>
        open().transaction(async (tx) => {
          await tx.sql`select 1`;
          await tx.sql`select 2`;
        }),
      ),
    ).toBe(4);
  });

  test('take values as parameters, never as text', async () => {
    const nasty = "'; drop table counter; --";
    expect(await db.database.sql`select ${nasty}::text as said`).toEqual([{ said: nasty }]);
  });

  test('are put together from parts, each with its values', async () => {
    const upTo = (n: number) => part`and n <= ${n}`;
    const from = (n: number) => part`and n >= ${n}`;
    const numbers = (conditions: ReturnType<typeof part>[], order: 'asc' | 'desc') =>
      db.database.sql<{ n: number }>`
        select n from generate_series(1, ${6}) n where true ${joined(conditions)}
        order by n ${raw(order)} limit ${3}`;
    const only = async (...args: Parameters<typeof numbers>) => (await numbers(...args)).map((row) => row.n);
    expect(await only([], 'asc')).toEqual([1, 2, 3]);
    expect(await only([from(4), upTo(5)], 'desc')).toEqual([5, 4]);
    expect(await only([upTo(2)], 'desc')).toEqual([2, 1]);
    // The same place in the source with other values: a prepared statement must not remember the old ones.
    expect(await only([upTo(1)], 'desc')).toEqual([1]);
  });

  test('whole numbers come as numbers, and one beyond 2^53 is refused, not rounded', async () => {
    expect(await db.database.sql`select ${2 ** 53 - 1}::bigint as n`).toEqual([{ n: 2 ** 53 - 1 }]);
    await expect(db.database.sql`select 9007199254740993::bigint as n`).rejects.toThrow(RangeError);
    expect(await db.database.sql`select 1::bigint as n`).toEqual([{ n: 1 }]);
  });
});

test('messages of one key are always of one shard, and many keys use all sixteen', () => {
  const keys = Array.from({ length: 500 }, () => randomUUID());
  expect(new Set(keys.map(shardOf))).toEqual(new Set(Array.from({ length: 16 }, (_, shard) => shard)));
  for (const key of keys) expect(shardOf(key)).toBe(shardOf(key));
});

test('an envelope has ten fields and fits its schema', () => {
  const made = toEnvelope(Happened({ thing: 'a' }, 3), origin, new Date());
  expect(Object.keys(made)).toHaveLength(10);
  expect(envelope.parse(made)).toEqual(made);
});
