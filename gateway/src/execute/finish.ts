// The end of a request: its answer is written, and everything it held is let go.
import { RequestError } from '@orderstream/runtime/errors';
import type { Composite } from '../parse/values.ts';
import { toBinary } from '../transport/binary.ts';
import { surprise, type Write, writerFor } from '../write/writer.ts';
import { Answer, type AnswerPlan } from './answer.ts';
import type { Introspect } from './introspection.ts';
import {
  type ErrorPath,
  type FieldError,
  type FormatError,
  formatPlainly,
  type Variables,
} from './operation.ts';
import type { Request } from './request.ts';

/** null where it or anything on the way is null; undefined where the answer has no such place. */
const valueAt = (answer: unknown, path: ErrorPath): unknown => {
  let here = answer;
  for (const step of path) {
    if (here === null) return null;
    if (typeof here !== 'object' || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
};

export class Finish<Asking> {
  readonly #plan: AnswerPlan;
  readonly #introspect: Introspect;
  readonly #formatError: FormatError<Asking>;
  /** made when the first answer is written; null where there is none for this operation */
  #write: Write | null | undefined = undefined;

  constructor(plan: AnswerPlan, introspect: Introspect, formatError: FormatError<Asking>) {
    this.#plan = plan;
    this.#introspect = introspect;
    this.#formatError = formatError;
  }

  finish(request: Request<Asking>): void {
    const { data, outcome, variables } = request;
    if (!outcome || !data) return;
    const introspection = this.#introspect(variables);
    const written = request.isSuspect ? null : this.#quickly(data, variables, introspection);
    if (written !== null) {
      request.data = null;
      request.outcome = null;
      outcome.done(`{"data":${written}}`, false);
      return;
    }
    const answer = new Answer(this.#plan, variables, introspection, request.errors ?? []);
    const text = answer.write(data);
    const errors = this.#placed(answer.errors, text).flatMap((error) => {
      const told = this.#format(error, request.asking);
      return told === null ? [] : [told];
    });
    request.data = null;
    request.outcome = null;
    request.errors = null;
    const body = errors.length ? `{"errors":[${errors.join(',')}],"data":${text}}` : `{"data":${text}}`;
    outcome.done(body, errors.length > 0);
  }

  #quickly(data: Composite, variables: Variables, introspection: ReadonlyMap<string, string>): string | null {
    if (this.#write === undefined) this.#write = writerFor(this.#plan);
    if (this.#write === null) return null;
    try {
      return this.#write(data, variables, introspection);
    } catch (error) {
      if (error === surprise) return null;
      throw error;
    }
  }

  /** With the client's keys, and without those of fields that were fetched for others and are not in the answer. */
  #placed(errors: readonly FieldError[], text: string): FieldError[] {
    if (!errors.length) return [];
    const { names } = this.#plan;
    const answer: unknown = JSON.parse(text);
    const told = (path: ErrorPath): ErrorPath =>
      path.map((step) => (typeof step === 'string' ? (names.get(step) ?? step) : step));
    return errors.flatMap(({ instead, ...error }) => {
      if (!error.path) return [error];
      const path = told(error.path);
      if (valueAt(answer, path) !== undefined) return [{ ...error, path }];
      const lost = (instead ?? []).map(told).filter((place) => valueAt(answer, place) === null);
      return lost.map((place) => ({ ...error, path: place }));
    });
  }

  #format(error: FieldError, asking: Asking): string | null {
    const told = this.#formatError(error, asking);
    return told && toBinary(JSON.stringify(told));
  }

  /** A fault of ours on the way. Who was answered already is not answered again: there the fault must be seen. */
  crash(request: Request<Asking>, error: unknown): void {
    const { outcome } = request;
    if (!outcome) throw error;
    const failure =
      error instanceof RequestError ? error : new RequestError('INTERNAL', undefined, { cause: error });
    request.data = null;
    request.outcome = null;
    const told = { message: failure.message, path: undefined, extensions: {}, subgraph: null, failure };
    const text = this.#format(told, request.asking) ?? toBinary(JSON.stringify(formatPlainly(told)));
    outcome.done(`{"errors":[${text}],"data":null}`, true);
  }
}
