// One request on its way through a plan. What it holds is let go as soon as it is used: whatever outlives its use is
// copied by the garbage collector again and again.
import type { Composite } from '../parse/values.ts';
import type { Reported } from './errors.ts';
import type { FieldError, Outcome, Variables } from './operation.ts';

/** errors told of one request; a subgraph could send any number */
const mostErrors = 1_000;

export class Request<Asking> {
  data: Composite | null = {};
  /** Nothing was put to the data yet. */
  isEmpty = true;
  readonly variables: Variables;
  readonly asking: Asking;
  outcome: Outcome | null;
  errors: FieldError[] | null = null;
  /** The answer has to be looked at value by value. */
  isSuspect = false;
  /** The last call that came to nothing: a missing value may be missing for that reason. */
  failed: { readonly error: Reported; readonly subgraph: string } | null = null;
  /** how many branches of each parallel node are under way */
  readonly branches: number[];

  constructor(variables: Variables, asking: Asking, outcome: Outcome, branches: number[]) {
    this.variables = variables;
    this.asking = asking;
    this.outcome = outcome;
    this.branches = branches;
  }

  found(error: FieldError): void {
    this.isSuspect = true;
    this.errors ??= [];
    if (this.errors.length < mostErrors) this.errors.push(error);
  }
}

/** A part of the plan, linked to what comes after it. */
export type Step<Asking> = (request: Request<Asking>) => void;
