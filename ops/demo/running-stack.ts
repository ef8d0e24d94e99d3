// Where the product runs, as `npm start` has written it down.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openSecrets } from '../stack/secrets.ts';

const shape = z.object({
  gateway: z.object({ graphql: z.url(), subscriptions: z.url() }),
  processes: z.array(z.object({ name: z.string(), url: z.url() })),
});

export type RunningStack = {
  readonly graphql: string;
  readonly subscriptions: string;
  /** null where another payment provider is used */
  readonly simulator: { readonly url: string; readonly controlToken: string } | null;
};

export const notRunning =
  'The shop is not running: type npm start in another terminal, and wait for its table.';

/**
 * @param dir the data folder
 * @returns null where nothing was started, or it was stopped again
 */
export const readStack = (dir: string): RunningStack | null => {
  let text: string;
  try {
    text = readFileSync(join(dir, 'stack.json'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const { gateway, processes } = shape.parse(JSON.parse(text));
  const simulator = processes.find(({ name }) => name === 'payments-simulator');
  return {
    ...gateway,
    simulator: simulator
      ? { url: simulator.url, controlToken: openSecrets(dir, process.env).CONTROL_TOKEN }
      : null,
  };
};
