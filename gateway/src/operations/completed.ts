// An operation of which somebody may not see everything: its answer is made whole before it is written.
import type { Completion, Worded } from '../auth/completion.ts';
import {
  type FormatError,
  formatPlainly,
  type Operation,
  type Outcome,
  type Variables,
} from '../execute/operation.ts';
import { toBinary, toText } from '../transport/binary.ts';

class Completing<Asking> implements Outcome {
  readonly #complete: Completion;
  readonly #formatError: FormatError<Asking>;
  readonly #variables: Variables;
  readonly #asking: Asking;
  readonly #outcome: Outcome;

  constructor(
    complete: Completion,
    formatError: FormatError<Asking>,
    variables: Variables,
    asking: Asking,
    outcome: Outcome,
  ) {
    this.#complete = complete;
    this.#formatError = formatError;
    this.#variables = variables;
    this.#asking = asking;
    this.#outcome = outcome;
  }

  /** Told as if the subgraph had refused it, which it would have. */
  #worded: Worded = (failure, path) => {
    const { message, extensions } = failure;
    const plain = { message, path, extensions, subgraph: null, failure };
    return this.#formatError(plain, this.#asking) ?? formatPlainly(plain);
  };

  done(body: string): void {
    const answer = this.#complete(JSON.parse(toText(body)), this.#variables, this.#worded);
    this.#outcome.done(toBinary(JSON.stringify(answer)), (answer.errors?.length ?? 0) > 0);
  }
}

export const completed = <Asking>(
  inner: Operation<Asking>,
  complete: Completion,
  formatError: FormatError<Asking> = formatPlainly,
): Operation<Asking> => ({
  ...inner,
  run: (variables, asking, outcome) =>
    inner.run(variables, asking, new Completing(complete, formatError, variables, asking, outcome)),
  ...(inner.event && {
    event: (event, variables, asking, outcome) =>
      inner.event!(
        event,
        variables,
        asking,
        new Completing(complete, formatError, variables, asking, outcome),
      ),
  }),
});
