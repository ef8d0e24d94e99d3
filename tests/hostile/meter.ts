// Loaded into a gateway's process before the gateway: tells what its event loop has had to do.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export type Reading = {
  /** milliseconds of processor time of the thread that answers, since the process began */
  readonly cpuMs: number;
  /** milliseconds that the event loop came too late, since the reading before; the clock of one millisecond included */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  /** milliseconds that it could have gone on and there was no processor for it; 0 where the system does not tell */
  readonly waitedMs: number;
  readonly heapMiB: number;
  readonly rssMiB: number;
};

/** Whether what nobody needs is to be let go first. */
export type Question = { readonly meter: 'look' | 'collect' };

const isQuestion = (message: unknown): message is Question =>
  typeof message === 'object' && message !== null && 'meter' in message;

const mebibytes = (bytes: number): number => bytes / 1024 / 1024;

/** Of the first thread, which is the one that answers. */
const waitedMs = (): number => {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
};

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

process.on('message', (message: unknown) => {
  if (!isQuestion(message)) return;
  const { user, system } = process.threadCpuUsage();
  const delays = { delayP99Ms: delay.percentile(99) / 1e6, delayMaxMs: delay.max / 1e6 };
  if (message.meter === 'collect') globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const reading: Reading = {
    cpuMs: (user + system) / 1_000,
    waitedMs: waitedMs(),
    ...delays,
    heapMiB: mebibytes(heapUsed),
    rssMiB: mebibytes(rss),
  };
  process.send!(reading);
  delay.reset();
});
process.on('disconnect', () => process.exit());
// A gateway that cannot start ends, meter or not.
process.channel?.unref();
