// HTTP without a library's manners: bytes as they are given, and what comes back until the other side has had enough.
import { connect, type Socket } from 'node:net';

export type Heard = {
  /** of the first answer; null where the line was cut without a word */
  readonly status: number | null;
  readonly text: string;
  readonly isClosed: boolean;
  /** of the system, where it cut the line */
  readonly error: string | null;
};

const open = (url: string): Socket => {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname);
};

const statusIn = (text: string): number | null => {
  const found = /^HTTP\/1\.[01] (\d{3}) /.exec(text)?.[1];
  return found === undefined ? null : Number(found);
};

/** How many answers are there as a whole: their heads, and as much of a body as each head says. */
const wholeIn = (text: string): number => {
  let count = 0;
  for (let from = 0; ; count++) {
    const end = text.indexOf('\r\n\r\n', from);
    if (end < 0) return count;
    from = end + 4 + Number(/^content-length: (\d+)/im.exec(text.slice(from, end))?.[1] ?? 0);
    if (text.length < from) return count;
  }
};

/**
 * Writes the pieces one after the other, as fast as they are taken, and goes away with the last whole answer.
 * @param patienceMs after which it goes away without it
 */
export const say = (
  url: string,
  pieces: Iterable<string | Uint8Array>,
  { patienceMs = 20_000, answers = 1 }: { readonly patienceMs?: number; readonly answers?: number } = {},
): Promise<Heard> =>
  new Promise((resolve) => {
    const socket = open(url);
    let text = '';
    let isOver = false;
    const over = (isClosed: boolean, error: string | null = null): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(patience);
      socket.destroy();
      resolve({ status: statusIn(text), text, isClosed, error });
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
      if (wholeIn(text) >= answers) over(false);
    });
    socket.on('error', ({ message }) => over(true, message));
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
