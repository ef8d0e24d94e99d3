// Where the product runs, as `npm start` has written it down.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openSecrets } from '../stack/secrets.ts';

const shape = z.object({
  gateway: z.object({ graphql: z.url(), subscriptions: z.url() }),
  processes: z.array(z.object({ name: z.string(), url: z.url() })),
  signIns: z.object({ password: z.string() }).optional(),
});

/** A process whose control API is ours to use. */
export type Simulator = { readonly url: string; readonly controlToken: string };

export type RunningStack = {
  readonly graphql: string;
  readonly subscriptions: string;
  /** null where another payment provider is used */
  readonly payments: Simulator | null;
  /** null where another carrier is used */
  readonly carrier: Simulator | null;
  /** of the shop's own people; null where nothing was written down */
  readonly staffPassword: string | null;
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
  const { gateway, processes, signIns } = shape.parse(JSON.parse(text));
  const simulator = (name: string): Simulator | null => {
    const found = processes.find((one) => one.name === name);
    return found ? { url: found.url, controlToken: openSecrets(dir, process.env).CONTROL_TOKEN } : null;
  };
  return {
    ...gateway,
    payments: simulator('payments-simulator'),
    carrier: simulator('carrier-simulator'),
    staffPassword: signIns?.password ?? null,
  };
};
