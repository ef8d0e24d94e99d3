// Equal queries at one moment are run once, and all who ask are given the same answer, byte for byte. Who counts as
// equal the caller says by a scope: everything about a request that can change its answer. For a shop that is a query
// of somebody who is not signed in, as a thousand visitors send it while a page is popular.
import type { Operation, Outcome, Variables } from '../execute/operation.ts';

export type ShareRunsOptions<Asking> = {
  /** Two askings with the same scope get the same answers; null is never shared. */
  readonly scopeOf: (asking: Asking) => string | null;
  readonly counts: RunCounts;
};

/** How many queries could have shared an answer, and how many did. */
export type RunCounts = { asked: number; joined: number };

/** Milliseconds for which others may join: who came later would take over a wait that began long before it. */
const boarding = 500;

const noVariables = '{}';

class Run implements Outcome {
  readonly #runs: Map<string, Run>;
  readonly #key: string;
  readonly #departed = performance.now();
  /** Most runs answer one; a list is made for the second. */
  #first: Outcome | null;
  #others: Outcome[] | null = null;

  constructor(runs: Map<string, Run>, key: string, first: Outcome) {
    this.#runs = runs;
    this.#key = key;
    this.#first = first;
  }

  takes(): boolean {
    return performance.now() - this.#departed < boarding;
  }

  join(outcome: Outcome): void {
    this.#others ??= [];
    this.#others.push(outcome);
  }

  done(body: string, hasErrors: boolean): void {
    const first = this.#first;
    const others = this.#others;
    this.#first = null;
    this.#others = null;
    // Before anybody is told: what is asked from now on is a new question.
    if (this.#runs.get(this.#key) === this) this.#runs.delete(this.#key);
    if (!others) {
      first?.done(body, hasErrors);
      return;
    }
    let bytes: Buffer | null = null;
    if (first) others.push(first);
    for (const outcome of others)
      if (outcome.doneAlike) {
        bytes ??= Buffer.from(body, 'latin1');
        outcome.doneAlike(bytes, hasErrors);
      } else outcome.done(body, hasErrors);
  }
}

/** The same text for the same values; the short way gives equal requests the very same object. */
class VariablesKeys {
  readonly #known = new WeakMap<Variables, string>();

  of(variables: Variables): string {
    const known = this.#known.get(variables);
    if (known !== undefined) return known;
    const text = Object.keys(variables).length ? JSON.stringify(variables) : noVariables;
    this.#known.set(variables, text);
    return text;
  }
}

/** The operation itself unless it is a query. */
export const shareRuns = <Asking>(
  operation: Operation<Asking>,
  { scopeOf, counts }: ShareRunsOptions<Asking>,
): Operation<Asking> => {
  if (operation.kind !== 'query') return operation;
  const runs = new Map<string, Run>();
  const keys = new VariablesKeys();
  return {
    ...operation,
    run: (variables, asking, outcome) => {
      const scope = scopeOf(asking);
      if (scope === null) {
        operation.run(variables, asking, outcome);
        return;
      }
      counts.asked += 1;
      // A scope is any text, so its length goes first.
      const key = `${scope.length}:${scope}${keys.of(variables)}`;
      const run = runs.get(key);
      if (run?.takes()) {
        counts.joined += 1;
        run.join(outcome);
        return;
      }
      const mine = new Run(runs, key, outcome);
      runs.set(key, mine);
      operation.run(variables, asking, mine);
    },
  };
};
