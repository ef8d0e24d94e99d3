import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { openLineSink } from './line-sink.ts';

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `line ${at}`);
const newFile = (): string => path.join(mkdtempSync(path.join(tmpdir(), 'lines-')), 'access.log');

test('lines reach their file in order, the last ones at the end', async () => {
  const file = newFile();
  const fd = openSync(file, 'w');
  const sink = openLineSink(fd);
  const expected = numbered(20_000);
  for (const line of expected.slice(0, 15_000)) sink.write(`${line}\n`);
  await vi.waitFor(() => expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(15_001));
  for (const line of expected.slice(15_000)) sink.write(`${line}\n`);
  await sink.close();
  closeSync(fd);
  expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toEqual(expected);
  expect(sink.dropped()).toBe(0);
});

test('a few lines do not wait for more', async () => {
  const file = newFile();
  const fd = openSync(file, 'w');
  const sink = openLineSink(fd);
  for (const line of numbered(5)) {
    sink.write(`${line}\n`);
    await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toContain(`${line}\n`), { timeout: 5_000 });
  }
  await sink.close();
  closeSync(fd);
});

test('somebody who reads slowly gets every line once', async () => {
  const program = `
    import { openLineSink } from ${JSON.stringify(new URL('line-sink.ts', import.meta.url).pathname)};
    const sink = openLineSink(1);
    for (let at = 0; at < 40_000; at += 1) {
      sink.write('line ' + at + '\\n');
      if (at % 4_000 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    setTimeout(async () => { await sink.close(); process.exit(); }, 1_500);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout) {
    text += chunk;
    await pause(2);
  }
  expect(text.trimEnd().split('\n')).toEqual(numbered(40_000));
});

test('lines for nobody are dropped, and counted', async () => {
  const file = newFile();
  const fd = openSync(file, 'w');
  closeSync(fd);
  const sink = openLineSink(openSync(file, 'r'));
  for (const line of numbered(10)) sink.write(`${line}\n`);
  await vi.waitFor(() => expect(sink.dropped()).toBe(10), { timeout: 5_000 });
  await sink.close();
});
