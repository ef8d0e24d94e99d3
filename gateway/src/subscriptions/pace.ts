// What a client owes: it takes what it is sent, and it does not send too much itself.
import type { Bounds } from './bounds.ts';

/** milliseconds over which messages are counted */
const windowMs = 10_000;

export class Pace {
  readonly #bounds: Bounds;
  #messages = 0;
  #windowEnds = 0;
  #unreadSince: number | null = null;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Counts a message of the client. False for the first one too many, and all after it. */
  mayTalk(now: number): boolean {
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + windowMs;
      this.#messages = 0;
    }
    this.#messages += 1;
    return this.#messages <= this.#bounds.messages;
  }

  /** False when more than may be has been unread for longer than is borne. */
  isBorne(unread: number, now: number): boolean {
    this.#unreadSince = unread > this.#bounds.mostUnread ? (this.#unreadSince ?? now) : null;
    return this.#unreadSince === null || now - this.#unreadSince < this.#bounds.patienceMs;
  }
}
