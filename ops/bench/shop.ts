// The shop that is measured: one of our own in a folder that is thrown away, or one that somebody has started.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { removeData } from '../stack/place.ts';
import { startProduct } from '../stack/product.ts';
import { openSecrets } from '../stack/secrets.ts';
import { startServices } from '../stack/services.ts';

/** What `npm start` writes down of what runs where. */
const stackFile = z.object({
  gateway: z.object({ graphql: z.url(), subscriptions: z.url() }),
  services: z.object({
    kafkaBrokers: z.array(z.string()),
    list: z.array(z.object({ name: z.string(), pid: z.number().int().nullable() })),
  }),
  databases: z.record(z.string(), z.string()),
  processes: z.array(z.object({ name: z.string(), pid: z.number().int(), url: z.url() })),
});

export type Shop = {
  readonly graphql: string;
  readonly subscriptions: string;
  /** database URL by subgraph */
  readonly databases: Readonly<Record<string, string>>;
  readonly kafkaBrokers: readonly string[];
  /** of everything that runs on this machine */
  readonly pids: Readonly<Record<string, number>>;
  readonly provider: { readonly url: string; readonly controlToken: string };
  /** Stops what was started here, and removes its data. */
  readonly close: () => Promise<void>;
};

/** @throws Error where nothing runs, or with another payment provider than the simulator, whose book cannot be read */
export const runningShop = (dir: string): Shop => {
  const { gateway, services, databases, processes } = stackFile.parse(
    JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8')),
  );
  const provider = processes.find(({ name }) => name === 'payments-simulator');
  if (!provider) throw new Error(`The shop in ${dir} has no payment simulator.`);
  const own = services.list.filter(
    (service): service is { name: string; pid: number } => service.pid !== null,
  );
  return {
    ...gateway,
    databases,
    kafkaBrokers: services.kafkaBrokers,
    pids: Object.fromEntries([...processes, ...own].map(({ name, pid }) => [name, pid])),
    provider: { url: provider.url, controlToken: openSecrets(dir, process.env).CONTROL_TOKEN },
    close: async () => undefined,
  };
};

type Own = {
  readonly say: (text: string) => void;
  readonly split: boolean;
  readonly carrierDayMs: number;
};

/**
 * As `npm start` has it: all that is the shop's is on disk before it is answered. The simulators stand for companies with
 * machines of their own, and do not wait for this one's disk.
 */
export const ownShop = async ({ say, split, carrierDayMs }: Own): Promise<Shop> => {
  const dir = mkdtempSync(join(tmpdir(), 'orderstream-bench-'));
  const closers: (() => Promise<void>)[] = [async () => removeData(dir)];
  const close = async (): Promise<void> => {
    while (closers.length > 0) await closers.pop()!();
  };
  try {
    const services = await startServices({ dir, env: process.env, durable: true, report: () => undefined });
    closers.push(services.stop);
    say('services run');
    const product = await startProduct({
      dir,
      services,
      env: { ...process.env, CARRIER_DAY_MS: String(carrierDayMs) },
      port: null,
      split,
      durable: false,
      report: () => undefined,
    });
    closers.push(product.stop);
    say('the shop runs');
    return { ...runningShop(dir), close };
  } catch (error) {
    await close();
    throw error;
  }
};
