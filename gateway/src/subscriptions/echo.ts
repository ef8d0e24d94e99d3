// After a break a subgraph is asked anew, and may tell again what it told before. Of things with versions that is easily
// seen; of others, an event that says of the same thing what was said last says nothing, but only then: at other times a
// subgraph that repeats itself has its reasons.
import { hash } from 'node:crypto';
import type { Mark } from './marks.ts';

/** things whose last event is remembered */
const most = 1_000;
/** milliseconds after a break in which a subgraph tells of the past */
const pastMs = 5_000;

export class Echo {
  readonly #last = new Map<string, string>();
  #until = 0;

  /** The subgraph was asked anew. */
  again(now: number): void {
    this.#until = now + pastMs;
  }

  /** Whether the event was told before the break already. */
  isHeard({ thing, version }: Mark, text: string, now: number): boolean {
    if (thing === null || version !== null) return false;
    const digest = hash('sha1', text, 'base64');
    const isSame = this.#last.get(thing) === digest;
    this.#last.delete(thing);
    this.#last.set(thing, digest);
    if (this.#last.size > most) this.#last.delete(this.#last.keys().next().value!);
    return isSame && now < this.#until;
  }
}
