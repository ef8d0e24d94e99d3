// The bench's processes: gateways on one core, everything else on the other, where Linux lets us say so.
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Asked, Heard } from './load-messages.ts';

/** before any of us has stepped aside */
export const cores = availableParallelism();

export const canPin = cores > 1 && spawnSync('taskset', ['--version']).status === 0;

const gatewayCore = '0';
const otherCore = '1';

/** The bench itself looks on from where it disturbs no gateway. */
export const stepAside = (): void => {
  if (canPin) spawnSync('taskset', ['-a', '-cp', otherCore, String(process.pid)]);
};

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return port;
};

export type Program = {
  /** what Node runs, after its own flags */
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly folder?: string;
  readonly isGateway: boolean;
};

export type Running = {
  readonly pid: number;
  /** what it said first */
  readonly said: () => string;
  readonly hasEnded: () => boolean;
  readonly stop: () => Promise<void>;
};

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(impatience);
};

export const start = ({ command, env, folder, isGateway }: Program): Running => {
  const node = [process.execPath, ...command];
  const [file, ...args] = canPin
    ? ['taskset', '-c', isGateway ? gatewayCore : otherCore, ...node]
    : (node as [string, ...string[]]);
  const child = spawn(file!, args, {
    // Nothing goes out of the machine, and no proxy stands between.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...env },
    cwd: folder,
    // An access log is written, and read by nobody.
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  const hear = (part: Buffer): void => {
    said = (said + part).slice(0, 4_000);
  };
  child.stderr!.on('data', hear);
  child.on('error', (error) => hear(Buffer.from(String(error))));
  return {
    pid: child.pid ?? -1,
    said: () => said.trim(),
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    stop: () => stop(child),
  };
};

export type Load = {
  readonly ask: (asked: Asked) => Promise<Heard>;
  readonly stop: () => Promise<void>;
};

export const startLoad = (): Load => {
  const child = fork(fileURLToPath(new URL('load.ts', import.meta.url)));
  if (canPin) spawnSync('taskset', ['-a', '-cp', otherCore, String(child.pid)]);
  return {
    ask: async (asked) => {
      child.send(asked);
      const [heard] = await once(child, 'message');
      return heard as Heard;
    },
    stop: () => stop(child),
  };
};
