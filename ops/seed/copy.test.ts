import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPorts } from '../stack/ports.ts';
import { startPostgres } from '../stack/postgres.ts';
import type { Started } from '../stack/service.ts';
import { type Cell, copyRows } from './copy.ts';

let dir: string;
let server: Started;
let client: pg.Client;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'orderstream-copy-'));
  const ports = await openPorts(dir);
  const { signal } = new AbortController();
  server = await startPostgres({ dir, env: process.env, ports, durable: false, report: () => {}, signal });
  client = new pg.Client({ connectionString: server.address });
  await client.connect();
}, 30_000);

afterAll(async () => {
  await client?.end();
  await server?.child?.stop();
  await rm(dir, { recursive: true, force: true });
});

// A temporary table: the server may be somebody's own.
beforeEach(() =>
  client.query(`
    drop table if exists "odd table";
    create temp table "odd table" (id int primary key, "the text" text, ok boolean, at timestamptz, data jsonb, amount bigint)`),
);

const columns = ['id', 'the text', 'ok', 'at', 'data', 'amount'];

const stored = async () => (await client.query('select * from "odd table" order by id')).rows;

describe('copying rows into a table', () => {
  test('brings every awkward text back as it was', async () => {
    const texts = [
      '',
      '\\N',
      '\\.',
      'tab\tand\\t',
      'line\nand\r\nreturn\rend',
      'back\\slash\\',
      'naïve £ 💐',
      '"quoted", \'so\'',
    ];
    const count = await copyRows(
      client,
      'odd table',
      ['id', 'the text'],
      texts.map((text, id) => [id, text]),
    );
    expect(count).toBe(texts.length);
    expect((await stored()).map((row) => row['the text'])).toEqual(texts);
  });

  test('keeps nothing apart from the empty text, and dates, numbers and JSON what they are', async () => {
    const at = new Date('2011-07-01T08:30:15.123Z');
    const data = { note: 'a\tb\\c\n"d"', lines: [{ sku: '85123A', quantity: 6 }] };
    await copyRows(client, 'odd table', columns, [
      [1, null, null, null, null, null],
      [2, '', true, at, data, Number.MAX_SAFE_INTEGER],
      [3, 'x', false, at, [1, 'two'], -5],
    ]);
    expect(await stored()).toEqual([
      { id: 1, 'the text': null, ok: null, at: null, data: null, amount: null },
      { id: 2, 'the text': '', ok: true, at, data, amount: '9007199254740991' },
      { id: 3, 'the text': 'x', ok: false, at, data: [1, 'two'], amount: '-5' },
    ]);
  });

  test('no rows are no rows', async () => {
    expect(await copyRows(client, 'odd table', columns, [])).toBe(0);
    expect(await stored()).toEqual([]);
  });

  test('draws rows no faster than the server takes them', async () => {
    const total = 60_000;
    let drawn = 0;
    function* many(): Generator<Cell[]> {
      for (; drawn < total; drawn++) yield [drawn, 'x'.repeat(500)];
    }
    // The event loop turns while rows wait for the server: what is drawn at each turn grows in many small steps.
    const seen = new Set<number>();
    const watch = setInterval(() => seen.add(drawn), 1);
    const count = await copyRows(client, 'odd table', ['id', 'the text'], many());
    clearInterval(watch);
    expect(count).toBe(total);
    expect((await client.query('select count(*)::int as n from "odd table"')).rows).toEqual([{ n: total }]);
    expect(seen.size).toBeGreaterThan(3);
  });

  test('a refused row stores nothing and leaves the connection usable', async () => {
    const twice = copyRows(client, 'odd table', ['id'], [[1], [2], [1]]);
    await expect(twice).rejects.toMatchObject({ code: '23505' });
    expect(await stored()).toEqual([]);
  });

  test('a source that fails half-way stores nothing and leaves the connection usable', async () => {
    function* failing(): Generator<Cell[]> {
      for (let id = 0; id < 5_000; id++) yield [id, 'x'.repeat(100)];
      throw new Error('the file ended in the middle');
    }
    const copy = copyRows(client, 'odd table', ['id', 'the text'], failing());
    await expect(copy).rejects.toThrow('the file ended in the middle');
    expect(await stored()).toEqual([]);
    expect(await copyRows(client, 'odd table', ['id'], [[7]])).toBe(1);
  });

  test('a table or column that is not there is named', async () => {
    await expect(copyRows(client, 'no such table', ['id'], [[1]])).rejects.toMatchObject({ code: '42P01' });
    await expect(copyRows(client, 'odd table', ['nope"; drop'], [[1]])).rejects.toMatchObject({
      code: '42703',
    });
    expect(await copyRows(client, 'odd table', ['id'], [[1]])).toBe(1);
  });
});
