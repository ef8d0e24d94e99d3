// What a newcomer runs first: `npm run demo` and its variants, each ending as it says.
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { buy, variants } from '../../ops/demo/scenarios.ts';

const run = promisify(execFile);
const demo = join(import.meta.dirname, '../../ops/demo/demo.ts');

type Told = { readonly differences: readonly string[] };

/** What differed from what should be stands in the output of a run that failed, too. */
const play = async (variant: readonly string[]): Promise<Told> => {
  const dir = dirname(inject('product').logs);
  const { stdout } = await run(process.execPath, [demo, '--json', '--dir', dir, ...variant], {
    timeout: 18_000,
  }).catch((failure: { stdout: string }) => failure);
  return JSON.parse(stdout) as Told;
};

/** Nobody can be sure to call off an order before the carrier comes; the demo says so, and to try again. */
const cameTooLate = ({ differences: [first] }: Told): boolean =>
  first?.startsWith('The carrier was quicker than the customer') ?? false;

// One after another: each of them counts the stock of its goods.
test.each([buy, ...Object.values(variants)])('$name: $title', { timeout: 80_000 }, async ({ name }) => {
  const variant = name === buy.name ? [] : [`--${name}`];
  let told = await play(variant);
  for (let attempt = 2; attempt <= 4 && cameTooLate(told); attempt++) told = await play(variant);
  expect(told).toMatchObject({ differences: [] });
});
