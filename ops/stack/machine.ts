import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { lock } from './lock.ts';
import { type Machine, problems } from './problem.ts';

export const thisMachine = (env: NodeJS.ProcessEnv): Machine => ({
  isDebian: existsSync('/etc/debian_version') && onPath('apt-get', env) !== null,
  isRoot: process.getuid?.() === 0,
  isMac: process.platform === 'darwin',
});

/** The full path of a program, as a shell would find it. */
export const onPath = (program: string, env: NodeJS.ProcessEnv): string | null => {
  for (const folder of (env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder, program);
    if (folder && isExecutable(file)) return file;
  }
  return null;
};

export const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The unprivileged account that every Unix has; PostgreSQL runs under it when we are root. */
export const nobody = (): { uid: number; gid: number } => {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith('nobody:'));
    const [, , uid, gid] = line?.split(':') ?? [];
    return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) };
  } catch {
    return { uid: 65534, gid: 65534 };
  }
};

const NEEDED_MB = 1500;
export const checkDisk = (folder: string): void => {
  const { bavail, bsize } = statfsSync(folder);
  const freeMb = Math.floor((bavail * bsize) / 2 ** 20);
  if (freeMb < NEEDED_MB) throw problems.diskFull(folder, freeMb);
};

export type Finished = { readonly ok: boolean; readonly lastLine: string };

/** Runs a program to its end without a shell, its words kept for the message when it fails. */
export const run = (file: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const hear = (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-8000);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', (error) => {
      if (error.name === 'AbortError') reject(error);
      else resolve({ ok: false, lastLine: error.message });
    });
    child.once('close', (code) => resolve({ ok: code === 0, lastLine: tellingLine(text) }));
  });

export type RunOptions = {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  signal?: AbortSignal;
};

/** The first line that speaks of an error tells more than the last, which tends to be advice. */
const tellingLine = (text: string): string => {
  const lines = text.split('\n').map((line) => line.trim());
  const found =
    lines.find((line) => /error|fatal|unable|^E:/i.test(line)) ?? lines.filter(Boolean).at(-1) ?? '';
  return found.length > 300 ? `${found.slice(0, 300)}…` : found;
};

// One installation at a time: two services may miss their program in the same start, and apt has one lock.
let queue: Promise<unknown> = Promise.resolve();

/** Installs Debian packages. Only for root on Debian; everyone else is told the command. */
export const aptInstall = (packages: readonly string[], signal?: AbortSignal): Promise<void> => {
  const turn = queue.then(() => install(packages, signal));
  queue = turn.catch(() => undefined);
  return turn;
};

const install = async (packages: readonly string[], signal?: AbortSignal): Promise<void> => {
  const held = await lock('/var/lib/orderstream/apt.lock', signal);
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
    const apt = (...args: string[]) =>
      run('apt-get', ['-q', '-y', '-o', 'DPkg::Lock::Timeout=180', ...args], { env });
    const once = () => apt('install', '--no-install-recommends', ...packages);
    if ((await once()).ok) return;
    // The list of packages may be absent (a fresh container) or name versions that are gone.
    await apt('update');
    const second = await once();
    if (!second.ok) throw problems.aptFailed(packages, second.lastLine);
  } finally {
    held.release();
  }
};

/** The first line that a program says of its version; empty when it cannot be run. */
export const versionLine = (
  file: string,
  args: readonly string[],
  account?: { uid: number; gid: number },
): string => {
  const { stdout, stderr } = spawnSync(file, args, {
    encoding: 'utf8',
    cwd: '/',
    timeout: 10_000,
    ...account,
  });
  return `${stdout ?? ''}${stderr ?? ''}`.split('\n')[0] ?? '';
};
