// Where networks learn and score: a thread of its own, started when it is first needed, so that seconds of arithmetic never
// stand in the way of an order.
import { Worker } from 'node:worker_threads';
import type { Example, Lesson, Network } from './learner.ts';

export type Question =
  | {
      readonly kind: 'learn';
      readonly examples: readonly Example[];
      readonly inputs: readonly string[];
      readonly seed: number;
    }
  | { readonly kind: 'score'; readonly network: Network; readonly inputs: readonly (readonly number[])[] };

export type Answer = { readonly id: number; readonly result: Lesson | null | number[] };
type Failure = { readonly id: number; readonly error: string };

export type Study = {
  readonly learn: (
    examples: readonly Example[],
    inputs: readonly string[],
    seed: number,
  ) => Promise<Lesson | null>;
  readonly score: (network: Network, inputs: readonly (readonly number[])[]) => Promise<number[]>;
  readonly close: () => Promise<void>;
};

export const openStudy = (): Study => {
  let worker: Worker | undefined;
  let asked = 0;
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();

  const fail = (error: Error): void => {
    worker = undefined;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };

  const start = (): Worker => {
    const started = new Worker(new URL('./learner-thread.ts', import.meta.url));
    started.unref();
    started.on('message', (answer: Answer | Failure) => {
      const place = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('error' in answer) place?.reject(new Error(answer.error));
      else place?.resolve(answer.result);
    });
    started.on('error', fail);
    started.on('exit', () => {
      if (worker === started) fail(new Error('the thread of the networks has ended'));
    });
    return started;
  };

  const ask = (question: Question): Promise<unknown> => {
    worker ??= start();
    asked += 1;
    const place = Promise.withResolvers<unknown>();
    waiting.set(asked, place);
    worker.postMessage({ id: asked, question });
    return place.promise;
  };

  return {
    learn: (examples, inputs, seed) =>
      ask({ kind: 'learn', examples, inputs, seed }) as Promise<Lesson | null>,
    score: (network, inputs) => ask({ kind: 'score', network, inputs }) as Promise<number[]>,
    close: async () => {
      await worker?.terminate();
    },
  };
};
