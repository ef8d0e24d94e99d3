// What an operation cost, told in its answer to developers who ask.
import type { Variables } from '../document/variables.ts';
import { mostCost, type OperationCost } from './cost.ts';
import type { Limits } from './limit.ts';

/** With the value 1 a developer asks for `extensions.cost`. */
export const costHeader = 'x-orderstream-cost';

export type CostReport = {
  /** what was charged, and had to be within the limit */
  readonly estimated: number;
  /** counted from the answer */
  readonly actual: number;
  readonly limit: number;
};

/**
 * @param variables coerced, defaults filled in
 * @param data the answer's, parsed
 * @throws RequestError as `OperationCost.estimate` does
 */
export const costReportOf = (
  cost: OperationCost,
  variables: Variables,
  data: unknown,
  isSignedIn: boolean,
  limits: Pick<Limits, 'cost'>,
): CostReport => ({
  estimated: cost.estimate(variables),
  actual: cost.count(data, variables),
  limit: mostCost(isSignedIn, limits),
});
