// One subgraph over HTTP/1.1, on undici. Two ways lead there: connections of their own, one call at a time, for
// mutations, second attempts and operations that take long; and lines (line.ts) that quick queries share. A line is a
// matter of trust (trust.ts). One on which anything unusual happens is given up with everything on it; what was on it is
// asked again, once, on a connection of its own.
import { buildConnector, Pool } from 'undici';
import { Call, type Caller } from './call.ts';
import { Deadlines } from './deadlines.ts';
import { CallFailure, type Reason } from './failure.ts';
import { Line } from './line.ts';
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

/** milliseconds */
const connectTimeout = 2_000;
/** milliseconds after which the first in line counts as stuck */
const stuck = 5;
/** rescues that each answer pays for, and the most that can be saved up */
const rescuesPerAnswer = 0.05;
const mostRescues = 256;

const noop = (): void => {};

const reasonOf = (error: unknown): Reason => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'UND_ERR_INVALID_ARG') return 'mistake';
  return /^HPE_|CONTENT_LENGTH_MISMATCH|HEADERS_OVERFLOW/.test(code) ? 'framing' : 'connection';
};

class Http<Asking> implements Caller<Asking>, HttpTransport<Asking> {
  readonly largestAnswer: number;
  readonly counts: HttpCounts = { inLine: 0, behind: 0, rescued: 0, again: 0, retired: 0 };
  readonly #options: HttpOptions<Asking>;
  readonly #trust: Trust;
  readonly #most: number;
  readonly #url: string;
  readonly #connector: ReturnType<typeof buildConnector>;
  readonly #pool: Pool;
  readonly #lines: Line<Asking>[] = [];
  readonly #deadlines = new Deadlines();
  readonly #slow = new SlowOperations();
  #ids = 0;
  #rescues = 32;
  #watch: NodeJS.Timeout | undefined;
  #closed: Promise<void> | null = null;
  #whenEmpty = noop;

  constructor(options: HttpOptions<Asking>) {
    const { origin, sharing = 'echoed', connections = 64, largestAnswer } = options;
    const socketPath = origin.startsWith('unix:') ? origin.slice('unix:'.length) : undefined;
    this.#options = options;
    this.largestAnswer = largestAnswer;
    this.#trust = new Trust(sharing);
    this.#most = connections;
    this.#url = socketPath ? 'http://localhost' : origin;
    this.#connector = buildConnector({ timeout: connectTimeout, allowH2: false, socketPath });
    this.#pool = new Pool(this.#url, {
      connections,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: this.#connector,
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
        for (const line of [...this.#lines]) this.#retire(line);
        this.#pool.destroy(resolve);
      };
      if (this.#deadlines.size === 0) this.#whenEmpty();
    });
    return this.#closed;
  };

  underWay = (): number => this.#deadlines.size;

  believes(call: Call<Asking>, named: unknown): boolean {
    return this.#trust.believes(call, named);
  }

  ended(call: Call<Asking>, text: string): void {
    const now = performance.now();
    const { line } = call;
    const since = line ? line.firstSince : call.sentAt;
    if (line && !line.leave(call, now)) {
      this.#retire(line);
      this.broke(call, new Error('an answer out of turn'));
      return;
    }
    this.#letGo(call);
    if (this.#trust.sharing !== 'never') this.#slow.answered(call.place, since, call.sentAt, now);
    if (this.#rescues < mostRescues) this.#rescues += rescuesPerAnswer;
    if (text === '') call.fail('framing', 'an empty answer');
    else call.settle()?.answered(text);
    if (this.#deadlines.size === 0) this.#whenEmpty();
  }

  broke(call: Call<Asking>, error: unknown): void {
    this.#letGo(call);
    const { line, twin } = call;
    call.behind = null;
    const reason = reasonOf(error);
    if (line && reason !== 'mistake') this.#retire(line);
    if (call.receiver && twin) {
      // The other attempt is still under way and decides.
      call.twin = null;
      twin.twin = null;
      call.receiver = null;
    } else if (call.receiver && line?.hasConnected && !call.isAgain && reason !== 'mistake') {
      this.counts.again += 1;
      const next = this.#call(call, true);
      call.settle();
      this.#alone(next);
    } else call.fail(reason, this.#options.name, error);
    if (this.#deadlines.size === 0) this.#whenEmpty();
  }

  expired(call: Call<Asking>): void {
    call.fail(call.isClients ? 'impatient' : 'late', this.#options.name);
    this.hangUp(call);
    if (this.#deadlines.size === 0) this.#whenEmpty();
  }

  hangUp(call: Call<Asking>): void {
    if (call.line) this.#retire(call.line);
    else call.controller?.abort(new Error('hung up'));
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

  #headersOf(call: Call<Asking>, body: string): string[] {
    const headers = ['content-type', 'application/json', 'accept', 'application/json'];
    if (this.#trust.sharing !== 'never') headers.push(callIdHeader, call.id);
    const given = this.#options.headersOf(call.asking as Asking, body, 'POST');
    if (Array.isArray(given)) for (const part of given) headers.push(part);
    else for (const [header, value] of Object.entries(given)) headers.push(header, value);
    return headers;
  }

  #post(by: Pool | Line<Asking>['client'], call: Call<Asking>): void {
    this.#deadlines.add(call);
    call.isTimed = true;
    const body = call.body!;
    try {
      const headers = this.#headersOf(call, body);
      const { path } = this.#options;
      const request = { path, method: 'POST', headers, body: Buffer.from(body, 'latin1') };
      by.dispatch({ ...request, idempotent: call.isQuery, blocking: false }, call);
    } catch (error) {
      this.#letGo(call);
      call.fail('mistake', this.#options.name, error);
    }
  }

  #alone(call: Call<Asking>): void {
    call.sentAt = performance.now();
    this.#post(this.#pool, call);
  }

  #join(line: Line<Asking>, call: Call<Asking>, now: number): void {
    call.line = line;
    call.sentAt = now;
    this.#post(line.client, call);
    // What undici refuses to send has no place in the line.
    if (!call.isTimed) return;
    this.counts.inLine += 1;
    line.join(call, now);
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
    const line = new Line<Asking>(this.#url, this.#connector, this.#options.brisk ?? 1);
    // Before undici connects anew and sends again by itself what was under way.
    line.client.on('disconnect', () => {
      this.#strike(line);
      line.client.destroy(null, noop);
    });
    line.client.on('connectionError', () => this.#retire(line));
    this.#lines.push(line);
    return line;
  }

  #strike(line: Line<Asking>): void {
    if (line.isRetired) return;
    line.isRetired = true;
    if (line.length > 0) this.counts.retired += 1;
    this.#lines.splice(this.#lines.indexOf(line), 1);
  }

  #retire(line: Line<Asking>): void {
    if (line.isRetired) return;
    this.#strike(line);
    // undici is in the middle of telling us something.
    queueMicrotask(() => line.client.destroy(null, noop));
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
