// One attempt at one call: what undici tells while the request is under way. Whoever reads the headers decides here
// whether the bytes that follow can be believed to answer this very call.
import type { Dispatcher } from 'undici';
import type { Timed } from './deadlines.ts';
import { CallFailure, type Reason } from './failure.ts';
import type { Line } from './line.ts';
import type { Receiver } from './transport.ts';
import { callIdHeader } from './trust.ts';

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/** What a call reports to the transport that made it. */
export type Caller<Asking> = {
  readonly largestAnswer: number;
  /** `named`: whose answer it is, by its own word */
  believes(call: Call<Asking>, named: unknown): boolean;
  ended(call: Call<Asking>, text: string): void;
  broke(call: Call<Asking>, error: unknown): void;
  expired(call: Call<Asking>): void;
  /** Ends the connection that the call is on. */
  hangUp(call: Call<Asking>): void;
};

/** bytes of a refusal that are read for the sake of the connection */
const mostIgnored = 64 * 1024;

const json = /^application\/(?:[\w.-]+\+)?json\b/i;

const refusalOf = (status: number): Reason | null => {
  if (status === 401) return 'refused';
  if (status === 429 || (status >= 502 && status <= 504)) return 'overloaded';
  // A 4xx may well carry a GraphQL answer; its content type will tell.
  return status >= 500 || (status >= 300 && status < 400) ? 'status' : null;
};

/** How the answer's end is told must leave no room for doubt; anything unusual may shift the answers behind it. */
const surpriseIn = (status: number, headers: Headers): string | null => {
  if (status < 200) return `status ${status} ahead of the answer`;
  if (status === 204 || status === 205 || status === 304) return `status ${status} instead of an answer`;
  const length = headers['content-length'];
  const coding = headers['transfer-encoding'];
  if (length === undefined) return coding === 'chunked' ? null : 'an answer of unknown length';
  return coding === undefined && typeof length === 'string' ? null : 'an answer of two lengths';
};

export class Call<Asking> implements Timed, Dispatcher.DispatchHandler {
  /** null when it has been told, or when somebody else will tell it */
  receiver: Receiver | null;
  body: string | null;
  asking: Asking | null;
  readonly isQuery: boolean;
  /** of its operation among the slow ones */
  readonly place: number;
  /** An attempt has been made before: there will be no third. */
  readonly isAgain: boolean;
  /** The time is the client's, not the subgraph's. */
  readonly isClients: boolean;
  readonly id: string;

  deadline: number;
  earlier: Timed | null = null;
  later: Timed | null = null;
  isTimed = false;

  /** null: on a connection of its own */
  line: Line<Asking> | null = null;
  behind: Call<Asking> | null = null;
  ordinal = 0;
  /** the same call, sent elsewhere because this one is stuck in line, or the one that was stuck */
  twin: Call<Asking> | null = null;
  /** performance.now() */
  sentAt = 0;
  controller: Dispatcher.DispatchController | null = null;

  readonly #caller: Caller<Asking>;
  #text = '';
  #size = 0;

  constructor(
    caller: Caller<Asking>,
    id: string,
    of: Pick<Call<Asking>, 'receiver' | 'body' | 'asking' | 'isQuery' | 'place' | 'deadline' | 'isClients'>,
    isAgain: boolean,
  ) {
    this.#caller = caller;
    this.id = id;
    this.receiver = of.receiver;
    this.body = of.body;
    this.asking = of.asking;
    this.isQuery = of.isQuery;
    this.place = of.place;
    this.deadline = of.deadline;
    this.isClients = of.isClients;
    this.isAgain = isAgain;
  }

  /** Takes the receiver, which then is told once; nothing of the call is held on to. */
  settle(): Receiver | null {
    const { receiver, twin } = this;
    this.#forget();
    if (twin) {
      this.twin = null;
      twin.twin = null;
      twin.#forget();
    }
    return receiver;
  }

  fail(reason: Reason, detail: string, cause?: unknown): void {
    this.settle()?.failed(new CallFailure(reason, detail, cause));
  }

  expire(): void {
    this.isTimed = false;
    this.#caller.expired(this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.line) this.ordinal = ++this.line.started;
    // It waited for a connection until its time was over; thrown, so that the connection stays as it is.
    else if (!this.receiver) throw new Error('nobody waits for the answer any more');
    else this.sentAt = performance.now();
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (this.line?.isRetired) return;
    if (!this.#caller.believes(this, headers[callIdHeader])) {
      this.#distrust('the answer to another call');
      return;
    }
    const refusal = refusalOf(status);
    if (refusal && !this.line) this.fail(refusal, `status ${status}`);
    const surprise = surpriseIn(status, headers);
    if (surprise) {
      this.#distrust(surprise);
      return;
    }
    if (refusal) this.fail(refusal, `status ${status}`);
    const length = Number(headers['content-length'] ?? 0);
    if (!json.test(String(headers['content-type']))) this.fail('status', `status ${status}, not JSON`);
    else if (length > this.#caller.largestAnswer) this.fail('size', `${length} bytes`);
    else if (headers['content-encoding'] !== undefined) this.fail('framing', 'an answer encoded unasked');
    if (!this.receiver && length > mostIgnored) this.#caller.hangUp(this);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.line?.isRetired) return;
    this.#size += chunk.length;
    if (!this.receiver) {
      if (this.#size > Math.max(mostIgnored, this.#caller.largestAnswer)) this.#caller.hangUp(this);
      return;
    }
    if (this.#size > this.#caller.largestAnswer) {
      this.fail('size', `more than ${this.#caller.largestAnswer} bytes`);
      this.#caller.hangUp(this);
      return;
    }
    this.#text += chunk.toString('latin1');
  }

  onResponseEnd(): void {
    const text = this.#text;
    this.#text = '';
    this.controller = null;
    if (this.line?.isRetired) this.#caller.broke(this, new Error('its connection was given up'));
    else this.#caller.ended(this, text);
  }

  onResponseError(_: unknown, error: Error): void {
    this.controller = null;
    this.#caller.broke(this, error);
  }

  #distrust(surprise: string): void {
    // In line the mistake may be that of the call before; everything there, this one too, is asked again elsewhere.
    if (!this.line) this.fail('framing', surprise);
    this.#caller.hangUp(this);
  }

  #forget(): void {
    this.receiver = null;
    this.body = null;
    this.asking = null;
    this.#text = '';
  }
}
