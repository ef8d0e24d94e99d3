import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nobody } from './machine.ts';
import { canEnter, placeFor, removeData, standIn } from './place.ts';

const isRoot = process.getuid?.() === 0;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'orderstream-place-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The data folder of a checkout that is closed to others, or open. */
const dataIn = (mode: number): string => {
  chmodSync(folder, mode);
  const dir = path.join(folder, '.data');
  mkdirSync(dir, { mode: 0o700 });
  return dir;
};

test('in an open checkout the data stands in its own folder, closed to everyone else', () => {
  const dir = dataIn(0o755);
  const place = placeFor(dir, 'postgres');
  expect(place.folder).toBe(path.join(dir, 'postgres'));
  expect(statSync(place.folder).mode & 0o777).toBe(0o700);
  // Others may at most pass through the data folder; they never list or write it.
  expect(statSync(dir).mode & 0o066).toBe(0);
  if (place.account) expect(canEnter(dir, place.account)).toBe(true);
});

test('in a closed checkout root’s database stands elsewhere, and goes with the folder it stands in for', () => {
  const dir = dataIn(0o700);
  const { folder: place, account } = placeFor(dir, 'postgres');
  // Only root lends its services another account; for anyone else a closed checkout is as good as any.
  expect(account).toEqual(isRoot ? nobody() : null);
  expect(place).toBe(path.join(isRoot ? standIn(dir) : dir, 'postgres'));
  if (account) expect(canEnter(place, account)).toBe(true);
  expect(statSync(place).mode & 0o777).toBe(0o700);
  removeData(dir);
  expect(existsSync(place)).toBe(false);
});
