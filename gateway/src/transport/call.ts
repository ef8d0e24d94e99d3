// One attempt at one call, from the moment it is made to its answer. Whoever reads the head of an answer decides here
// whether the bytes that follow can be believed to answer this very call.
import type { AnswerHead } from './answer-head.ts';
import type { Connection } from './connection.ts';
import type { Timed } from './deadlines.ts';
import { CallFailure, type Reason } from './failure.ts';
import type { Line } from './line.ts';
import type { Receiver } from './transport.ts';

/** What a call reports to the transport that made it. */
export type Caller<Asking> = {
  readonly largestAnswer: number;
  /** `named`: whose answer it is, by its own word */
  believes(call: Call<Asking>, named: unknown): boolean;
  expired(call: Call<Asking>): void;
  /** Ends the connection that the call is on. */
  hangUp(call: Call<Asking>): void;
};

/** bytes of a refusal that are read for the sake of the connection */
const mostIgnored = 64 * 1024;

const refusalOf = (status: number): Reason | null => {
  if (status === 401) return 'refused';
  if (status === 429 || (status >= 502 && status <= 504)) return 'overloaded';
  // A 4xx may well carry a GraphQL answer; its content type will tell.
  return status >= 500 || (status >= 300 && status < 400) ? 'status' : null;
};

export class Call<Asking> implements Timed {
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

  /** null while it waits for one */
  connection: Connection<Asking> | null = null;
  /** the same where it is shared; null: on a connection of its own */
  line: Line<Asking> | null = null;
  behind: Call<Asking> | null = null;
  ordinal = 0;
  /** the same call, sent elsewhere because this one is stuck in line, or the one that was stuck */
  twin: Call<Asking> | null = null;
  /** performance.now() */
  sentAt = 0;

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

  /** Its connection must not be believed any further once this has hung up. */
  begins({ status, length, callId, isJson, isEncoded, surprise }: AnswerHead): void {
    if (!this.#caller.believes(this, callId)) {
      this.#distrust('the answer to another call');
      return;
    }
    const refusal = refusalOf(status);
    if (refusal && !this.line) this.fail(refusal, `status ${status}`);
    if (surprise) {
      this.#distrust(surprise);
      return;
    }
    if (refusal) this.fail(refusal, `status ${status}`);
    if (!isJson) this.fail('status', `status ${status}, not JSON`);
    else if (length > this.#caller.largestAnswer) this.fail('size', `${length} bytes`);
    else if (isEncoded) this.fail('framing', 'an answer encoded unasked');
    if (!this.receiver && length > mostIgnored) this.#caller.hangUp(this);
  }

  takes(piece: string): void {
    this.#size += piece.length;
    if (!this.receiver) {
      if (this.#size > Math.max(mostIgnored, this.#caller.largestAnswer)) this.#caller.hangUp(this);
    } else if (this.#size > this.#caller.largestAnswer) {
      this.fail('size', `more than ${this.#caller.largestAnswer} bytes`);
      this.#caller.hangUp(this);
    } else this.#text = this.#text === '' ? piece : this.#text + piece;
  }

  /** The whole answer, which is let go of. */
  text(): string {
    const text = this.#text;
    this.#text = '';
    return text;
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
