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

/** milliseconds an operation that others overtook must take to count as slow */
const stuck = 5;
/** And times the usual: where all calls take long, as when the machine is short of time, none is slow. */
const much = 4;
/** weight of the newest call in what is usual */
const newest = 0.01;
/** Milliseconds by which a call must have been sent later to have overtaken. */
const clearly = 2;
/** milliseconds between two looks at how far answers have come, and how many of them are remembered */
const look = 4;
const looks = 32;

export class SlowOperations {
  readonly #owed = new Uint16Array(places);
  readonly #left = new Uint32Array(places);
  readonly #doublings = new Uint8Array(places);
  /** milliseconds that a call takes on average */
  #usual = 0;
  /** the latest time of sending among all calls answered */
  #latest = 0;
  /** the same as it was some time ago, and when that was; a ring */
  readonly #latests = new Float64Array(looks);
  readonly #times = new Float64Array(looks);
  #newestLook = 0;

  /** Whether this call goes by itself; asked once for each. */
  goesAlone(place: number): boolean {
    if (this.#owed[place]! > 0) this.#owed[place]! -= 1;
    const left = this.#left[place]!;
    if (left === 0) return false;
    this.#left[place] = left - 1;
    if (left === 1 && this.#doublings[place]! > 0) this.#doublings[place]! -= 1;
    return true;
  }

  /** `since`: when its turn came; `sentAt`: when it was sent; all of them performance.now() */
  answered(place: number, since: number, sentAt: number, now: number): void {
    const took = now - since;
    if (took > Math.max(stuck, this.#usual * much) && this.#wasOvertaken(since, took, now))
      this.wasSlow(place);
    this.#usual += (took - this.#usual) * newest;
    if (now - this.#times[this.#newestLook]! >= look) {
      this.#newestLook = (this.#newestLook + 1) % looks;
      this.#times[this.#newestLook] = now;
      this.#latests[this.#newestLook] = this.#latest;
    }
    if (sentAt > this.#latest) this.#latest = sentAt;
  }

  /**
   * By a call that was answered in the first half of its time. Answers that were held up together, by a pause of the
   * subgraph or our own, come in any order afterwards and say nothing.
   */
  #wasOvertaken(since: number, took: number, now: number): boolean {
    for (let back = 0; back < looks; back += 1) {
      const at = (this.#newestLook - back + looks) % looks;
      if (this.#times[at]! <= now - took / 2) return this.#latests[at]! > since + clearly;
    }
    return this.#latests[(this.#newestLook + 1) % looks]! > since + clearly;
  }

  wasSlow(place: number): void {
    this.#owed[place] = Math.min(this.#owed[place]! + memory, 2 * patience);
    if (this.#owed[place]! <= patience) return;
    const doublings = this.#doublings[place]!;
    this.#left[place] = firstBan << doublings;
    if (doublings < mostDoublings) this.#doublings[place] = doublings + 1;
  }
}
