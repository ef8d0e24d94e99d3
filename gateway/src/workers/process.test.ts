// The gateway as several processes at one port.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Library, openLibrary } from '../standalone/fixture-library.ts';

let library: Library;

beforeAll(async () => {
  library = await openLibrary();
});
afterAll(() => library.close());

const program = fileURLToPath(new URL('../standalone/main.ts', import.meta.url));

const start = async (settings: string) => {
  const config = join(library.dir, 'workers.yaml');
  writeFileSync(config, settings);
  const child = spawn(
    process.execPath,
    [program, '--supergraph', library.file, '--port', '0', '--config', config],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH } },
  );
  const exited = once(child, 'exit');
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('{"url"')) {
      child.stdout.resume();
      return { child, exited, url: JSON.parse(line).url as string };
    }
  throw new Error(complaints);
};

/** The processes that one has started, as the system knows them. */
const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);

/** On a connection of its own: which worker answers is decided with the connection. */
const ask = async (url: string): Promise<unknown> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: '{"query":"{ books { title } }"}',
  });
  return ((await response.json()) as { data: unknown }).data;
};

const titles = { books: [{ title: 'Emma' }, { title: 'Élan — ünïcode 😀' }] };

const until = async (what: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await what().catch(() => false)) return;
    await pause(100);
  }
  throw new Error('it did not come to pass');
};

test('two workers serve at one port, are counted together, and one that dies is replaced', async () => {
  const { child, exited, url } = await start(
    'listen: { workers: 2 }\ntelemetry: { accessLog: { enabled: false } }\nsupergraph: { watch: false }',
  );
  for (let time = 0; time < 8; time += 1) expect(await ask(url)).toEqual(titles);
  const page = async () => (await fetch(new URL('/metrics', url))).text();
  const answered = async (): Promise<number[]> =>
    (await page())
      .split('\n')
      .filter((line) => /^\S*plan_cache_requests_total\{/.test(line))
      .map((line) => Number(line.split(' ').at(-1)));
  const counts = await answered();
  // Hits and misses of each.
  expect(counts).toHaveLength(4);
  expect(counts.reduce((sum, each) => sum + each, 0)).toBe(8);

  const before = childrenOf(child.pid!);
  expect(before).toHaveLength(2);
  process.kill(before[0]!, 'SIGKILL');
  await until(async () => {
    const now = childrenOf(child.pid!);
    return now.length === 2 && !now.includes(before[0]!) && (await answered()).length === 4;
  });
  for (let time = 0; time < 4; time += 1) expect(await ask(url)).toEqual(titles);

  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  await expect(ask(url)).rejects.toThrow();
}, 60_000);

test('what keeps workers from opening is said once, and nothing stays behind', async () => {
  await expect(start('listen: { workers: 2 }\nredis: { url: "http://nowhere" }')).rejects.toThrow(
    'redis.url',
  );
}, 60_000);
