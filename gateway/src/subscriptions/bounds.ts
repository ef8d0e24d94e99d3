// What clients of subscriptions may ask of one gateway process.

export type Bounds = {
  /** sockets and event streams of this process */
  readonly clients: number;
  readonly clientsPerAddress: number;
  readonly clientsPerUser: number;
  readonly subscriptionsPerClient: number;
  readonly subscriptionsPerUser: number;
  readonly subscriptionsPerAddress: number;
  /** subscriptions to subgraphs of this process, each shared by all who may share it */
  readonly upstreams: number;
  /** bytes of one message from a client */
  readonly frame: number;
  /** messages from one socket in ten seconds, pings included */
  readonly messages: number;
  /** bytes handed over for one client that it has not taken; past it newer events replace older ones */
  readonly unread: number;
  /** bytes and number of events that then wait for one client, the newest of each thing */
  readonly waitingBytes: number;
  readonly waitingEvents: number;
  /** bytes; a client that leaves more than this unread for `patienceMs` is cut off */
  readonly mostUnread: number;
  readonly patienceMs: number;
  /** milliseconds for a client to say who it is */
  readonly greetingMs: number;
  /** milliseconds between two pings of a socket, and between two comments of an event stream */
  readonly keepAliveMs: number;
  /** milliseconds between two looks at all clients: how exactly all of the above is kept */
  readonly sweepMs: number;
  /** milliseconds over which clients are asked to come back when the process stops */
  readonly returnMs: number;
};

export const usualBounds: Bounds = {
  clients: 50_000,
  clientsPerAddress: 1_000,
  clientsPerUser: 50,
  subscriptionsPerClient: 20,
  subscriptionsPerUser: 200,
  subscriptionsPerAddress: 2_000,
  upstreams: 20_000,
  frame: 64 * 1024,
  messages: 300,
  unread: 256 * 1024,
  waitingBytes: 512 * 1024,
  waitingEvents: 100,
  mostUnread: 1024 * 1024,
  patienceMs: 30_000,
  greetingMs: 3_000,
  keepAliveMs: 15_000,
  sweepMs: 1_000,
  returnMs: 5_000,
};

/** How many of something each of many holds, none of them more than `most`. */
export class Tally {
  readonly #held = new Map<string, number>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** False where it would be one too many; then nothing is taken. */
  take(name: string): boolean {
    const held = this.#held.get(name) ?? 0;
    if (held >= this.#most) return false;
    this.#held.set(name, held + 1);
    return true;
  }

  give(name: string): void {
    const held = this.#held.get(name) ?? 0;
    if (held > 1) this.#held.set(name, held - 1);
    else this.#held.delete(name);
  }

  /** how many hold something */
  get size(): number {
    return this.#held.size;
  }
}
