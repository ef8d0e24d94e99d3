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

/** The account may walk to the folder and into it. */
export const canEnter = (folder: string, account: Account): boolean => {
  const at = path.resolve(folder);
  const { mode, uid, gid } = statSync(at);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  const mayPass = ((mode >> shift) & 1) === 1;
  return mayPass && (at === path.dirname(at) || canEnter(path.dirname(at), account));
};

/** Whether the account gets into the data folder. The folder itself is ours: a right of way, not to look, is given. */
const letIn = (dir: string, account: Account): boolean => {
  if (canEnter(dir, account)) return true;
  if (!canEnter(path.dirname(dir), account)) return false;
  chmodSync(dir, statSync(dir).mode | 0o001);
  return canEnter(dir, account);
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
    const base = account && !letIn(dir, account) ? standIn(dir) : dir;
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
