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

/** Plans what is plannable already. `begun` is called once, when its turn has come. */
export type Engine = (
  document: string,
  operationName: string | undefined,
  signal: AbortSignal,
  begun: () => void,
) => Promise<QueryPlan>;

const nothing: QueryPlan = { source: null, node: null };

/** milliseconds for a plan's turn to come: a planner is a process, which has to start on a machine that may be busy */
const longestWait = 10_000;

type Life = { readonly ready: () => Promise<void>; readonly close: () => void };

const always: Life = { ready: async () => undefined, close: () => undefined };

/** `deadlineMs`: how long a plan may take, once its turn has come. */
export const plannerOf = (engine: Engine, deadlineMs: number, { ready, close }: Life = always): Planner => ({
  ready,
  close,
  plan: async (document, operationName, signal) => {
    const text = plannable(document, operationName);
    if (text === null) return nothing;
    const late = new AbortController();
    let timer = setTimeout(() => late.abort(), longestWait);
    const begun = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => late.abort(), deadlineMs);
    };
    const limit = AbortSignal.any([signal, late.signal]);
    const overdue = Promise.withResolvers<never>();
    const giveUp = () =>
      overdue.reject(new RequestError('DEADLINE_EXCEEDED', 'The query could not be planned in time.'));
    limit.addEventListener('abort', giveUp, { once: true });
    if (limit.aborted) giveUp();
    try {
      return await Promise.race([engine(text, operationName, limit, begun), overdue.promise]);
    } catch (error) {
      if (error instanceof RequestError) throw error;
      throw new RequestError('INTERNAL', 'The query cannot be planned.', { cause: error });
    } finally {
      clearTimeout(timer);
      limit.removeEventListener('abort', giveUp);
    }
  },
});
