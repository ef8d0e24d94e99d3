import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isFree, openPorts } from './ports.ts';

let folder: string;
let taken: Server[];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'orderstream-ports-'));
  taken = [];
});
afterEach(() => {
  for (const server of taken) server.close();
  rmSync(folder, { recursive: true, force: true });
});

const take = (port: number) =>
  new Promise<void>((resolve, reject) => {
    const server = createServer().once('error', reject);
    taken.push(server.listen(port, '127.0.0.1', resolve));
  });

test('the second start finds the ports of the first', async () => {
  const first = await openPorts(folder);
  const second = await openPorts(folder);
  expect(second.ports).toEqual(first.ports);
  expect(new Set(Object.values(first.ports)).size).toBe(4);
});

test('a port that somebody took meanwhile is replaced, the others stay', async () => {
  const { ports: first } = await openPorts(folder);
  await take(first.redis);
  const { ports: second } = await openPorts(folder);
  expect(second).toEqual({ ...first, redis: second.redis });
  expect(second.redis).not.toBe(first.redis);
  expect(await isFree(second.redis)).toBe(true);
});

test('a port taken between the look and the start is replaced and remembered', async () => {
  const book = await openPorts(folder);
  const before = book.ports.kafka;
  const after = await book.replace('kafka');
  expect(after).not.toBe(before);
  expect(book.ports.kafka).toBe(after);
  expect(JSON.parse(readFileSync(path.join(folder, 'ports.json'), 'utf8')).kafka).toBe(after);
});

test('a port asked for by number is used, or its absence is told', async () => {
  const { ports } = await openPorts(folder);
  const other = await openPorts(folder, { postgres: ports.redis });
  expect(other.ports.postgres).toBe(ports.redis);
  expect(other.ports.redis).not.toBe(ports.redis);
  await take(ports.redis);
  await expect(openPorts(folder, { postgres: ports.redis })).rejects.toThrow(`Port ${ports.redis}`);
});
