// Connections on which one call is at a time. The one that was busy last is taken first, so that traffic packs on few.
import type { Call } from './call.ts';
import { Connection, type ConnectionOwner, type Destination } from './connection.ts';

/** milliseconds; the other side may close an idle connection at any moment, and what is sent then is lost */
const longestIdle = 4_000;

type Options<Asking> = {
  readonly destination: Destination;
  /** connections */
  readonly most: number;
  readonly ended: (call: Call<Asking>) => void;
  readonly broke: (call: Call<Asking>, error: Error) => void;
  /** Writes the call to the connection; false where it cannot be written at all. */
  readonly put: (call: Call<Asking>, connection: Connection<Asking>) => boolean;
};

export class OwnConnections<Asking> implements ConnectionOwner<Asking> {
  readonly #options: Options<Asking>;
  readonly #all = new Set<Connection<Asking>>();
  readonly #idle: Connection<Asking>[] = [];
  /** calls that wait for a connection */
  #first: Call<Asking> | null = null;
  #last: Call<Asking> | null = null;

  constructor(options: Options<Asking>) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Sends the call, now or when there is a connection for it. */
  send(call: Call<Asking>): void {
    const connection = this.#idle.pop() ?? this.#open();
    if (!connection) this.#wait(call);
    else if (!this.#options.put(call, connection)) this.free(connection);
  }

  /** The connection has answered; others may wait for it. */
  free(connection: Connection<Asking>): void {
    if (connection.isClosed) return;
    for (let call = this.#next(); call; call = this.#next()) if (this.#options.put(call, connection)) return;
    this.#idle.push(connection);
  }

  ended(call: Call<Asking>): void {
    this.#options.ended(call);
  }

  broke(call: Call<Asking>, error: Error): void {
    this.#options.broke(call, error);
  }

  connected(): void {}

  lost(connection: Connection<Asking>): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    const call = this.#next();
    if (call) this.send(call);
  }

  /** Closes those that have been idle for as long as they may. */
  sweep(now: number): void {
    for (const connection of [...this.#idle])
      if (now - connection.idleSince > connection.longestIdle)
        connection.destroy(new Error('it was idle for too long'));
  }

  close(): void {
    for (const connection of [...this.#all]) connection.destroy(new Error('the transport is closed'));
  }

  #open(): Connection<Asking> | null {
    const { destination, most } = this.#options;
    if (this.#all.size >= most) return null;
    const connection = new Connection<Asking>(destination, this, longestIdle);
    this.#all.add(connection);
    return connection;
  }

  #wait(call: Call<Asking>): void {
    if (this.#last) this.#last.behind = call;
    else this.#first = call;
    this.#last = call;
  }

  /** The next that somebody still waits for. */
  #next(): Call<Asking> | null {
    const now = performance.now();
    for (let call = this.#first; call; call = this.#first) {
      this.#first = call.behind;
      if (!this.#first) this.#last = null;
      call.behind = null;
      // Those whose time is over at this moment are told so in a moment.
      if (call.receiver && call.deadline > now) return call;
    }
    return null;
  }
}
