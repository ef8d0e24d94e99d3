// A gateway as a process, or as several: it says where it serves, and ends when it is told to.
import cluster from 'node:cluster';
import { ConfigError } from '@orderstream/runtime/config';
import type { Log } from '@orderstream/runtime/log';
import { beWorker, openWorkers, type Running, type Siblings } from './workers.ts';

type Program = {
  readonly workers: number;
  readonly log: Log;
  /** @param siblings null where there are none */
  readonly open: (siblings: Siblings | null) => Promise<Running>;
};

/** milliseconds; whatever hangs is left behind then, and nothing is lost by it */
const longestGoodbye = 15_000;

/** @param prepare reads the settings; null: there is nothing to run. Throws ConfigError for what is wrong with them. */
export const runGateway = async (prepare: () => Program | null): Promise<void> => {
  try {
    const program = prepare();
    if (!program) return;
    const { workers, log, open } = program;
    if (cluster.isWorker) return await beWorker(open);
    const { url, stop } = workers > 1 ? await openWorkers(workers, log) : await open(null);
    console.log(JSON.stringify({ url }));
    const end = async () => {
      setTimeout(() => process.exit(1), longestGoodbye).unref();
      await stop();
      process.exit(0);
    };
    process.once('SIGTERM', end);
    process.once('SIGINT', end);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
};
