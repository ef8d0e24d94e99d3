import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { notRunning } from './running-stack.ts';
import { variants } from './scenarios.ts';

const file = join(import.meta.dirname, 'demo.ts');
let dir = '';

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'orderstream-demo-'));
});
afterAll(() => rm(dir, { recursive: true }));

const run = (...args: string[]): Promise<{ code: number; said: string; complained: string }> =>
  new Promise((done) => {
    execFile(process.execPath, [file, ...args], { timeout: 15_000 }, (error, said, complained) =>
      done({ code: error ? Number(error.code) : 0, said, complained }),
    );
  });

test('without a running shop the demo says how to start one', async () => {
  expect(await run('--dir', dir)).toEqual({ code: 1, said: '', complained: `${notRunning}\n` });
});

test('a shop that was killed is not running either', async () => {
  const left = createServer();
  await new Promise<void>((done) => left.listen(0, '127.0.0.1', done));
  const at = `127.0.0.1:${(left.address() as AddressInfo).port}/graphql`;
  await new Promise((done) => left.close(done));
  const gateway = { graphql: `http://${at}`, subscriptions: `ws://${at}` };
  await writeFile(join(dir, 'stack.json'), JSON.stringify({ gateway, processes: [] }));
  expect(await run('--json', '--dir', dir)).toEqual({ code: 1, said: '', complained: `${notRunning}\n` });
  await rm(join(dir, 'stack.json'));
});

test('help names every variant', async () => {
  const { code, said } = await run('--help');
  expect(code).toBe(0);
  const named = [...Object.keys(variants).map((name) => `--${name}`), '--json', '--dir'];
  for (const option of named) expect(said).toMatch(new RegExp(`^  ${option}\\b`, 'm'));
});

test('an option that is none is told, with those there are', async () => {
  const { code, complained } = await run('--declined');
  expect(code).toBe(1);
  expect(complained).toMatch(/'--declined'.*--out-of-stock/s);
});

test('two variants at a time are refused', async () => {
  expect(await run('--decline', '--cancel')).toMatchObject({
    code: 1,
    complained: 'One variant at a time.\n',
  });
});

test('a rejection goes with a suspicious order, and with nothing else', async () => {
  expect(await run('--fraud', '--reject', '--dir', dir)).toMatchObject({ complained: `${notRunning}\n` });
  expect(await run('--cancel', '--reject')).toMatchObject({ complained: 'One variant at a time.\n' });
});
