// What a newcomer runs first: `npm run demo` and its variants, each ending as it says.
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { buy, variants } from '../../ops/demo/scenarios.ts';

const run = promisify(execFile);
const demo = join(import.meta.dirname, '../../ops/demo/demo.ts');

// One after another: each of them counts the stock of its goods.
test.each([buy, ...Object.values(variants)])('$name: $title', async ({ name }) => {
  const variant = name === buy.name ? [] : [`--${name}`];
  const dir = dirname(inject('product').logs);
  // What differed from what should be stands in the output of a run that failed, too.
  const { stdout } = await run(process.execPath, [demo, '--json', '--dir', dir, ...variant], {
    timeout: 18_000,
  }).catch((failure: { stdout: string }) => failure);
  expect(JSON.parse(stdout)).toMatchObject({ differences: [] });
});
