// One call to a subgraph under way, and what becomes of its answer.
import { RequestError } from '@orderstream/runtime/errors';
import type { Parse } from '../parse/parser.ts';
import { Reader } from '../parse/reader.ts';
import type { ObjectShape } from '../parse/shape.ts';
import type { Composite } from '../parse/values.ts';
import { toText } from '../transport/binary.ts';
import type { Receiver } from '../transport/transport.ts';
import { type Reported, readErrors } from './errors.ts';
import type { Request } from './request.ts';

/** What every call of a plan has, made once per operation. */
export type CallPlan<Asking> = {
  readonly subgraph: string;
  readonly shape: ObjectShape;
  /** the parser made for this operation */
  readonly parse: Parse;
  /** Ends a request that our own code has failed. */
  readonly crash: (request: Request<Asking>, error: unknown) => void;
};

const nonsense = (): RequestError =>
  new RequestError('SUBGRAPH_UNAVAILABLE', undefined, {
    cause: new Error('the subgraph answered with something that is no GraphQL response'),
  });

export abstract class Call<Asking> implements Receiver {
  protected request: Request<Asking> | null;
  readonly #plan: CallPlan<Asking>;

  constructor(request: Request<Asking>, plan: CallPlan<Asking>) {
    this.request = request;
    this.#plan = plan;
  }

  answered(body: string): void {
    const { request } = this;
    // Whoever calls twice is not listened to, and nobody waits any more for a request that is over.
    if (!request?.data) return;
    try {
      const data = this.#plan.parse(body);
      if (data === undefined) this.#readSlowly(request, body);
      else this.deliver(request, data);
    } catch (error) {
      this.#giveUp(request, new RequestError('INTERNAL', undefined, { cause: error }));
    }
    this.#end(request);
  }

  failed(failure: RequestError): void {
    const { request } = this;
    if (!request?.data) return;
    this.#giveUp(request, failure);
    this.#end(request);
  }

  #end(request: Request<Asking>): void {
    this.request = null;
    try {
      this.proceed(request);
    } catch (error) {
      this.#plan.crash(request, error);
    }
  }

  #giveUp(request: Request<Asking>, failure: RequestError): void {
    const error = { message: failure.message, path: undefined, extensions: {}, concernsAll: true, failure };
    request.failed = { error, subgraph: this.#plan.subgraph };
    request.isSuspect = true;
    this.report(request, error);
  }

  /** Everything that the parser made for the operation does not take: errors, and other ways to write JSON. */
  #readSlowly(request: Request<Asking>, body: string): void {
    let envelope: unknown;
    try {
      envelope = JSON.parse(toText(body));
    } catch {
      this.#giveUp(request, nonsense());
      return;
    }
    const isObject = typeof envelope === 'object' && envelope !== null && !Array.isArray(envelope);
    const told = isObject ? readErrors(envelope as Record<string, unknown>) : [];
    const reader = new Reader(body);
    const data = isObject ? reader.member('data', this.#plan.shape) : undefined;
    if (reader.isSuspect) request.isSuspect = true;
    if (!told.length && (data === undefined || data === null)) {
      this.#giveUp(request, nonsense());
      return;
    }
    if (!data) request.failed = { error: { ...told[0]!, concernsAll: true }, subgraph: this.#plan.subgraph };
    // Places are looked for among what representations were made of, so before anything is added to it.
    for (const error of told) this.report(request, { ...error, concernsAll: !data && !error.path });
    if (data) this.deliver(request, data);
  }

  /** Puts the data in its place. */
  protected abstract deliver(request: Request<Asking>, data: Composite): void;

  /** Tells of an error at every place in the client's answer that it concerns. */
  protected abstract report(request: Request<Asking>, error: Reported): void;

  /** Lets go of everything and goes on. */
  protected abstract proceed(request: Request<Asking>): void;
}
