import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { PortBook, PortName } from './ports.ts';
import { fileProblem, problems } from './problem.ts';
import { isAlive, markOf, type ProcessMark, readMark } from './process-mark.ts';

/** Another user to run as: PostgreSQL refuses to be root. */
export type Account = { readonly uid: number; readonly gid: number };

export type Child = {
  readonly pid: number;
  /** Resolves when the process has ended, however that came. */
  readonly exited: Promise<number | null>;
  readonly lastLines: () => string;
  stop(): Promise<void>;
};

export type ChildOptions = {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly account?: Account | null;
  /** Where the pid file and the log stand. */
  readonly dir: string;
  /** The log line by which readiness is known. */
  readonly ready: RegExp;
  readonly timeoutMs: number;
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  readonly stopMs?: number;
  readonly signal?: AbortSignal;
};

/** The port was free when we looked and taken when the service came: the caller tries another. */
class PortTaken extends Error {}
const portTaken = /address already in use|EADDRINUSE|BindException|Failed listening on port/i;

// Whatever still runs when this process ends without having stopped it (an exception, process.exit) is told to
// stop by a hook that may not wait. A SIGKILL leaves them behind: the next start finds them by their pid files.
const running = new Map<ChildProcess, NodeJS.Signals>();
process.on('exit', () => {
  for (const [child, signal] of running) child.kill(signal);
});

const lastLinesOf = (log: string, count = 8): string => {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
};

const endedWithin = async (gone: () => boolean, ms: number): Promise<boolean> => {
  for (const end = Date.now() + ms; Date.now() < end; await pause(10)) if (gone()) return true;
  return gone();
};

/** Ends what an earlier run, killed before it could stop its services, left in this folder. True when there was something. */
export const endLeftover = async (dir: string, name: string, signal: NodeJS.Signals): Promise<boolean> => {
  const file = path.join(dir, `${name}.pid`);
  const mark = readMark(file);
  const alive = mark !== null && isAlive(mark);
  if (alive) await endProcess(mark, signal, 10_000);
  rmSync(file, { force: true });
  return alive;
};

export const endProcess = async (
  mark: ProcessMark,
  signal: NodeJS.Signals,
  patienceMs: number,
): Promise<void> => {
  const send = (which: NodeJS.Signals) => {
    try {
      process.kill(mark.pid, which);
    } catch {
      // It ended between the look and the signal.
    }
  };
  send(signal);
  if (await endedWithin(() => !isAlive(mark), patienceMs)) return;
  send('SIGKILL');
  await endedWithin(() => !isAlive(mark), 5000);
};

/**
 * Starts a service and waits for its ready line. It gets a session of its own, so that Ctrl-C in the terminal reaches
 * only us and we stop things in order, and writes to a file, which does not break when we are gone.
 */
export const startChild = async (options: ChildOptions): Promise<Child> => {
  const { name, dir, signal } = options;
  signal?.throwIfAborted();
  const log = path.join(dir, `${name}.log`);
  const pidFile = path.join(dir, `${name}.pid`);
  try {
    if (existsSync(log)) renameSync(log, `${log}.old`);
  } catch (error) {
    throw fileProblem(error, dir);
  }
  const output = openSync(log, 'a', 0o600);
  const child = spawn(options.file, options.args, {
    stdio: ['ignore', output, output],
    detached: true,
    cwd: '/',
    env: options.env ?? process.env,
    ...(options.account ?? {}),
  });
  closeSync(output);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  const { pid } = child;
  if (pid === undefined) {
    const cause = await new Promise<Error>((resolve) => child.once('error', resolve));
    throw problems.diedEarly(name, options.file, cause.message);
  }
  child.unref();
  running.set(child, options.stopSignal);
  const mark = markOf(pid);
  if (mark) writeFileSync(pidFile, JSON.stringify(mark));
  let over = false;
  void exited.then(() => {
    over = true;
    running.delete(child);
    rmSync(pidFile, { force: true });
  });

  const stop = async () => {
    if (over) return;
    child.kill(options.stopSignal);
    if (await endedWithin(() => over, options.stopMs ?? 20_000)) return;
    child.kill('SIGKILL');
    await endedWithin(() => over, 5000);
  };

  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    if (options.ready.test(readFileSync(log, 'utf8'))) break;
    if (over) {
      const text = lastLinesOf(log, 30);
      throw portTaken.test(text) ? new PortTaken(name) : problems.diedEarly(name, log, lastLinesOf(log));
    }
    if (Date.now() > deadline || signal?.aborted) {
      await stop();
      signal?.throwIfAborted();
      throw problems.tooSlow(name, log, options.timeoutMs / 1000);
    }
    await pause(10);
  }
  return { pid, exited, stop, lastLines: () => lastLinesOf(log) };
};

/** Between our look at a port and the service's start another program may take it: then the next try has another. */
export const startOnFreePort = async (
  book: PortBook,
  names: readonly PortName[],
  begin: () => Promise<Child>,
): Promise<Child> => {
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      return await begin();
    } catch (error) {
      if (!(error instanceof PortTaken)) throw error;
      for (const name of names) await book.replace(name);
    }
  }
  throw problems.noFreePort();
};
