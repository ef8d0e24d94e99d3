// Deadlines of everything under way, on one timer. A timer of its own for each call would cost more than the call's
// share of a wire; a wheel of slots takes in and lets go in constant time, whatever order the deadlines come in.

export type Timed = {
  /** performance.now() at which it is over, milliseconds; late by one turn of the wheel at most */
  deadline: number;
  /** Both belong to the wheel. */
  earlier: Timed | null;
  later: Timed | null;
  expire(now: number): void;
};

/** milliseconds a slot covers */
const turn = 50;
/** 12.8 s; what lies further ahead stays in its slot for another round */
const slots = 256;

export class Deadlines {
  size = 0;
  readonly #slots: (Timed | null)[] = new Array<Timed | null>(slots).fill(null);
  #next = 0;
  #timer: NodeJS.Timeout | undefined;

  add(timed: Timed): void {
    if (this.size === 0) this.#start();
    this.size += 1;
    // One that has passed is put where the wheel comes by next.
    timed.deadline = Math.max(timed.deadline, this.#next * turn);
    const slot = this.#slotOf(timed);
    const first = this.#slots[slot]!;
    timed.earlier = null;
    timed.later = first;
    if (first) first.earlier = timed;
    this.#slots[slot] = timed;
  }

  /** Must be called once for each that was added and has not expired; its deadline may not change in between. */
  remove(timed: Timed): void {
    const { earlier, later } = timed;
    if (later) later.earlier = earlier;
    if (earlier) earlier.later = later;
    else this.#slots[this.#slotOf(timed)] = later;
    timed.earlier = null;
    timed.later = null;
    this.size -= 1;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #slotOf({ deadline }: Timed): number {
    return Math.floor(deadline / turn) % slots;
  }

  #start(): void {
    if (this.#timer) return;
    this.#next = Math.floor(performance.now() / turn);
    this.#timer = setInterval(() => this.#turn(), turn);
    this.#timer.unref();
  }

  #turn(): void {
    if (this.size === 0) {
      this.stop();
      return;
    }
    const now = performance.now();
    // All slots that are over by now, also those that a busy loop made us miss; never more than a whole round.
    const last = Math.floor(now / turn);
    for (let at = Math.max(this.#next, last - slots); at < last; at += 1) this.#expire(at % slots, now);
    this.#next = last;
  }

  #expire(slot: number, now: number): void {
    // What expires may take others out of the wheel, so each step begins at the front again.
    let timed = this.#slots[slot] ?? null;
    while (timed) {
      if (timed.deadline <= now) {
        this.remove(timed);
        timed.expire(now);
        timed = this.#slots[slot] ?? null;
      } else timed = timed.later;
    }
  }
}
