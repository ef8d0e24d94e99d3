import { randomBytes } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { codingFor } from './coding.ts';
import { createCompression, type Packed } from './compression.ts';

test.each([
  [undefined, null],
  ['', null],
  ['gzip', 'gzip'],
  ['gzip, deflate', 'gzip'],
  ['gzip, deflate, br, zstd', 'br'],
  ['GZIP', 'gzip'],
  ['br;q=0.5, gzip', 'gzip'],
  ['br;q=0, gzip;q=0', null],
  ['br;q=nonsense', null],
  ['br;q=2', null],
  ['*', 'br'],
  ['*;q=0.1, br;q=0', 'gzip'],
  ['*;q=0', null],
  ['identity', null],
  ['identity, gzip;q=0.5', null],
  ['identity;q=0.5, gzip', 'gzip'],
  ['deflate, zstd', null],
  ['gzip;q=0.001', 'gzip'],
  [`${'x,'.repeat(10_000)}gzip`, null],
] as const)('a client that accepts %s is answered with %s', (accepted, coding) => {
  expect(codingFor(accepted)).toBe(coding);
  // Once more, from memory.
  expect(codingFor(accepted)).toBe(coding);
});

const compression = createCompression({ enabled: true, atLeast: 1_024 });
const packed = (body: Buffer, coding: 'br' | 'gzip') =>
  new Promise<Packed>((resolve) => compression.pack(body, coding, resolve));

test('short answers go as they are, and all do where it is switched off or not asked for', () => {
  expect(compression.codingFor('gzip', 1_023)).toBeNull();
  expect(compression.codingFor('gzip', 1_024)).toBe('gzip');
  expect(compression.codingFor(undefined, 100_000)).toBeNull();
  expect(createCompression({ enabled: false, atLeast: 1 }).codingFor('gzip', 100_000)).toBeNull();
});

test.each([2_000, 100_000])('what is packed is the same when unpacked, %s bytes', async (size) => {
  const body = Buffer.from(`{"data":"${'Käse '.repeat(size / 6)}"}`);
  const [br, gzip] = await Promise.all([packed(body, 'br'), packed(body, 'gzip')]);
  expect([br.coding, gzip.coding]).toEqual(['br', 'gzip']);
  expect(br.body.length).toBeLessThan(size / 10);
  expect(brotliDecompressSync(br.body).equals(body)).toBe(true);
  expect(gunzipSync(gzip.body).equals(body)).toBe(true);
});

test('what cannot be made shorter goes as it is', async () => {
  const { body, coding } = await packed(randomBytes(2_000), 'gzip');
  expect(coding).toBeNull();
  expect(body).toHaveLength(2_000);
});

test('when too many are under way, further answers go as they are', async () => {
  const body = Buffer.from('a'.repeat(200_000));
  const all = Array.from({ length: 32 }, () => packed(Buffer.from(body), 'gzip'));
  expect(compression.codingFor('gzip', body.length)).toBeNull();
  await Promise.all(all);
  expect(compression.codingFor('gzip', body.length)).toBe('gzip');
});

test('the same bytes for several clients are packed once', async () => {
  const body = Buffer.from('a'.repeat(200_000));
  const [one, two] = await Promise.all([packed(body, 'gzip'), packed(body, 'gzip')]);
  expect(two.body).toBe(one.body);
  expect((await packed(body, 'gzip')).body).toBe(one.body);
  const br = await packed(body, 'br');
  expect([br.coding, one.coding]).toEqual(['br', 'gzip']);
});
