import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { StackProblem } from './problem.ts';

/** One of our own processes: a host, the gateway, a simulator. Nothing starts it again when it ends: a crash is seen. */
export type Running = {
  readonly name: string;
  readonly pid: number;
  /** SIGTERM, and SIGKILL for one that has not ended ten seconds later. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** The exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
};

export type ProcessOptions = {
  readonly name: string;
  /** For this same Node: its own options, the file, the file's arguments. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Answers 200 when the process is ready. */
  readonly readyUrl: string;
  readonly logFile: string;
  readonly timeoutMs: number;
  readonly cwd?: string;
};

const STOP_MS = 10_000;
const alive = new Map<number, () => void>();
process.on('exit', () => {
  for (const kill of alive.values()) kill();
});

/** Starts a process and waits until it is ready. Throws a StackProblem with its last words when it ends before. */
export const startProcess = async (options: ProcessOptions): Promise<Running> => {
  const { name, logFile } = options;
  mkdirSync(path.dirname(logFile), { recursive: true });
  const output = openSync(logFile, 'a', 0o600);
  const from = statSync(logFile).size;
  const child = spawn(process.execPath, options.args, {
    stdio: ['ignore', output, output],
    // A session of its own: Ctrl-C in the terminal reaches us alone, and we stop things in order.
    detached: true,
    env: options.env,
    cwd: options.cwd,
  });
  closeSync(output);
  let over = false;
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  const { pid } = child;
  if (pid === undefined) throw endedEarly(name, logFile, from);
  child.unref();
  alive.set(pid, () => child.kill('SIGTERM'));
  void exited.then(() => {
    over = true;
    alive.delete(pid);
  });

  const running: Running = {
    name,
    pid,
    exited,
    kill: (signal) => void child.kill(signal),
    stop: async () => {
      if (over) return;
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(patience);
    },
  };
  for (const deadline = Date.now() + options.timeoutMs; !(await answers(options.readyUrl)); await pause(20)) {
    if (over) throw endedEarly(name, logFile, from);
    if (Date.now() < deadline) continue;
    await running.stop();
    throw new StackProblem(
      `${name} did not answer ${options.readyUrl} within ${options.timeoutMs / 1000} s.`,
      `The whole log: ${logFile}`,
    );
  }
  // Another program may answer at this address while ours could not take it.
  if (over) throw endedEarly(name, logFile, from);
  return running;
};

const answers = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
};

const endedEarly = (name: string, logFile: string, from: number): StackProblem => {
  const lines = readFileSync(logFile).subarray(from).toString().trimEnd().split('\n').slice(-12);
  return new StackProblem(
    `${name} ended before it was ready; its last words:\n    ${lines.join('\n    ')}`,
    `The whole log: ${logFile}`,
  );
};
