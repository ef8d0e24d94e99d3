// A gateway as it is started by its users, in a process of its own, with a meter in it.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gatewayFlags } from '../../ops/gateway/flags.ts';
import type { Question, Reading } from './meter.ts';

export type MeteredGateway = {
  /** of the GraphQL endpoint */
  readonly url: string;
  readonly read: (meter?: Question['meter']) => Promise<Reading>;
  readonly isAlive: () => boolean;
  /** what it wrote, should it have gone wrong */
  readonly said: () => string;
  readonly stop: () => Promise<void>;
};

type Program = {
  /** relative to the project */
  readonly file: 'gateway/src/standalone/main.ts' | 'gateway/src/main.ts';
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** a module that is loaded before it */
  readonly load?: string;
};

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const firstLine = async (child: ChildProcess, said: () => string): Promise<string> => {
  const lines = createInterface(child.stdout!);
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => String(text)),
    once(child, 'exit').then(() => Promise.reject(new Error(`The gateway did not start: ${said()}`))),
  ]);
  lines.on('line', () => undefined);
  return line;
};

export const startMetered = async ({ file, args = [], env = {}, load }: Program): Promise<MeteredGateway> => {
  const child = fork(fileOf(`../../${file}`), args, {
    execArgv: [
      '--expose-gc',
      ...gatewayFlags,
      ...[new URL('meter.ts', import.meta.url).href, ...(load === undefined ? [] : [load])].flatMap(
        (module) => ['--import', module],
      ),
    ],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr!.on('data', (part: Buffer) => {
    said = (said + part).slice(-4_000);
  });
  const { url } = JSON.parse(await firstLine(child, () => said)) as { url: string };
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    url: url.endsWith('/graphql') ? url : `${url}/graphql`,
    read: async (meter = 'look') => {
      const heard = once(child, 'message');
      child.send({ meter } satisfies Question);
      const [reading] = await heard;
      return reading as Reading;
    },
    isAlive,
    said: () => said,
    stop: async () => {
      if (!isAlive()) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const impatience = setTimeout(() => child.kill('SIGKILL'), 12_000);
      await ended;
      clearTimeout(impatience);
    },
  };
};
