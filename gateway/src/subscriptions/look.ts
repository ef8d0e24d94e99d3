// A late comer's own look at a subgraph whose events are news and no state: only the subgraph knows what of the past a new
// subscriber is to hear. For a moment the late comer has a subscription of its own, then it moves into the shared one.
// Events of that moment come by both ways; what was told by one is not told again by the other.
import { Newest } from './newest.ts';
import type { Payload } from './payload.ts';
import type { Ending, Member, Stream, Watcher } from './stream.ts';

/** events of one look that are remembered or held, and their bytes */
const most = 1_000;
const mostBytes = 4 * 1024 * 1024;

export class Look<Asking> implements Member<Asking>, Watcher {
  readonly asking: Asking;
  readonly young: Stream<Asking>;
  readonly #elder: Stream<Asking>;
  readonly #ms: number;
  readonly #gone: () => void;
  readonly #held = new Newest<Payload>(most, mostBytes);
  readonly #told = new Map<string, number>();
  #isLooking = true;
  #timer: NodeJS.Timeout;

  /** @param ms how long the look takes, and then how long the shared subscription may be behind it */
  constructor(elder: Stream<Asking>, young: Stream<Asking>, ms: number, gone: () => void) {
    const [first] = young.members;
    this.asking = first!.asking;
    this.young = young;
    this.#elder = elder;
    this.#ms = ms;
    this.#gone = gone;
    this.#timer = setTimeout(() => this.#hand(), ms);
    young.watcher = this;
    elder.join(this);
  }

  /** Whoever comes now still hears all that a new subscriber hears. */
  get isFresh(): boolean {
    return this.#isLooking && !this.young.hasSpoken;
  }

  heard(payload: Payload): void {
    const text = payload.json.toString('latin1');
    if (this.#told.size < most) this.#told.set(text, (this.#told.get(text) ?? 0) + 1);
  }

  told(payload: Payload): void {
    if (this.#isLooking) this.#held.put(payload.key, payload, payload.json.length);
    else this.#pass(payload);
  }

  ended(ending: Ending): void {
    // Without an elder the young one goes on by itself.
    if (this.#isLooking) this.#finish();
    else this.young.end(ending);
  }

  over(): void {
    this.#finish();
    this.#elder.leave(this);
  }

  #pass(payload: Payload): void {
    const text = payload.json.toString('latin1');
    const times = this.#told.get(text) ?? 0;
    if (times > 1) this.#told.set(text, times - 1);
    else this.#told.delete(text);
    if (times === 0) for (const member of this.young.members) member.told(payload);
  }

  #hand(): void {
    if (this.young.isBusy) {
      this.#timer = setTimeout(() => this.#hand(), this.#ms / 4);
      return;
    }
    this.#isLooking = false;
    this.young.mute();
    for (let held = this.#held.take(); held; held = this.#held.take()) this.#pass(held);
    this.#timer = setTimeout(() => this.#move(), this.#ms);
  }

  #move(): void {
    this.#finish();
    for (const member of this.young.members) this.#elder.join(member);
    this.young.vacate();
    this.#elder.leave(this);
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.young.watcher = null;
    this.#gone();
  }
}
