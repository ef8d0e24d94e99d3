// HTTP without a library's manners: bytes as they are given, and what comes back until the other side has had enough.
import { connect, type Socket } from 'node:net';

export type Heard = {
  /** of the first answer; null where the line was cut without a word */
  readonly status: number | null;
  readonly text: string;
  readonly isClosed: boolean;
};

const open = (url: string): Socket => {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname);
};

const statusIn = (text: string): number | null => {
  const found = /^HTTP\/1\.[01] (\d{3}) /.exec(text)?.[1];
  return found === undefined ? null : Number(found);
};

/** Whether an answer is there as a whole: its head, and as much of a body as the head says. */
const isWhole = (text: string): boolean => {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1];
  return length === undefined || Buffer.byteLength(text) >= end + 4 + Number(length);
};

/**
 * Writes the pieces one after the other, as fast as they are taken, and goes away with the first whole answer.
 * @param patienceMs after which it goes away without one
 */
export const say = (
  url: string,
  pieces: Iterable<string | Uint8Array>,
  { patienceMs = 5_000 }: { readonly patienceMs?: number } = {},
): Promise<Heard> =>
  new Promise((resolve) => {
    const socket = open(url);
    let text = '';
    let isOver = false;
    const over = (isClosed: boolean): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(patience);
      socket.destroy();
      resolve({ status: statusIn(text), text, isClosed });
    };
    const patience = setTimeout(() => over(false), patienceMs);
    const rest = pieces[Symbol.iterator]();
    const write = (): void => {
      for (;;) {
        if (isOver) return;
        const { done, value } = rest.next();
        if (done) return;
        if (!socket.write(value)) return void socket.once('drain', write);
      }
    };
    socket.on('data', (part) => {
      text += part.toString('latin1');
      if (isWhole(text)) over(false);
    });
    socket.on('error', () => over(true));
    socket.on('close', () => over(true));
    socket.on('connect', write);
  });

export type Asked = {
  readonly method?: string;
  readonly search?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};

/** A request in one piece, with its length told rightly. */
export const bytesOf = ({ method = 'POST', search = '', headers = {}, body }: Asked): Buffer => {
  const bytes = Buffer.from(body ?? '');
  const all: Readonly<Record<string, string>> = {
    host: 'gateway',
    connection: 'close',
    ...(body !== undefined && { 'content-type': 'application/json', 'content-length': `${bytes.length}` }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} /graphql${search} HTTP/1.1\r\n${lines.join('')}\r\n`), bytes]);
};

/** Pieces of a body whose length is never told. */
export const chunked = function* (megabytes: number): Generator<string> {
  yield 'POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
  const piece = `10000\r\n${'x'.repeat(65_536)}\r\n`;
  for (let left = megabytes * 16; left > 0; left -= 1) yield piece;
  yield '0\r\n\r\n';
};
