// What keeps a subgraph in trouble from taking the gateway along: a breaker, a bulkhead, and second attempts within a
// budget. Timeouts are the transport's own.
//
// The breaker is cockatiel's. Its execute() makes several promises per call, so a healthy call does not go through it:
// while the circuit is closed, a success is put on cockatiel's counters directly, which is what execute() would do, and
// only failures and everything that happens while the circuit is not closed go through execute(). Its bulkhead and its
// retry are promises throughout; a counter, a list and one timer do their work here.

import type { RequestError } from '@orderstream/runtime/errors';
import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  type IBreaker,
  noJitterGenerator,
  SamplingBreaker,
} from 'cockatiel';
import { Deadlines } from './deadlines.ts';
import { CallFailure, isOutage, isRepeatable } from './failure.ts';
import { type Gate, Passage } from './passage.ts';
import type { Receiver, Transport } from './transport.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export type ResilienceState = {
  readonly breaker: BreakerState;
  readonly inFlight: number;
  readonly queued: number;
};

export type ResilienceOptions = {
  /** of the subgraph, for the log */
  readonly name: string;
  /** calls at once; others wait */
  readonly mostAtOnce: number;
  /** calls that wait; others fail at once */
  readonly mostWaiting: number;
  /** milliseconds that a call waits at most */
  readonly longestWait: number;
  /** share of recent calls that may be repeated, 0.1 for one in ten; 0 for none */
  readonly repeats: number;
  /** failures in a row that open the breaker; a crowd of calls that fail at one moment is one */
  readonly failuresInRow: number;
  /** share of the calls of ten seconds that must fail to open it */
  readonly failureRatio: number;
  /** milliseconds that it stays open the first time; doubled at each failed probe, up to thirty times as long */
  readonly openMs: number;
  readonly onBreaker?: (state: BreakerState) => void;
  /** Told of each call that is sent a second time. */
  readonly onRepeat?: (failure: RequestError) => void;
};

export type Resilient<Asking> = Transport<Asking> & { readonly state: () => ResilienceState };

export const usualResilience = {
  mostAtOnce: 512,
  mostWaiting: 512,
  longestWait: 1_000,
  repeats: 0.1,
  failuresInRow: 10,
  failureRatio: 0.5,
  openMs: 1_000,
} as const;

/** milliseconds over which the ratio is taken */
const window = 10_000;
/** calls per second below which a ratio says nothing */
const enough = 2;
/** repeats that can be saved up, so that a quiet subgraph has some */
const mostSaved = 20;
/** milliseconds; what failed later than that would come too late the second time */
const early = 1_000;
/** milliseconds before a call is repeated, from half to all of it */
const pause = 30;

const names: Record<CircuitState, BreakerState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
};

/** milliseconds between two failures that count as two in a row; what fails at one moment fails for one reason */
const apart = 20;

const inRow = (most: number): IBreaker => {
  const breaker = new ConsecutiveBreaker(most);
  let last = Number.NEGATIVE_INFINITY;
  return {
    state: undefined,
    success: () => breaker.success(),
    failure: () => {
      const now = performance.now();
      if (now - last < apart) return false;
      last = now;
      return breaker.failure();
    },
  };
};

/** Opens when either does. */
const either = (first: IBreaker, second: IBreaker): IBreaker => ({
  state: undefined,
  success: (state) => {
    first.success(state);
    second.success(state);
  },
  failure: (state) => {
    const isFirst = first.failure(state);
    return second.failure(state) || isFirst;
  },
});

const noop = (): void => {};

class Guard<Asking> implements Resilient<Asking>, Gate<Asking> {
  readonly #inner: Transport<Asking>;
  readonly #options: ResilienceOptions;
  readonly #counters: IBreaker;
  readonly #breaker: ReturnType<typeof circuitBreaker>;
  readonly #deadlines = new Deadlines();
  #inFlight = 0;
  #queued = 0;
  #first: Passage<Asking> | null = null;
  #last: Passage<Asking> | null = null;
  #saved: number;
  #isProbing = false;

