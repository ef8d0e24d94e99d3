import type { Book } from './book.ts';
import type { Faults } from './faults.ts';
import type { Tree } from './form.ts';

/** What an operation is given. It runs inside one transaction of the book and never waits. */
export type Call = {
  readonly book: Book;
  readonly faults: Faults;
  readonly params: Tree;
  /** The id in the path, or an empty string. */
  readonly id: string;
  readonly idempotencyKey: string | null;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether anybody is told of such an event: without a webhook address events are only kept. */
  readonly notifies: (type: string) => boolean;
};

export type Reply = {
  readonly status: number;
  readonly body: object;
  /** The effect stands, and the caller must not hear of it. */
  readonly lost?: boolean;
};

export const seconds = (call: Call): number => Math.floor(call.now / 1000);
