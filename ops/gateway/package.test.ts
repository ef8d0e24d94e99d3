// What somebody has who installs the gateway and nothing else.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
// @boundaries-ignore tests share fixtures
import { type Library, openLibrary } from '../../gateway/src/standalone/fixture-library.ts';
import { gatewayFlags } from './flags.ts';
import { packGateway } from './package.ts';

const run = promisify(execFile);
let dir: string;
let library: Library;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'orderstream-package-'));
  library = await openLibrary();
  await packGateway(join(dir, 'made'));
  await run('npm', ['pack', '--pack-destination', dir], { cwd: join(dir, 'made') });
  const [packed] = readdirSync(dir).filter((name) => name.endsWith('.tgz'));
  const empty = join(dir, 'empty');
  await run('npm', [
    'install',
    '--prefix',
    empty,
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    join(dir, packed!),
  ]);
}, 300_000);
afterAll(async () => {
  await library?.close();
  rmSync(dir, { recursive: true, force: true });
});

const bin = () => join(dir, 'empty/node_modules/.bin/orderstream-gateway');

test('it serves a supergraph that it never saw', { timeout: 60_000 }, async () => {
  const child = spawn(process.execPath, [bin(), '--supergraph', library.file, '--port', '0'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
      child.stdout.on('data', (text: Buffer) => {
        const [, found] = /"url":"([^"]+)"/.exec(String(text)) ?? [];
        if (found) resolve(found);
      });
    });
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ book(id: 1) { title isLent } }' }),
    });
    expect(await answer.json()).toEqual({ data: { book: { title: 'Emma', isLent: true } } });
  } finally {
    child.kill();
  }
});

test('it says what is wrong with its configuration, and where', { timeout: 60_000 }, async () => {
  const config = join(dir, 'gateway.yaml');
  writeFileSync(config, 'listen:\n  port: many\nlimts: {}\n');
  const ended = run(process.execPath, [bin(), '--supergraph', library.file, '--config', config]);
  await expect(ended).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/2:3.*port[\s\S]*3:1.*limts/),
  });
});

test('whoever starts it has the same flags', () => {
  const node = `node ${gatewayFlags.join(' ')}`;
  expect(readFileSync(join(dir, 'made/main.js'), 'utf8').split('\n')[0]).toBe(`#!/usr/bin/env -S ${node}`);
  const manifest = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  expect(JSON.parse(manifest).scripts.gateway).toContain(`${node} gateway/`);
});
