// One subgraph over HTTP/1.1. Two ways lead there: connections of their own, one call at a time, for mutations, second
// attempts and operations that take long; and lines (line.ts) that quick queries share. A line is a matter of trust
// (trust.ts). One on which anything unusual happens is given up with everything on it; what was on it is asked again,
// once, on a connection of its own.
import { FramingError } from './answer-head.ts';
import { Call, type Caller } from './call.ts';
import type { Connection, ConnectionOwner, Destination } from './connection.ts';
import { Deadlines } from './deadlines.ts';
import { CallFailure, type Reason } from './failure.ts';
import { Line } from './line.ts';
import { OwnConnections } from './own-connections.ts';
import { headerLines, requestStart } from './request-text.ts';
import { placeOf, SlowOperations } from './slow-operations.ts';
import type { Receiver, Transport } from './transport.ts';
import { callIdHeader, type Sharing, Trust } from './trust.ts';

export type HttpOptions<Asking> = {
  /** of the subgraph, for the log */
  readonly name: string;
  /** `http://host:port`, `https://host` or `unix:/path.sock` */
  readonly origin: string;
  readonly path: string;
  /**
   * Asked again for each attempt, so that what is signed stays fresh. `body` is a binary string: what is signed are its
   * bytes, `Buffer.from(body, 'latin1')`. A list holds names and values by turns.
   */
  readonly headersOf: (
    asking: Asking,
    body: string,
    method: 'POST',
  ) => readonly string[] | Readonly<Record<string, string>>;
  /** milliseconds for the whole call, connecting and second attempts included */
  readonly timeoutMs: number;
  /** bytes */
  readonly largestAnswer: number;
  /** performance.now() at which the client's own time is over */
  readonly deadlineOf?: (asking: Asking) => number;
  readonly sharing?: Sharing;
  /**
   * milliseconds that calls on a shared connection take on average, at most, for others to be put behind them; 1 unless
   * the subgraph is far away
   */
  readonly brisk?: number;
  /** of each of the two kinds, at most */
  readonly connections?: number;
};

export type HttpCounts = {
  /** calls that went into a line, and those of them that were not alone there */
  inLine: number;
  behind: number;
  /** sent elsewhere as well because the first in line took long */
  rescued: number;
  /** sent again because their line was given up */
  again: number;
  /** lines given up */
  retired: number;
};

export type HttpTransport<Asking> = Transport<Asking> & {
  readonly counts: Readonly<HttpCounts>;
  readonly underWay: () => number;
};

/** milliseconds between two looks for connections that have been idle for long */
const sweepEvery = 500;
/** milliseconds after which the first in line counts as stuck */
const stuck = 5;
/** rescues that each answer pays for, and the most that can be saved up */
const rescuesPerAnswer = 0.05;
const mostRescues = 256;

const noop = (): void => {};

const reasonOf = (error: Error): Reason => (error instanceof FramingError ? 'framing' : 'connection');

const destinationOf = (origin: string): Destination & { readonly name: string } => {
  if (origin.startsWith('unix:'))
    return {
      host: '',
      port: 0,
      isSecure: false,
      socketPath: origin.slice('unix:'.length),
      name: 'localhost',
    };
  const { protocol, hostname, port, host } = new URL(origin);
  const isSecure = protocol === 'https:';
  if (!isSecure && protocol !== 'http:') throw new TypeError(`a subgraph cannot be reached by ${protocol}`);
  return {
    // An IPv6 address without its brackets.
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isSecure ? 443 : 80) : Number(port),
    isSecure,
    socketPath: undefined,
    name: host,
  };
};

class Http<Asking> implements Caller<Asking>, ConnectionOwner<Asking>, HttpTransport<Asking> {
  readonly largestAnswer: number;
  readonly counts: HttpCounts = { inLine: 0, behind: 0, rescued: 0, again: 0, retired: 0 };
  readonly #options: HttpOptions<Asking>;
  readonly #trust: Trust;
  readonly #most: number;
  readonly #destination: Destination;
  /** what every request begins with */
  readonly #start: string;
  readonly #own: OwnConnections<Asking>;
  readonly #lines: Line<Asking>[] = [];
  readonly #deadlines = new Deadlines();
  readonly #slow = new SlowOperations();
  #ids = 0;
  #rescues = 32;
  #watch: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #closed: Promise<void> | null = null;
  #whenEmpty = noop;

