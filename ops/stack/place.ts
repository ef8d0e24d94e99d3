import { createHash } from 'node:crypto';
import { accessSync, chmodSync, chownSync, constants, mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Account } from './child.ts';
import { nobody } from './machine.ts';
import { fileProblem } from './problem.ts';

/**
 * Where a service keeps its files and as whom it runs. Root lends PostgreSQL and Redis the account "nobody"; that
 * account must be able to walk to the folder, and in a checkout closed to others (0700, as /root is) it cannot.
 * Then the data stands under /var/lib/orderstream, in a folder named by a hash of the one it stands in for.
 */
export type Place = { readonly folder: string; readonly account: Account | null };

const VAR = '/var/lib/orderstream';

/** The folder itself and all above it may be entered (and the file at its end read) by the account. */
export const canReach = (target: string, account: Account): boolean => {
  for (let at = path.resolve(target); ; at = path.dirname(at)) {
    const { mode, uid, gid } = statSync(at);
    const needed = 0o5;
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    // Above the target, entering is enough.
    const wanted = at === path.resolve(target) ? needed : 0o1;
    if (((mode >> shift) & wanted) !== wanted) return false;
    if (at === path.dirname(at)) return true;
  }
};

export const standIn = (dir: string): string =>
  path.join(VAR, createHash('sha256').update(path.resolve(dir)).digest('hex').slice(0, 16));

/** Makes the data folder if need be; a problem when it cannot be made or written. */
export const openFolder = (dir: string): void => {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fileProblem(error, dir);
  }
};

/** A folder in `dir`, or in its stand-in, that the service's account owns and nobody else can read. */
export const placeFor = (dir: string, name: string): Place => {
  const account = process.getuid?.() === 0 ? nobody() : null;
  try {
    const base = account && !canReach(dir, account) ? standIn(dir) : dir;
    const folder = path.join(base, name);
    mkdirSync(folder, { recursive: true });
    if (account) chownSync(folder, account.uid, account.gid);
    chmodSync(folder, 0o700);
    return { folder, account };
  } catch (error) {
    throw fileProblem(error, dir);
  }
};

/** Removes the data folder and whatever stands in for parts of it. Nothing may be running on it. */
export const removeData = (dir: string): void => {
  try {
    rmSync(dir, { recursive: true, force: true });
    if (process.getuid?.() === 0) rmSync(standIn(dir), { recursive: true, force: true });
  } catch (error) {
    throw fileProblem(error, dir);
  }
};
