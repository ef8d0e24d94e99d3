// Which operations may share a connection. Whoever is sent behind a slow one waits for it, so an operation that is
// overtaken by later ones more than once in a few hundred calls is given connections of its own for its next calls, and
// for more of them each time it is slow again: one that takes long once in a hundred times ends up there for good, and
// its neighbours never notice. What is slow less often than that is left to the rescue of those behind it.

/** A power of two. Two operations that meet in one place are judged together, which costs speed and nothing else. */
const places = 4_096;
/** calls for which one slow call is held against an operation, and how much may be held against it */
const memory = 256;
const patience = 2 * memory;
/** calls that an operation stays apart the first time; doubled each time it is slow again */
const firstBan = 256;
const mostDoublings = 8;
/** characters of the operation's text that are looked at */
const samples = 24;

const marker = '","variables"';

/**
 * The operation's place, from its text and not its variables. A few characters and the length are enough to tell
 * operations apart, and cost less than a hash of all.
 */
export const placeOf = (body: string): number => {
  const found = body.indexOf(marker);
  const end = found < 0 ? body.length : found;
  const step = Math.max(1, Math.floor(end / samples));
  let hash = end;
  for (let at = 0; at < end; at += step) hash = (Math.imul(hash, 31) + body.charCodeAt(at)) | 0;
  return (hash ^ (hash >>> 12)) & (places - 1);
};

export class SlowOperations {
  readonly #owed = new Uint16Array(places);
  readonly #left = new Uint32Array(places);
  readonly #doublings = new Uint8Array(places);

  /** Whether this call goes by itself; asked once for each. */
  goesAlone(place: number): boolean {
    if (this.#owed[place]! > 0) this.#owed[place]! -= 1;
    const left = this.#left[place]!;
    if (left === 0) return false;
    this.#left[place] = left - 1;
    if (left === 1 && this.#doublings[place]! > 0) this.#doublings[place]! -= 1;
    return true;
  }

  wasSlow(place: number): void {
    this.#owed[place] = Math.min(this.#owed[place]! + memory, 2 * patience);
    if (this.#owed[place]! <= patience) return;
    const doublings = this.#doublings[place]!;
    this.#left[place] = firstBan << doublings;
    if (doublings < mostDoublings) this.#doublings[place] = doublings + 1;
  }
}
