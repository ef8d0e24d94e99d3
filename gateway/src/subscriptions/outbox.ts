// What goes to one client, at its own pace. While the client takes what it is sent, events go straight through; when it
// does not, the newest of each thing waits here, within bounds.
import type { Bounds } from './bounds.ts';
import { Newest } from './newest.ts';
import type { Payload } from './payload.ts';

/** The wire under an outbox, which has to `flush` it when what was sent is taken. */
export type Wire = {
  /** bytes handed over and not taken yet */
  unread(): number;
  send(message: Buffer): void;
};

/** One of a client's subscriptions. */
export type Recipient = {
  /** of its own among all of the client's, even past ones */
  readonly serial: number;
  message(payload: Payload): Buffer;
};

type Item = {
  readonly to: Recipient;
  readonly payload: Payload | null;
  readonly last: readonly Buffer[];
};

const nothing: readonly Buffer[] = [];

export class Outbox {
  readonly #wire: Wire;
  readonly #bounds: Bounds;
  #waiting: Newest<Item> | null = null;

  constructor(wire: Wire, bounds: Bounds) {
    this.#wire = wire;
    this.#bounds = bounds;
  }

  /** bytes of events that wait */
  get bytes(): number {
    return this.#waiting?.bytes ?? 0;
  }

  put(to: Recipient, payload: Payload): void {
    if (!this.#waiting && this.#hasRoom(payload.json.length)) this.#wire.send(to.message(payload));
    else this.#keep(`${to.serial} ${payload.key}`, { to, payload, last: nothing }, payload.json.length);
  }

  /** The last messages of a subscription: they come after all that waits for it. */
  end(to: Recipient, last: readonly Buffer[]): void {
    if (this.#waiting?.has((item) => item.to === to))
      this.#keep(`${to.serial} `, { to, payload: null, last }, 0, false);
    else for (const message of last) this.#wire.send(message);
  }

  /** Nothing more goes to it, not even what waits. */
  forget(to: Recipient): void {
    this.#waiting?.dropAll((item) => item.to === to);
    if (this.#waiting?.size === 0) this.#waiting = null;
  }

  flush(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    while (waiting.size > 0 && this.#hasRoom(waiting.nextBytes)) {
      const { to, payload, last } = waiting.take()!;
      if (payload) this.#wire.send(to.message(payload));
      for (const message of last) this.#wire.send(message);
    }
    if (waiting.size === 0) this.#waiting = null;
  }

  #keep(key: string, item: Item, bytes: number, mayGo = true): void {
    const { waitingEvents, waitingBytes } = this.#bounds;
    this.#waiting ??= new Newest(waitingEvents, waitingBytes);
    this.#waiting.put(key, item, bytes, mayGo);
  }

  /** What is larger than all that may be unread goes when nothing else is. */
  #hasRoom(bytes: number): boolean {
    const unread = this.#wire.unread();
    return unread === 0 || unread + bytes <= this.#bounds.unread;
  }
}
