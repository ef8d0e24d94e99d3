import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openPorts } from './ports.ts';
import { type ProcessOptions, startProcess } from './processes.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'orderstream-processes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = (code: string, port: number): ProcessOptions => ({
  name: 'shop',
  args: ['-e', code],
  env: { ...process.env, PORT: String(port) },
  readyUrl: `http://127.0.0.1:${port}/health/ready`,
  logFile: path.join(folder, `${port}.log`),
  timeoutMs: 8000,
});
const freePort = async () => (await openPorts(folder)).replace('redis');
const server = `
  let asked = 0;
  require('node:http').createServer((_, response) => {
    response.statusCode = ++asked < 3 ? 503 : 200;
    response.end();
  }).listen(process.env.PORT, '127.0.0.1');`;

test('a process counts as started when it says that it is ready', async () => {
  const port = await freePort();
  const shop = await startProcess(program(server, port));
  expect((await fetch(`http://127.0.0.1:${port}`)).status).toBe(200);
  await shop.stop();
  await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow();
});

test('a killed process is seen and stays down', async () => {
  const shop = await startProcess(program(server, await freePort()));
  shop.kill('SIGKILL');
  expect(await shop.exited).toBeNull();
  await shop.stop();
});

test('one that ends before it is ready is told with its last words', async () => {
  const starting = startProcess(
    program(`console.log('no money in the till'); process.exit(3)`, await freePort()),
  );
  await expect(starting).rejects.toThrow(/shop ended before it was ready[\s\S]*no money in the till/);
});

test('one that never gets ready is ended and told', async () => {
  const waiting = { ...program('setTimeout(() => {}, 60_000)', await freePort()), timeoutMs: 300 };
  await expect(startProcess(waiting)).rejects.toThrow(/did not answer .* within 0.3 s/);
});
