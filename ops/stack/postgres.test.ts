import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { removeData } from './place.ts';
import { openPorts } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { problems } from './problem.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'orderstream-postgres-'));
afterAll(() => removeData(dir));

const start = async () => {
  const env = { ...process.env, DATABASE_URL: '' };
  const { signal } = new AbortController();
  const ports = await openPorts(dir);
  return startPostgres({ dir, env, ports, durable: false, report: () => undefined, signal });
};
let data: string;
beforeEach(async () => {
  const { child, folder } = await start();
  await child?.stop();
  data = folder ?? '';
});

test('nobody comes in without the password', async () => {
  const { address, child } = await start();
  const client = new pg.Client(address.replace(/:[^:@]+@/, ':guessed@'));
  await expect(client.connect()).rejects.toThrow('password authentication failed');
  await child?.stop();
});

test('a pid file left by a power cut, its number now a stranger’s, is no obstacle', async () => {
  const file = path.join(data, 'postmaster.pid');
  // This very process is alive and no database, but the server would take it for its earlier self.
  writeFileSync(file, `${process.pid}\n${data}\n0\n5432\n\n\n`);
  const { child } = await start();
  expect(Number.parseInt(readFileSync(file, 'utf8'), 10)).toBe(child?.pid);
  await child?.stop();
});

test('data of another major version is left alone and named', async () => {
  const version = path.join(data, 'PG_VERSION');
  const ours = readFileSync(version, 'utf8');
  writeFileSync(version, '14\n');
  await expect(start()).rejects.toThrow(problems.otherVersion(data, '14', ours.trim()).message);
  writeFileSync(version, ours);
});

test('a lost password is named, and the data is not made anew', async () => {
  const file = path.join(dir, 'postgres.password');
  const password = readFileSync(file);
  rmSync(file);
  await expect(start()).rejects.toThrow(problems.noPassword(file).message);
  writeFileSync(file, password, { mode: 0o600 });
  const { child } = await start();
  await child?.stop();
});
