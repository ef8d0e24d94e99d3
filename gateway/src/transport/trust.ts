// Whose answer is this? On a connection of its own a call need not ask. On one that it shares, a subgraph that answered
// once too often, or a proxy that mixed two answers up, would hand one user's data to another, and nothing in HTTP/1.1
// would show it. So each request carries a name, and a connection is shared only while each answer brings it back.
import type { Call } from './call.ts';

/**
 * Whether queries share connections: never; only while each answer carries the request's `x-call-id` (a header that the
 * subgraph copies from the request); or always, which is safe only with a server known never to answer twice.
 */
export type Sharing = 'never' | 'echoed' | 'always';

/** Names the call. */
export const callIdHeader = 'x-call-id';

/** names brought back in a row before connections are shared the first time, and the most after one was missing */
const firstProof = 8;
const longestProof = 65_536;

export class Trust {
  readonly sharing: Sharing;
  /** names still to be brought back before connections are shared, and how many it must be the next time */
  #missing: number;
  #proof = firstProof;

  constructor(sharing: Sharing) {
    this.sharing = sharing;
    this.#missing = sharing === 'echoed' ? firstProof : 0;
  }

  allowsSharing(): boolean {
    return this.sharing !== 'never' && this.#missing === 0;
  }

  /** `named`: the name that the answer brought */
  believes<Asking>(call: Call<Asking>, named: unknown): boolean {
    if (this.sharing === 'never') return true;
    const { line } = call;
    // An answer that comes before its question is somebody else's.
    if (line && !line.hasLeft(call)) return false;
    const isRight = named === call.id;
    if (this.sharing === 'always') return isRight || named === undefined;
    if (!line) {
      if (!isRight) this.#missing = this.#proof;
      else if (this.#missing > 0) this.#missing -= 1;
      return isRight || named === undefined;
    }
    line.hasEchoed = isRight;
    if (!isRight) {
      this.#proof = Math.min(this.#proof * 8, longestProof);
      this.#missing = this.#proof;
    }
    return isRight;
  }
}