  constructor(options: HttpOptions<Asking>) {
    const { origin, path, sharing = 'echoed', connections = 64, largestAnswer } = options;
    const destination = destinationOf(origin);
    this.#options = options;
    this.largestAnswer = largestAnswer;
    this.#trust = new Trust(sharing);
    this.#most = connections;
    this.#destination = destination;
    this.#start = requestStart(destination.name, path);
    this.#own = new OwnConnections<Asking>({
      destination,
      most: connections,
      ended: (call) => this.ended(call),
      broke: (call, error) => this.broke(call, error),
      put: (call, connection) => this.#put(call, connection, performance.now()),
    });
  }

  send = (body: string, isQuery: boolean, asking: Asking, receiver: Receiver): void => {
    if (this.#closed) {
      receiver.failed(new CallFailure('closed', this.#options.name));
      return;
    }
    const now = performance.now();
    const ours = now + this.#options.timeoutMs;
    const theirs = this.#options.deadlineOf?.(asking) ?? ours;
    if (theirs <= now) {
      receiver.failed(new CallFailure('impatient', this.#options.name));
      return;
    }
    const shares = this.#trust.sharing !== 'never' && isQuery;
    const place = shares ? placeOf(body) : 0;
    const deadline = Math.min(ours, theirs);
    const call = this.#call(
      { receiver, body, asking, isQuery, place, deadline, isClients: theirs < ours },
      false,
    );
    if (shares && this.#trust.allowsSharing() && !this.#slow.goesAlone(place)) {
      const line = this.#lineFor(now);
      if (line) {
        this.#join(line, call, now);
        return;
      }
    }
    this.#alone(call);
  };

  close = (): Promise<void> => {
    this.#closed ??= new Promise<void>((resolve) => {
      this.#whenEmpty = () => {
        this.#whenEmpty = noop;
        this.#deadlines.stop();
        clearTimeout(this.#watch);
        clearInterval(this.#sweeper);
        this.#sweeper = undefined;
        for (const line of [...this.#lines]) line.destroy(new Error('the transport is closed'));
        this.#own.close();
        resolve();
      };
      if (this.#deadlines.size === 0) this.#whenEmpty();
    });
    return this.#closed;
  };

  underWay = (): number => this.#deadlines.size;

  believes(call: Call<Asking>, named: unknown): boolean {
    return this.#trust.believes(call, named);
  }

  ended(call: Call<Asking>): void {
    const now = performance.now();
    const { line, connection } = call;
    const since = line ? line.firstSince : call.sentAt;
    const text = call.text();
    this.#letGo(call);
    call.connection = null;
    call.line = null;
    connection!.idleSince = now;
    if (line) line.answered(now);
    else this.#own.free(connection!);
    if (this.#trust.sharing !== 'never') this.#slow.answered(call.place, since, call.sentAt, now);
    if (this.#rescues < mostRescues) this.#rescues += rescuesPerAnswer;
    if (text === '') call.fail('framing', 'an empty answer');
    else call.settle()?.answered(text);
    if (this.#deadlines.size === 0) this.#whenEmpty();
  }

  broke(call: Call<Asking>, error: Error): void {
    this.#letGo(call);
    const { line, twin, connection } = call;
    call.connection = null;
    // What was never written can be written elsewhere, whatever it is.
    const isSafe = line !== null || !connection!.hasLeft(call);
    if (call.receiver && twin) {
      // The other attempt is still under way and decides.
      call.twin = null;
      twin.twin = null;
      call.receiver = null;
    } else if (call.receiver && !call.isAgain && connection!.hasConnected && isSafe) {
      this.counts.again += 1;
      const next = this.#call(call, true);
      call.settle();
      this.#alone(next);
    } else call.fail(reasonOf(error), this.#options.name, error);
    if (this.#deadlines.size === 0) this.#whenEmpty();
  }

  connected(): void {}

  lost(line: Connection<Asking>): void {
    if (line.length > 0) this.counts.retired += 1;
    this.#lines.splice(this.#lines.indexOf(line as Line<Asking>), 1);
  }

  expired(call: Call<Asking>): void {
    call.fail(call.isClients ? 'impatient' : 'late', this.#options.name);
    this.hangUp(call);
    if (this.#deadlines.size === 0) this.#whenEmpty();
  }

  hangUp(call: Call<Asking>): void {
    call.connection?.destroy(new Error('we have hung up'));
  }

  #call(of: ConstructorParameters<typeof Call<Asking>>[2], isAgain: boolean): Call<Asking> {
    this.#ids += 1;
    return new Call(this, this.#ids.toString(36), of, isAgain);
  }

  #letGo(call: Call<Asking>): void {
    if (!call.isTimed) return;
    call.isTimed = false;
    this.#deadlines.remove(call);
  }

  #textOf(call: Call<Asking>): string {
    const body = call.body!;
    const given = headerLines(this.#options.headersOf(call.asking as Asking, body, 'POST'));
    const named = this.#trust.sharing === 'never' ? '' : `${callIdHeader}: ${call.id}\r\n`;
    return `${this.#start}${named}${given}content-length: ${body.length}\r\n\r\n${body}`;
  }

  #put(call: Call<Asking>, connection: Connection<Asking>, now: number): boolean {
    let text: string;
    try {
      text = this.#textOf(call);
    } catch (error) {
      this.#letGo(call);
      call.fail('mistake', this.#options.name, error);
      return false;
    }
    call.connection = connection;
    call.sentAt = now;
    connection.send(call, text, now);
    return true;
  }

  #time(call: Call<Asking>): void {
    this.#deadlines.add(call);
    call.isTimed = true;
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepEvery).unref();
  }

  #alone(call: Call<Asking>): void {
    this.#time(call);
    this.#own.send(call);
  }

  #join(line: Line<Asking>, call: Call<Asking>, now: number): void {
    this.#time(call);
    call.line = line;
    if (!this.#put(call, line, now)) return;
    this.counts.inLine += 1;
    if (line.length === 1) return;
    this.counts.behind += 1;
    this.#watch ??= this.#lookSoon();
  }

  /** After what has arrived by then was read: a loop of ours that was busy is not a subgraph that is slow. */
  #lookSoon(): NodeJS.Timeout {
    return setTimeout(() => setImmediate(() => this.#look()), stuck).unref();
  }

  #lineFor(now: number): Line<Asking> | null {
    const needsEcho = this.#trust.sharing === 'echoed';
    for (let at = 0; at < this.#lines.length; at += 1) {
      const line = this.#lines[at]!;
      if (line.mayTake(now, needsEcho)) return line;
    }
    return this.#lines.length < this.#most ? this.#open() : null;
  }

  #open(): Line<Asking> {
    const line = new Line<Asking>(this.#destination, this, this.#options.brisk ?? 1);
    this.#lines.push(line);
    return line;
  }

  #sweep(): void {
    const now = performance.now();
    this.#own.sweep(now);
    for (const line of [...this.#lines])
      if (line.length === 0 && now - line.idleSince > line.longestIdle)
        line.destroy(new Error('it was idle for too long'));
    if (this.#lines.length > 0 || this.#own.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  /** Whoever stands behind a call that takes long is asked for elsewhere as well, and the first answer counts. */
  #look(): void {
    const now = performance.now();
    let isNeeded = false;
    for (const line of this.#lines) {
      if (line.length < 2) continue;
      isNeeded = true;
      if (now - line.firstSince > stuck) this.#rescue(line);
    }
    this.#watch = isNeeded ? this.#lookSoon() : undefined;
  }

  #rescue(line: Line<Asking>): void {
    for (let call = line.first!.behind; call && this.#rescues >= 1; call = call.behind) {
      if (!call.receiver || call.isAgain || call.twin) continue;
      this.#rescues -= 1;
      this.counts.rescued += 1;
      const twin = this.#call(call, true);
      twin.twin = call;
      call.twin = twin;
      this.#alone(twin);
    }
  }
}

export const openHttpTransport = <Asking>(options: HttpOptions<Asking>): HttpTransport<Asking> =>
  new Http(options);
