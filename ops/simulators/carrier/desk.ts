import type { Book } from './book.ts';
import type { Faults } from './faults.ts';

/** What every part of the carrier works with. */
export type Desk = {
  readonly book: Book;
  readonly faults: Faults;
  /** Real milliseconds of the carrier's day. */
  readonly dayMs: number;
  /** Whether anybody listens: without a webhook address events are only kept. */
  readonly notifies: boolean;
};