  constructor(inner: Transport<Asking>, options: ResilienceOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#saved = options.repeats > 0 ? mostSaved / 2 : 0;
    this.#counters = either(
      inRow(options.failuresInRow),
      new SamplingBreaker({ threshold: options.failureRatio, duration: window, minimumRps: enough }),
    );
    this.#breaker = circuitBreaker(handleAll, {
      breaker: this.#counters,
      halfOpenAfter: new ExponentialBackoff({
        initialDelay: options.openMs,
        maxDelay: options.openMs * 30,
        exponent: 2,
        generator: noJitterGenerator,
      }),
    });
    this.#breaker.onStateChange((state) => options.onBreaker?.(names[state]));
  }

  state = (): ResilienceState => ({
    breaker: names[this.#breaker.state],
    inFlight: this.#inFlight,
    queued: this.#queued,
  });

  send = (body: string, isQuery: boolean, asking: Asking, receiver: Receiver): void => {
    this.#admitOrKeep(new Passage(this, body, isQuery, asking, receiver));
  };

  close = async (): Promise<void> => {
    for (let passage = this.#first; passage; passage = this.#first) {
      this.#leaveQueue(passage);
      passage.tell(new CallFailure('closed', this.#options.name));
    }
    this.#deadlines.stop();
    await this.#inner.close();
  };

  succeeded(passage: Passage<Asking>): void {
    this.#inFlight -= 1;
    if (passage.probed) passage.probed(null);
    else if (this.#breaker.state === CircuitState.Closed) {
      this.#counters.success(CircuitState.Closed);
      const { repeats } = this.#options;
      if (this.#saved < mostSaved) this.#saved = Math.min(mostSaved, this.#saved + repeats);
    }
    if (this.#first) this.#admit();
  }

  failed(passage: Passage<Asking>, failure: RequestError): void {
    this.#inFlight -= 1;
    if (passage.probed) passage.probed(isOutage(failure) ? failure : null);
    else if (isOutage(failure)) this.#count(failure);
    if (this.#mayRepeat(passage, failure)) this.#repeat(passage, failure);
    else passage.tell(failure);
    if (this.#first) this.#admit();
  }

  waitedTooLong(passage: Passage<Asking>): void {
    this.#unlink(passage);
    passage.tell(new CallFailure('crowded', this.#options.name));
  }

  #admitOrKeep(passage: Passage<Asking>): void {
    if (this.#inFlight < this.#options.mostAtOnce) this.#enter(passage);
    else if (this.#queued < this.#options.mostWaiting) this.#wait(passage);
    else passage.tell(new CallFailure('crowded', this.#options.name));
  }

  #enter(passage: Passage<Asking>): void {
    if (this.#breaker.state === CircuitState.Closed) this.#go(passage);
    else this.#tryThrough(passage);
  }

  #go(passage: Passage<Asking>): void {
    this.#inFlight += 1;
    passage.startedAt = performance.now();
    this.#inner.send(passage.body, passage.isQuery, passage.asking as Asking, passage);
  }

  /** The circuit is not closed: cockatiel says whether it is time for a probe, and one probe at a time is enough. */
  #tryThrough(passage: Passage<Asking>): void {
    if (this.#isProbing) {
      passage.tell(new CallFailure('broken', this.#options.name));
      return;
    }
    let wasSent = false;
    this.#isProbing = true;
    this.#breaker
      .execute(
        () =>
          new Promise<void>((resolve, reject) => {
            wasSent = true;
            passage.probed = (failure) => {
              passage.probed = null;
              if (failure) reject(failure);
              else resolve();
            };
            this.#go(passage);
          }),
      )
      .catch((error: unknown) => {
        if (!wasSent) passage.tell(new CallFailure('broken', this.#options.name, error));
      })
      .finally(() => {
        if (wasSent) this.#isProbing = false;
      });
    // execute() calls what it is given at once, or not at all.
    if (!wasSent) this.#isProbing = false;
  }

  #count(failure: RequestError): void {
    if (this.#breaker.state !== CircuitState.Closed) return;
    this.#breaker
      .execute(() => {
        throw failure;
      })
      .catch(noop);
  }

  #mayRepeat(passage: Passage<Asking>, failure: RequestError): boolean {
    if (!passage.isQuery || passage.isRepeat || !isRepeatable(failure)) return false;
    if (this.#breaker.state !== CircuitState.Closed) return false;
    return this.#saved >= 1 && performance.now() - passage.startedAt < early;
  }

  #repeat(passage: Passage<Asking>, failure: RequestError): void {
    this.#saved -= 1;
    passage.isRepeat = true;
    this.#options.onRepeat?.(failure);
    const again = (): void => {
      if (this.#breaker.state === CircuitState.Closed) this.#admitOrKeep(passage);
      else passage.tell(failure);
    };
    setTimeout(again, pause * (0.5 + Math.random() / 2));
  }

  #wait(passage: Passage<Asking>): void {
    passage.before = this.#last;
    if (this.#last) this.#last.after = passage;
    else this.#first = passage;
    this.#last = passage;
    this.#queued += 1;
    passage.deadline = performance.now() + this.#options.longestWait;
    this.#deadlines.add(passage);
  }

  #leaveQueue(passage: Passage<Asking>): void {
    this.#deadlines.remove(passage);
    this.#unlink(passage);
  }

  #unlink(passage: Passage<Asking>): void {
    const { before, after } = passage;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    passage.before = null;
    passage.after = null;
    this.#queued -= 1;
  }

  #admit(): void {
    while (this.#first && this.#inFlight < this.#options.mostAtOnce) {
      const passage = this.#first;
      this.#leaveQueue(passage);
      this.#enter(passage);
    }
  }
}

/** Puts a breaker, a bulkhead and repeats of queries before a transport, which then is closed with it. */
export const withResilience = <Asking>(
  inner: Transport<Asking>,
  options: ResilienceOptions,
): Resilient<Asking> => new Guard(inner, options);
