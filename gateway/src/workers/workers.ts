// A gateway on several cores: as many processes as there are to be, on one port. Each is a whole gateway; the first
// process only starts them, starts them again, and gathers what they have counted.
import cluster, { type Worker } from 'node:cluster';
import type { Log } from '@orderstream/runtime/log';
import { sleep } from '@orderstream/runtime/time';
import { mergedMetrics } from './merged-metrics.ts';

export type Running = {
  readonly url: string;
  /** this process's metrics, in Prometheus's exposition format */
  readonly counted: () => string;
  readonly stop: () => Promise<void>;
};

type FromWorker =
  | { readonly kind: 'open'; readonly url: string }
  | { readonly kind: 'failed'; readonly message: string }
  /** somebody asks one worker for the metrics of all */
  | { readonly kind: 'metrics'; readonly id: number }
  | { readonly kind: 'counted'; readonly id: number; readonly text: string };

type ToWorker =
  | { readonly kind: 'stop' }
  | { readonly kind: 'count'; readonly id: number }
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string };

/** milliseconds before a worker that ended is started again, doubled each time it does not live for a minute */
const pause = { first: 200, longest: 10_000 };
/** milliseconds that one worker's metrics are waited for */
const patience = 1_000;
/** milliseconds for a worker to answer what is under way */
const lastAnswers = 12_000;

/**
 * Starts the workers and answers when all of them serve.
 * @throws Error with the first worker's reason, where it cannot open
 */
export const openWorkers = async (count: number, log: Log): Promise<Omit<Running, 'counted'>> => {
  let isStopping = false;
  const numbers = new Map<Worker, number>();
  const opened = new Map<number, PromiseWithResolvers<string>>();
  const gathering = new Map<number, { readonly pages: Map<number, string>; readonly done: () => void }>();
  let lastGathering = 0;

  const tell = (worker: Worker, message: ToWorker): void => {
    if (worker.isConnected()) worker.send(message, () => undefined);
  };

  const gather = async (asker: Worker, id: number): Promise<void> => {
    lastGathering += 1;
    const ours = lastGathering;
    const pages = new Map<number, string>();
    await Promise.race([
      sleep(patience),
      new Promise<void>((done) => {
        gathering.set(ours, { pages, done });
        for (const worker of numbers.keys()) tell(worker, { kind: 'count', id: ours });
      }),
    ]);
    gathering.delete(ours);
    tell(asker, {
      kind: 'metrics',
      id,
      text: mergedMetrics(new Map([...pages].toSorted(([a], [b]) => a - b))),
    });
  };

  const start = (number: number, pauseMs: number): void => {
    const startedAt = performance.now();
    const worker = cluster.fork();
    numbers.set(worker, number);
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'open') opened.get(number)!.resolve(message.url);
      else if (message.kind === 'failed') opened.get(number)!.reject(new Error(message.message));
      else if (message.kind === 'metrics')
        gather(worker, message.id).catch((error: unknown) => log.error({ err: error }, 'no metrics'));
      else {
        const wanted = gathering.get(message.id);
        wanted?.pages.set(number, message.text);
        if (wanted && wanted.pages.size >= numbers.size) wanted.done();
      }
    });
    worker.once('exit', (code, signal) => {
      numbers.delete(worker);
      opened.get(number)!.reject(new Error('a worker ended before it served'));
      if (isStopping) return;
      log.error({ worker: number, code, signal }, 'a worker ended and is started again');
      const lived = performance.now() - startedAt;
      const next = lived > 60_000 ? pause.first : Math.min(2 * pauseMs, pause.longest);
      setTimeout(() => {
        if (!isStopping) start(number, next);
      }, pauseMs);
    });
  };

  const stop = async (): Promise<void> => {
    isStopping = true;
    const workers = [...numbers.keys()];
    const ended = workers.map(
      (worker) => new Promise<void>((resolve) => worker.once('exit', () => resolve())),
    );
    for (const worker of workers) tell(worker, { kind: 'stop' });
    await Promise.race([Promise.all(ended), sleep(lastAnswers)]);
    for (const worker of numbers.keys()) worker.process.kill('SIGKILL');
  };

  for (let number = 1; number <= count; number += 1) {
    const promise = Promise.withResolvers<string>();
    promise.promise.catch(() => undefined);
    opened.set(number, promise);
    start(number, pause.first);
  }
  try {
    const [url] = await Promise.all([...opened.values()].map(({ promise }) => promise));
    return { url: url!, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** What one worker asks of the first process. */
export type Siblings = {
  /** the metrics of all workers as one page */
  readonly metrics: () => Promise<string>;
};

/** The life of one worker: opens a gateway, and tells the first process. */
export const beWorker = async (open: (siblings: Siblings) => Promise<Running>): Promise<void> => {
  const { worker } = cluster;
  if (!worker) throw new TypeError('this process is nobody’s worker');
  const tell = (message: FromWorker): void => {
    if (worker.isConnected()) worker.send(message, undefined, undefined, () => undefined);
  };
  const waiting = new Map<number, (text: string) => void>();
  let lastId = 0;
  let running: Running | null = null;
  const siblings: Siblings = {
    metrics: () =>
      new Promise((resolve) => {
        lastId += 1;
        const id = lastId;
        waiting.set(id, resolve);
        tell({ kind: 'metrics', id });
      }),
  };
  const end = async (): Promise<void> => {
    await running?.stop();
    process.exit(0);
  };
  worker.on('message', (message: ToWorker) => {
    if (message.kind === 'stop') end();
    else if (message.kind === 'count')
      tell({ kind: 'counted', id: message.id, text: running?.counted() ?? '' });
    else {
      waiting.get(message.id)?.(message.text);
      waiting.delete(message.id);
    }
  });
  // A terminal's interrupt reaches every process; the first one says when it is time.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  worker.once('disconnect', () => process.exit(1));
  try {
    running = await open(siblings);
    tell({ kind: 'open', url: running.url });
  } catch (error) {
    tell({ kind: 'failed', message: (error as Error).message });
  }
};
