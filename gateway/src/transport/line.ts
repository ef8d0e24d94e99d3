// A connection that several queries share: they are written together, once per turn of the event loop, and answered in
// the order they were sent. What costs in a call over loopback or a fast network is the write, so sixteen queries in one
// write cost little more than one.
import { Connection, type ConnectionOwner, type Destination } from './connection.ts';

/** calls on one connection at once */
const mostInLine = 16;
/** milliseconds since its last answer for which a connection counts as flowing */
const flowing = 3;
/** weight of the newest answer in the average */
const newest = 0.1;
/** Times what counts as brisk: more than that of one answer is an exception, and says nothing of the line. */
const most = 4;
/** milliseconds before an idle connection is closed, so that traffic packs on the others again */
const idle = 2_000;

export class Line<Asking> extends Connection<Asking> {
  /** An answer on it has named its call, so the other side can tell calls apart. */
  hasEchoed = false;
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** milliseconds from being first in line to the answer */
  #average = 0;
  readonly #brisk: number;

  /** @param brisk milliseconds */
  constructor(destination: Destination, owner: ConnectionOwner<Asking>, brisk: number) {
    super(destination, owner, idle);
    this.#brisk = brisk;
  }

  /** Idle ones come first where they are asked in order; a busy one only while its answers flow. */
  mayTake(now: number, needsEcho: boolean): boolean {
    if (this.length === 0) return true;
    if (needsEcho && !this.hasEchoed) return false;
    return this.length < mostInLine && now - this.#answeredAt < flowing && this.#average < this.#brisk;
  }

  answered(now: number): void {
    const took = Math.min(now - this.firstSince, most * this.#brisk);
    this.#average += (took - this.#average) * newest;
    this.#answeredAt = now;
    this.firstSince = now;
  }
}
