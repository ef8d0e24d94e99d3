import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { databaseOf, databaseUrl, migrate, testDatabase } from './migrate.ts';
import { removeData } from './place.ts';
import { openPorts } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { schemaDrift } from './prisma-agrees.ts';
import type { Started } from './service.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'orderstream-migrate-'));
let server: Started;
let serverUrl: string;
beforeAll(async () => {
  const env = { ...process.env, DATABASE_URL: '' };
  const { signal } = new AbortController();
  server = await startPostgres({
    dir,
    env,
    ports: await openPorts(dir),
    durable: false,
    report: () => undefined,
    signal,
  });
  serverUrl = server.address;
}, 60_000);
afterAll(async () => {
  await server?.child?.stop();
  removeData(dir);
});

let number = 0;
let folder: string;
let database: string;
beforeEach(() => {
  number++;
  folder = path.join(dir, `prisma-${number}`);
  database = `shop_${number}`;
  write('20260101000000_goods', 'create table goods (id uuid primary key, name text not null);');
  write(
    '20260102000000_outbox',
    'create schema plumbing; create table plumbing.outbox (n bigint primary key, kind "char" not null);',
  );
});
const write = (name: string, script: string) => {
  mkdirSync(path.join(folder, 'shop/migrations', name), { recursive: true });
  writeFileSync(path.join(folder, 'shop/migrations', name, 'migration.sql'), script);
};
const run = () => migrate({ serverUrl, subgraph: 'shop', database, folder });
const sql = async (url: string, statement: string) => {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query(statement);
  await client.end();
  return rows;
};
const here = () => databaseUrl(serverUrl, database);

test('a missing database is made and brought up to date, in order, once', async () => {
  expect(await run()).toEqual({ applied: ['20260101000000_goods', '20260102000000_outbox'] });
  expect(await run()).toEqual({ applied: [] });
  write('20260103000000_price', 'alter table goods add price bigint;');
  expect(await run()).toEqual({ applied: ['20260103000000_price'] });
  await sql(here(), 'select price from goods');
});

test('two starters at once apply everything once', async () => {
  const both = await Promise.all([run(), run(), run()]);
  expect(both.flatMap(({ applied }) => applied).sort()).toEqual([
    '20260101000000_goods',
    '20260102000000_outbox',
  ]);
});

test('an edited migration stops the start and is named', async () => {
  await run();
  write('20260101000000_goods', 'create table goods (id text);');
  await expect(run()).rejects.toThrow('prisma/shop/migrations/20260101000000_goods was edited');
});

test('a failed migration leaves nothing half done, is named, and stops the next start too', async () => {
  write('20260103000000_wrong', 'create table half (n int); create table goods (n int);');
  const why = 'prisma/shop/migrations/20260103000000_wrong failed: relation "goods" already exists';
  await expect(run()).rejects.toThrow(why);
  expect(await sql(here(), `select to_regclass('half') as half`)).toEqual([{ half: null }]);
  write('20260103000000_wrong', 'create table half (n int);');
  await expect(run()).rejects.toThrow(why);
  // What `prisma migrate resolve --rolled-back` writes.
  await sql(here(), 'update _prisma_migrations set rolled_back_at = now() where finished_at is null');
  expect(await run()).toEqual({ applied: ['20260103000000_wrong'] });
});

test('a migration without its file is named', async () => {
  mkdirSync(path.join(folder, 'shop/migrations/20260103000000_empty'));
  await expect(run()).rejects.toThrow('20260103000000_empty has no migration.sql');
});

test('each test has a database of its own, made from the same migrations', async () => {
  const options = { serverUrl, subgraph: 'shop', folder };
  const [one, two] = await Promise.all([testDatabase(options), testDatabase(options)]);
  await sql(one.url, `insert into goods values (gen_random_uuid(), 'kettle')`);
  expect(await sql(two.url, 'select count(*)::int as n from goods')).toEqual([{ n: 0 }]);
  await one.drop();
  await expect(sql(one.url, 'select 1')).rejects.toThrow('does not exist');
  write('20260103000000_price', 'alter table goods add price bigint;');
  const three = await testDatabase(options);
  await sql(three.url, 'select price from goods');
});

test('Prisma agrees: nothing to add, the plumbing left alone, and a difference told', async () => {
  const schema = (field: string) => `
    generator client {
      provider = "prisma-client"
      output   = "../generated"
    }
    datasource db {
      provider = "postgresql"
    }
    model goods {
      id   String @id @db.Uuid
      name String
      ${field}
    }`;
  await run();
  writeFileSync(path.join(folder, 'shop/schema.prisma'), schema(''));
  expect(await schemaDrift('shop', here(), folder)).toBe('');
  writeFileSync(path.join(folder, 'shop/schema.prisma'), schema('price BigInt?'));
  expect(await schemaDrift('shop', here(), folder)).toContain(
    'ALTER TABLE "goods" ADD COLUMN     "price" BIGINT',
  );
}, 30_000);

test('a subgraph has its own database, on its own server where one is named', () => {
  const shared = 'postgresql://shop:secret@db:5432/postgres';
  expect(databaseOf('orders', shared, {})).toEqual({
    serverUrl: shared,
    database: 'orderstream_orders',
    url: 'postgresql://shop:secret@db:5432/orderstream_orders',
  });
  const own = 'postgresql://shop:secret@other:5432/orders?sslmode=require';
  expect(databaseOf('orders', shared, { ORDERS_DATABASE_URL: own })).toEqual({
    serverUrl: 'postgresql://shop:secret@other:5432/postgres?sslmode=require',
    database: 'orders',
    url: own,
  });
});
