// One connection to a subgraph. Requests are written once per turn of the event loop, all that have gathered in one
// write, and only after everything that had arrived by then was read: bytes that nobody has asked for yet are never
// taken for an answer. Answers are read in the order of the requests. Anything unusual ends the connection, and
// everything that is still on it breaks.
import { connect as connectPlain, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { AnswerHead, FramingError, mayBecomeHead, readAnswerHead } from './answer-head.ts';
import { giveRoomBack, roomSize, takeRoom } from './assembly.ts';
import type { Call } from './call.ts';

/** Where a subgraph listens. */
export type Destination = {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** instead of host and port */
  readonly socketPath: string | undefined;
};

/** Who has opened a connection is told what comes of it. */
export type ConnectionOwner<Asking> = {
  /** The whole answer to a call has been read. */
  ended(call: Call<Asking>): void;
  broke(call: Call<Asking>, error: Error): void;
  /** It can be used: told once, before anything is written. */
  connected(connection: Connection<Asking>): void;
  /** It takes no more calls. Those on it break after this. */
  lost(connection: Connection<Asking>): void;
};

/** milliseconds */
const connectTimeout = 2_000;
/** bytes of a head, and of the lines around chunks */
const longestHead = 16 * 1024;
const longestLine = 1_024;
/** milliseconds by which we close a connection before the other side says it would */
const margin = 1_000;

/** Sessions are kept for the next connection. */
const connectSecurely = buildConnector({ timeout: connectTimeout, allowH2: false });

/**
 * Where bytes are received. They are made strings before anything else is read, so one place does for all connections;
 * not on Windows, where the system is given the place before there is anything to read.
 */
const receiveInto = (): Buffer => Buffer.allocUnsafeSlow(64 * 1024);
const common = process.platform === 'win32' ? null : receiveInto();

/** Connections with something to write when the loop has come round. */
let writing: Connection<never>[] = [];
const writeAll = (): void => {
  const all = writing;
  writing = [];
  for (const connection of all) connection.write();
};

const inHead = 0;
const inBody = 1;
const inChunkSize = 2;
const inChunk = 3;
const afterChunk = 4;
const inTrailer = 5;

const chunkSize = /^([0-9a-f]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;

/** One answer is read at a time. */
const head = new AnswerHead();

export class Connection<Asking> {
  first: Call<Asking> | null = null;
  length = 0;
  /** performance.now() at which the first call became the first */
  firstSince = 0;
  hasConnected = false;
  isClosed = false;
  /** performance.now() of the last answer, and milliseconds for which it may be idle after that */
  idleSince = performance.now();
  longestIdle: number;
  readonly #owner: ConnectionOwner<Asking>;
  #socket: Socket | null = null;
  #last: Call<Asking> | null = null;
  #out = '';
  #isWriting = false;
  /** requests taken, and those of them that were written */
  #taken = 0;
  #left = 0;
  #phase = inHead;
  /** the start of a head or a line whose end has not come */
  #rest = '';
  /** bytes of the body or the chunk still to come */
  #missing = 0;
  /** of a body that comes in pieces, what has come, and how many bytes */
  #room: Buffer | null = null;
  #filled = 0;
  #closes = false;

  /** @param longestIdle milliseconds */
  constructor(destination: Destination, owner: ConnectionOwner<Asking>, longestIdle: number) {
    this.#owner = owner;
    this.longestIdle = longestIdle;
    if (destination.isSecure) this.#openSecurely(destination);
    else this.#open(destination);
  }

  /** @param text of the request, a binary string */
  send(call: Call<Asking>, text: string, now: number): void {
    if (this.#last) this.#last.behind = call;
    else {
      this.first = call;
      this.firstSince = now;
    }
    this.#last = call;
    this.length += 1;
    this.#taken += 1;
    call.ordinal = this.#taken;
    this.#out = this.#out === '' ? text : this.#out + text;
    this.#writeSoon();
  }

  /** Whether its request was on its way when the answer came. */
  hasLeft(call: Call<Asking>): boolean {
    return call.ordinal <= this.#left;
  }

  write(): void {
    this.#isWriting = false;
    const out = this.#out;
    this.#out = '';
    if (this.isClosed || out === '') return;
    this.#left = this.#taken;
    this.#socket!.write(out, 'latin1');
  }

  /** Ends it. Nothing that still arrives is read. */
  destroy(error: Error): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#out = '';
    this.#rest = '';
    this.#leaveRoom();
    this.#socket?.destroy();
    this.#owner.lost(this);
    // Somebody may be in the middle of telling us something.
    if (this.first) queueMicrotask(() => this.#breakAll(error));
  }

  #breakAll(error: Error): void {
    let call = this.first;
    this.first = null;
    this.#last = null;
    this.length = 0;
    while (call) {
      const { behind } = call;
      call.behind = null;
      this.#owner.broke(call, error);
      call = behind;
    }
  }

  #open({ host, port, socketPath }: Destination): void {
    const buffer = common ?? receiveInto();
    const socket = connectPlain({
      ...(socketPath === undefined ? { host, port } : { path: socketPath }),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      onread: {
        buffer,
        callback: (size) => {
          this.#read(buffer, size);
          return true;
        },
      },
    });
    const impatience = setTimeout(
      () => this.destroy(new Error('it took too long to connect')),
      connectTimeout,
    );
    socket.once('close', () => clearTimeout(impatience));
    socket.once('connect', () => {
      clearTimeout(impatience);
      this.#begin(socket);
    });
    this.#watch(socket);
  }

  #openSecurely({ host, port }: Destination): void {
    const target = { hostname: host, host, protocol: 'https:', port: String(port) };
    connectSecurely(target, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error) {
        this.destroy(error);
        return;
      }
      if (this.isClosed) {
        socket.destroy();
        return;
      }
      socket.on('data', (chunk: Buffer) => this.#read(chunk, chunk.length));
      this.#watch(socket);
      this.#begin(socket);
    });
  }

  #watch(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error) => this.destroy(error));
    socket.on('end', () => this.destroy(new Error('the other side has closed it')));
    socket.on('close', () => this.destroy(new Error('it was closed')));
  }

  #begin(socket: Socket): void {
    this.#socket = socket;
    this.hasConnected = true;
    this.#owner.connected(this);
    if (this.#out !== '') this.#writeSoon();
  }

  #writeSoon(): void {
    if (this.#isWriting || !this.hasConnected) return;
    this.#isWriting = true;
    if (writing.push(this as unknown as Connection<never>) === 1) setImmediate(writeAll);
  }

  #read(bytes: Buffer, size: number): void {
    try {
      let at = 0;
      while (at < size && !this.isClosed) at = this.#readPart(bytes, at, size);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.destroy(error);
    }
  }

  /** Answers how far it has come. */
  #readPart(bytes: Buffer, at: number, size: number): number {
    switch (this.#phase) {
      case inHead:
        return this.#readHead(bytes, at, size);
      case inBody:
      case inChunk:
        return this.#readBody(bytes, at, size);
      default:
        return this.#readLine(bytes, at, size);
    }
  }

  #readHead(bytes: Buffer, at: number, size: number): number {
    const call = this.first;
    if (!call || call.ordinal > this.#left) throw new FramingError('something that nobody has asked for');
    let next: number;
    let text: string;
    const end = this.#rest === '' ? bytes.indexOf('\r\n\r\n', at, 'latin1') : -1;
    if (end >= 0 && end + 4 <= size) {
      if (end - at > longestHead) throw new FramingError('a head without end');
      text = bytes.toString('latin1', at, end + 2);
      next = end + 4;
    } else {
      const before = this.#rest.length;
      const whole = this.#rest + bytes.toString('latin1', at, Math.min(size, at + longestHead + 4));
      const found = whole.indexOf('\r\n\r\n');
      if (found > longestHead || (found < 0 && whole.length > longestHead))
        throw new FramingError('a head without end');
      if (found < 0) {
        if (!mayBecomeHead(whole)) throw new FramingError('what came is no HTTP answer');
        this.#rest = whole;
        return size;
      }
      this.#rest = '';
      text = whole.slice(0, found + 2);
      next = at + found + 4 - before;
    }
    readAnswerHead(text, head);
    this.#closes = head.closes;
    if (head.keptMs - margin < this.longestIdle) this.longestIdle = Math.max(0, head.keptMs - margin);
    const { length } = head;
    call.begins(head);
    if (this.isClosed) return size;
    this.#phase = length < 0 ? inChunkSize : inBody;
    this.#missing = Math.max(0, length);
    if (length === 0) this.#complete();
    return next;
  }

  #readBody(bytes: Buffer, at: number, size: number): number {
    const end = Math.min(size, at + this.#missing);
    const isLast = end - at === this.#missing;
    if (this.#room || (!isLast && this.#phase === inBody && this.#missing <= roomSize))
      this.#gather(bytes, at, end, isLast);
    else this.first!.takes(bytes.toString('latin1', at, end));
    this.#missing -= end - at;
    if (isLast && !this.isClosed) {
      if (this.#phase === inChunk) this.#phase = afterChunk;
      else this.#complete();
    }
    return end;
  }

  #gather(bytes: Buffer, at: number, end: number, isLast: boolean): void {
    this.#room ??= takeRoom();
    bytes.copy(this.#room, this.#filled, at, end);
    this.#filled += end - at;
    if (!isLast) return;
    const text = this.#room.toString('latin1', 0, this.#filled);
    this.#leaveRoom();
    this.first!.takes(text);
  }

  #leaveRoom(): void {
    if (this.#room) giveRoomBack(this.#room);
    this.#room = null;
    this.#filled = 0;
  }

  /** A line around chunks: a size, the end of a chunk, or what comes after the last. */
  #readLine(bytes: Buffer, at: number, size: number): number {
    const end = bytes.indexOf(10, at);
    const isWhole = end >= 0 && end < size;
    const line = this.#rest + bytes.toString('latin1', at, isWhole ? end + 1 : size);
    if (line.length > longestLine) throw new FramingError('a line without end');
    this.#rest = isWhole ? '' : line;
    if (!isWhole) return size;
    if (!line.endsWith('\r\n')) throw new FramingError('a line that ends in no way of HTTP');
    this.#takeLine(line.slice(0, -2));
    return end + 1;
  }

  #takeLine(line: string): void {
    if (this.#phase === afterChunk) {
      if (line !== '') throw new FramingError('a chunk longer than it said');
      this.#phase = inChunkSize;
    } else if (this.#phase === inChunkSize) {
      const found = chunkSize.exec(line)?.[1];
      if (found === undefined) throw new FramingError('a chunk of no size');
      this.#missing = Number.parseInt(found, 16);
      this.#phase = this.#missing === 0 ? inTrailer : inChunk;
    } else if (line === '') this.#complete();
    // Whoever has something to say after the body says it to nobody.
    else this.#closes = true;
  }

  #complete(): void {
    const call = this.first!;
    this.#phase = inHead;
    this.first = call.behind;
    if (!this.first) this.#last = null;
    call.behind = null;
    this.length -= 1;
    if (this.#closes) this.destroy(new Error('the other side has said that it closes it'));
    this.#owner.ended(call);
  }
}
