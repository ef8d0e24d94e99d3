// One call on its way through a guard, and its place in the list of those that wait.
import type { RequestError } from '@orderstream/runtime/errors';
import type { Timed } from './deadlines.ts';
import type { Receiver } from './transport.ts';

export type Gate<Asking> = {
  succeeded(passage: Passage<Asking>): void;
  failed(passage: Passage<Asking>, failure: RequestError): void;
  waitedTooLong(passage: Passage<Asking>): void;
};

export class Passage<Asking> implements Receiver, Timed {
  deadline = 0;
  earlier: Timed | null = null;
  later: Timed | null = null;
  before: Passage<Asking> | null = null;
  after: Passage<Asking> | null = null;
  startedAt = 0;
  isRepeat = false;
  /** Ends the execute() that waits for a probe's outcome. */
  probed: ((failure: RequestError | null) => void) | null = null;
  readonly #guard: Gate<Asking>;
  body: string;
  readonly isQuery: boolean;
  asking: Asking | null;
  receiver: Receiver | null;

  constructor(guard: Gate<Asking>, body: string, isQuery: boolean, asking: Asking, receiver: Receiver) {
    this.#guard = guard;
    this.body = body;
    this.isQuery = isQuery;
    this.asking = asking;
    this.receiver = receiver;
  }

  answered(body: string): void {
    const receiver = this.#take();
    this.#guard.succeeded(this);
    receiver?.answered(body);
  }

  failed(failure: RequestError): void {
    this.#guard.failed(this, failure);
  }

  expire(): void {
    this.#guard.waitedTooLong(this);
  }

  tell(failure: RequestError): void {
    this.#take()?.failed(failure);
  }

  #take(): Receiver | null {
    const { receiver } = this;
    this.receiver = null;
    this.asking = null;
    this.body = '';
    return receiver;
  }
}
