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

/** `deadlineMs`: how long a plan may take. */
export const plannerOf = (engine: Engine, deadlineMs: number, close: () => void = () => {}): Planner => ({
  close,
  plan: async (document, operationName, signal) => {
    const text = plannable(document, operationName);
    if (text === null) return nothing;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
    const overdue = Promise.withResolvers<never>();
    const giveUp = () =>
      overdue.reject(new RequestError('DEADLINE_EXCEEDED', 'The query could not be planned in time.'));
    limit.addEventListener('abort', giveUp, { once: true });
    if (limit.aborted) giveUp();
    try {
      return await Promise.race([engine(text, operationName, limit), overdue.promise]);
    } catch (error) {
      if (error instanceof RequestError) throw error;
      throw new RequestError('INTERNAL', 'The query cannot be planned.', { cause: error });
    } finally {
      limit.removeEventListener('abort', giveUp);
    }
  },
});
