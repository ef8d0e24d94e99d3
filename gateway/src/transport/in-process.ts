// A subgraph in the gateway's own process: no socket, no HTTP, no signature. The bytes are the same as on a wire, so
// that nothing can depend on sharing memory with it.
import type { ExecutionResult } from 'graphql';
import { toBinary, toText } from './binary.ts';
import { Deadlines, type Timed } from './deadlines.ts';
import { CallFailure, type Reason } from './failure.ts';
import type { Receiver, Transport } from './transport.ts';

export type SubgraphRequest = {
  readonly query: string;
  readonly operationName?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
};

export type InProcessOptions<Asking> = {
  /** of the subgraph, for the log */
  readonly name: string;
  /** Answers as the subgraph would over HTTP; what it throws becomes a failed call. */
  readonly execute: (
    request: SubgraphRequest,
    asking: Asking,
    isQuery: boolean,
  ) => ExecutionResult | PromiseLike<ExecutionResult>;
  /** milliseconds; what runs on after that is not stopped, but nobody waits for it */
  readonly timeoutMs: number;
  /** bytes */
  readonly largestAnswer: number;
  /** performance.now() at which the client's own time is over */
  readonly deadlineOf?: (asking: Asking) => number;
};

class Call implements Timed {
  readonly #over: () => void;
  deadline: number;
  earlier: Timed | null = null;
  later: Timed | null = null;
  receiver: Receiver | null;
  readonly #late: Reason;
  readonly #name: string;

  constructor(name: string, receiver: Receiver, deadline: number, late: Reason, over: () => void) {
    this.#over = over;
    this.#name = name;
    this.receiver = receiver;
    this.deadline = deadline;
    this.#late = late;
  }

  expire(): void {
    this.fail(this.#late);
    this.#over();
  }

  fail(reason: Reason, cause?: unknown): void {
    const { receiver } = this;
    this.receiver = null;
    receiver?.failed(new CallFailure(reason, this.#name, cause));
  }
}

export const openInProcessTransport = <Asking>(options: InProcessOptions<Asking>): Transport<Asking> => {
  const { name, execute, timeoutMs, largestAnswer, deadlineOf } = options;
  const deadlines = new Deadlines();
  let isClosed = false;
  let whenEmpty = (): void => {};

  const over = (): void => {
    if (deadlines.size === 0) whenEmpty();
  };

  const settle = (call: Call, told: (call: Call) => void): void => {
    if (!call.receiver) return;
    deadlines.remove(call);
    told(call);
    over();
  };

  const answer = (call: Call, result: ExecutionResult): void =>
    settle(call, () => {
      let body: string;
      try {
        body = toBinary(JSON.stringify(result));
      } catch (error) {
        call.fail('framing', error);
        return;
      }
      if (body.length > largestAnswer) {
        call.fail('size');
        return;
      }
      const { receiver } = call;
      call.receiver = null;
      receiver!.answered(body);
    });

  const refuse = (call: Call, error: unknown): void => settle(call, () => call.fail('status', error));

  return {
    send: (body, isQuery, asking, receiver) => {
      const now = performance.now();
      const ours = now + timeoutMs;
      const theirs = deadlineOf?.(asking) ?? ours;
      const late = theirs < ours ? 'impatient' : 'late';
      const call = new Call(name, receiver, Math.min(ours, theirs), late, over);
      if (isClosed || theirs <= now) {
        call.fail(isClosed ? 'closed' : 'impatient');
        return;
      }
      deadlines.add(call);
      let result: ReturnType<typeof execute>;
      try {
        result = execute(JSON.parse(toText(body)) as SubgraphRequest, asking, isQuery);
      } catch (error) {
        refuse(call, error);
        return;
      }
      if ('then' in result)
        result.then(
          (made) => answer(call, made),
          (error: unknown) => refuse(call, error),
        );
      else answer(call, result);
    },
    close: () => {
      isClosed = true;
      return new Promise<void>((resolve) => {
        whenEmpty = () => {
          deadlines.stop();
          resolve();
        };
        if (deadlines.size === 0) whenEmpty();
      });
    },
  };
};
