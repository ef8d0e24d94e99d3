import type { Log } from './log.ts';
import type { Job } from './subgraph.ts';
import { loop } from './time.ts';

/** Runs each job in a loop of its own until stopped. Several processes may run the same job: its SQL skips locked rows. */
export const startJobs = (jobs: readonly Job[], log: Log) => {
  const loops = jobs.map((job) => ({
    types: new Set(job.wokenBy?.map((message) => message.type)),
    ...loop(() => job.run({ now: new Date(), log }), {
      idleMs: job.everyMs,
      onError: (error) => log.warn({ err: error, job: job.name }, 'job failed, will try again'),
    }),
  }));
  return {
    wake: (heard: ReadonlySet<string>) => {
      for (const one of loops) if (!one.types.isDisjointFrom(heard)) one.wake();
    },
    stop: async () => {
      await Promise.all(loops.map((one) => one.stop()));
    },
  };
};
