import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lock, tryLock } from './lock.ts';
import { isAlive, markOf, type ProcessMark } from './process-mark.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'orderstream-lock-'));
  file = path.join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const deadMark = async (): Promise<ProcessMark> => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
  const mark = markOf(child.pid ?? 0);
  if (!mark) throw new Error('the process has no mark');
  expect(isAlive(mark)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return mark;
};

test('one holds the lock, and the other learns who', () => {
  const mine = tryLock(file);
  expect(mine).toHaveProperty('release');
  expect(tryLock(file)).toEqual({ heldBy: markOf(process.pid) });
  if ('release' in mine) mine.release();
  expect(existsSync(file)).toBe(false);
});

test('the lock of a killed process is taken over', async () => {
  writeFileSync(file, JSON.stringify(await deadMark()));
  expect(tryLock(file)).toHaveProperty('release');
  expect(readdirSync(folder)).toEqual(['lock']);
});

test('a stranger who got the number of a dead process is not taken for it', () => {
  writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
  expect(tryLock(file)).toHaveProperty('release');
});

test('those who wait come one after the other', async () => {
  let inside = 0;
  let most = 0;
  const turn = async () => {
    const held = await lock(file);
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside--;
    held.release();
  };
  await Promise.all([turn(), turn(), turn(), turn()]);
  expect(most).toBe(1);
});
