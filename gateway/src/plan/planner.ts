import { RequestError } from '@orderstream/runtime/errors';
import { plannable } from './plannable.ts';
import type { QueryPlan } from './query-plan.ts';

export type Planner = {
  /**
   * Plans an operation that is parsed, validated and within all limits already: a planner can be crashed by others.
   *
   * @throws RequestError DEADLINE_EXCEEDED; INTERNAL where no plan exists
   */
  readonly plan: (
    document: string,
    operationName: string | undefined,
    signal: AbortSignal,
  ) => Promise<QueryPlan>;
  /**
   * Resolves when plans take no longer than planning does.
   * @throws where the planner cannot be started
   */
  readonly ready: () => Promise<void>;
  /** Ends what plans still run. It ends by itself too, when it is not used for a while. */
  readonly close: () => void;
};

/** Plans what is plannable already. */
export type Engine = (
  document: string,
  operationName: string | undefined,
  signal: AbortSignal,
) => Promise<QueryPlan>;

const nothing: QueryPlan = { source: null, node: null };

/** milliseconds for a planner to start, which is a process on a busy machine */
const longestStart = 10_000;

const overdue = (): RequestError =>
  new RequestError('DEADLINE_EXCEEDED', 'The query could not be planned in time.');

type Life = { readonly ready: () => Promise<void>; readonly close: () => void };

const always: Life = { ready: async () => undefined, close: () => undefined };

/** Waits until it is over, or the signal says that it lasts too long. */
const before = async <T>(limit: AbortSignal, result: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const giveUp = () => late.reject(overdue());
  limit.addEventListener('abort', giveUp, { once: true });
  if (limit.aborted) giveUp();
  try {
    return await Promise.race([result, late.promise]);
  } finally {
    limit.removeEventListener('abort', giveUp);
  }
};

/** `deadlineMs`: how long a plan may take, once the planner runs. */
export const plannerOf = (engine: Engine, deadlineMs: number, { ready, close }: Life = always): Planner => ({
  ready,
  close,
  plan: async (document, operationName, signal) => {
    const text = plannable(document, operationName);
    if (text === null) return nothing;
    try {
      await before(AbortSignal.any([signal, AbortSignal.timeout(longestStart)]), ready());
      const limit = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
      return await before(limit, engine(text, operationName, limit));
    } catch (error) {
      if (error instanceof RequestError) throw error;
      throw new RequestError('INTERNAL', 'The query cannot be planned.', { cause: error });
    }
  },
});
