// Ids of traces and spans, cut from a stock of random digits: a call for each would cost more than the span.
import { randomBytes } from 'node:crypto';

const stocked = 4_096;

export class RandomIds {
  #digits = '';
  #at = 0;

  /** 32 hexadecimal digits */
  traceId(): string {
    return this.#take(32);
  }

  /** 16 hexadecimal digits */
  spanId(): string {
    return this.#take(16);
  }

  #take(length: number): string {
    if (this.#at + length > this.#digits.length) {
      this.#digits = randomBytes(stocked).toString('hex');
      this.#at = 0;
    }
    const id = this.#digits.slice(this.#at, this.#at + length);
    this.#at += length;
    return id;
  }
}
