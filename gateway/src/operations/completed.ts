// An operation of which somebody may not see everything: its answer is made whole before it is written.
import type { Completion } from '../auth/completion.ts';
import type { Operation, Outcome, Variables } from '../execute/operation.ts';
import { toBinary, toText } from '../transport/binary.ts';

class Completing implements Outcome {
  readonly #complete: Completion;
  readonly #variables: Variables;
  readonly #outcome: Outcome;

  constructor(complete: Completion, variables: Variables, outcome: Outcome) {
    this.#complete = complete;
    this.#variables = variables;
    this.#outcome = outcome;
  }

  done(body: string): void {
    const answer = this.#complete(JSON.parse(toText(body)), this.#variables);
    this.#outcome.done(toBinary(JSON.stringify(answer)), (answer.errors?.length ?? 0) > 0);
  }
}

export const completed = <Asking>(inner: Operation<Asking>, complete: Completion): Operation<Asking> => ({
  ...inner,
  run: (variables, asking, outcome) =>
    inner.run(variables, asking, new Completing(complete, variables, outcome)),
  ...(inner.event && {
    event: (event, variables, asking, outcome) =>
      inner.event!(event, variables, asking, new Completing(complete, variables, outcome)),
  }),
});
