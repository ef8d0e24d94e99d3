// One connection that several queries share: they are written together, once per turn of the event loop, and answered
// in the order they were sent. What costs in a call over loopback or a fast network is the write, so sixteen queries in
// one write cost little more than one.
import type { Socket } from 'node:net';
import { type buildConnector, Client } from 'undici';
import type { Call } from './call.ts';

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

type Connector = ReturnType<typeof buildConnector>;

export class Line<Asking> {
  readonly client: Client;
  first: Call<Asking> | null = null;
  length = 0;
  /** performance.now() at which the first in line became the first */
  firstSince = 0;
  /** An answer on it has named its call, so the other side can tell calls apart. */
  hasEchoed = false;
  hasConnected = false;
  /** Nothing that still arrives is believed. */
  isRetired = false;
  /** requests given to the socket, and those of them that have left */
  started = 0;
  #left = 0;
  #last: Call<Asking> | null = null;
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** milliseconds from being first in line to the answer */
  #average = 0;
  readonly #brisk: number;

  constructor(url: string, connector: Connector, brisk: number) {
    this.#brisk = brisk;
    this.client = new Client(url, {
      pipelining: mostInLine,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idle,
      connect: (options, callback) =>
        connector(options, (...[error, socket]: Parameters<Parameters<Connector>[1]>) => {
          if (error) return callback(error, null);
          this.hasConnected = true;
          this.#gather(socket);
          callback(null, socket);
        }),
    });
  }

  /** Idle ones come first where they are asked in order; a busy one only while its answers flow. */
  mayTake(now: number, needsEcho: boolean): boolean {
    if (this.length === 0) return true;
    if (needsEcho && !this.hasEchoed) return false;
    return this.length < mostInLine && now - this.#answeredAt < flowing && this.#average < this.#brisk;
  }

  join(call: Call<Asking>, now: number): void {
    if (this.#last) this.#last.behind = call;
    else {
      this.first = call;
      this.firstSince = now;
    }
    this.#last = call;
    this.length += 1;
  }

  /** @returns false when it was not this call's turn, which must never be */
  leave(call: Call<Asking>, now: number): boolean {
    if (this.first !== call) return false;
    const took = Math.min(now - this.firstSince, most * this.#brisk);
    this.#average += (took - this.#average) * newest;
    this.#answeredAt = now;
    this.firstSince = now;
    this.first = call.behind;
    if (!this.first) this.#last = null;
    call.behind = null;
    this.length -= 1;
    return true;
  }

  /** Whether its request was on its way when the answer came. */
  hasLeft(call: Call<Asking>): boolean {
    return call.ordinal <= this.#left;
  }

  #gather(socket: Socket): void {
    const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
    const release = (): void => {
      isHeld = false;
      this.#left = this.started;
      socket.uncork();
    };
    let isHeld = false;
    socket.write = ((...given: unknown[]): boolean => {
      if (!isHeld) {
        isHeld = true;
        socket.cork();
        setImmediate(release);
      }
      return write(...given);
    }) as Socket['write'];
  }
}
