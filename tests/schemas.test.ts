// The SQL migrations and the Prisma schemas say the same, and Prisma's own command line could go on from here.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { testDatabase } from '../ops/stack/migrate.ts';
import { prismaFolder } from '../ops/stack/migrations.ts';
import { schemaDrift } from '../ops/stack/prisma-agrees.ts';
import { subgraphNames } from '../ops/stack/product.ts';

type Row = Record<string, unknown>;

/** An empty database to which every migration of a subgraph has been applied. */
const openDatabase = async (subgraph: string) => {
  const { url, drop } = await testDatabase({ serverUrl: inject('services').databaseUrl, subgraph });
  const client = new pg.Client(url);
  await client.connect();
  return {
    url,
    rows: async (sql: string): Promise<Row[]> => (await client.query<Row>(sql)).rows,
    close: async () => {
      await client.end();
      await drop();
    },
  };
};

const migrationsOf = (subgraph: string): string[] =>
  readdirSync(path.join(prismaFolder, subgraph, 'migrations'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
const checksumOf = (subgraph: string, migration: string): string =>
  createHash('sha256')
    .update(readFileSync(path.join(prismaFolder, subgraph, 'migrations', migration, 'migration.sql')))
    .digest('hex');

const tablesOfItsOwn = `
  select relname as name from pg_class c join pg_namespace n on n.oid = relnamespace
  where nspname = 'public' and relkind in ('r', 'p') and relname <> '_prisma_migrations'`;

describe.each(subgraphNames())('the database of %s', (subgraph) => {
  let database: Awaited<ReturnType<typeof openDatabase>>;
  beforeAll(async () => {
    database = await openDatabase(subgraph);
  });
  afterAll(() => database?.close());

  test('is what its Prisma schema says', async () => {
    const { url, rows } = database;
    if (existsSync(path.join(prismaFolder, subgraph, 'schema.prisma')))
      expect(await schemaDrift(subgraph, url)).toBe('');
    // Without a schema there is nothing that a schema could speak of.
    else expect(await rows(tablesOfItsOwn)).toEqual([]);
  });

  test('remembers its migrations as Prisma would', async () => {
    const { rows } = database;
    const remembered = await rows(
      `select migration_name, checksum, applied_steps_count, logs, rolled_back_at, length(id) as id,
           finished_at >= started_at as finished
         from _prisma_migrations order by started_at, migration_name`,
    );
    expect(remembered).toEqual(
      migrationsOf(subgraph).map((name) => ({
        migration_name: name,
        checksum: checksumOf(subgraph, name),
        applied_steps_count: 1,
        logs: null,
        rolled_back_at: null,
        id: 36,
        finished: true,
      })),
    );
    const columns = await rows(
      `select column_name as name, data_type as type, character_maximum_length as length, is_nullable = 'YES' as empty
         from information_schema.columns where table_name = '_prisma_migrations' order by ordinal_position`,
    );
    const time = 'timestamp with time zone';
    const text = 'character varying';
    expect(columns).toEqual([
      { name: 'id', type: text, length: 36, empty: false },
      { name: 'checksum', type: text, length: 64, empty: false },
      { name: 'finished_at', type: time, length: null, empty: true },
      { name: 'migration_name', type: text, length: 255, empty: false },
      { name: 'logs', type: 'text', length: null, empty: true },
      { name: 'rolled_back_at', type: time, length: null, empty: true },
      { name: 'started_at', type: time, length: null, empty: false },
      { name: 'applied_steps_count', type: 'integer', length: null, empty: false },
    ]);
  });

  test('belongs to tenants: every table names one', async () => {
    const { rows } = database;
    const without = await rows(
      `${tablesOfItsOwn} and not exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant_id'
           and atttypid = 'uuid'::regtype and attnotnull)`,
    );
    expect(without).toEqual([]);
  });

  test('starts with the same plumbing as every other', () => {
    const [plumbing] = migrationsOf(subgraph);
    expect(
      readFileSync(path.join(prismaFolder, subgraph, 'migrations', plumbing!, 'migration.sql'), 'utf8'),
    ).toBe(readFileSync(path.join(prismaFolder, '../runtime/sql/plumbing.sql'), 'utf8'));
  });
});

test('a difference between the two is told', async () => {
  const { url, rows, close } = await openDatabase('orders');
  await rows('alter table cart add column colour text');
  expect(await schemaDrift('orders', url)).toContain('DROP COLUMN "colour"');
  await close();
});
