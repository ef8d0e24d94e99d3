// One client on one kept connection, one request at a time, on a raw socket: what it costs is not the gateway's, and it
// shares the core with the subgraphs.
import { connect, type Socket } from 'node:net';

export type Exchange = {
  readonly status: number;
  readonly body: Buffer;
};

export type Connection = {
  /** milliseconds waited are the caller's to take; `heard` is told once, null where the connection broke */
  readonly ask: (request: string, heard: (exchange: Exchange | null) => void) => void;
  readonly close: () => void;
};

/** The text of one request. */
export const requestText = (port: number, body: string, authorization: string | null): string =>
  `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\naccept: application/json\r\n` +
  (authorization === null ? '' : `authorization: ${authorization}\r\n`) +
  `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const headEnd = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('\r\n0\r\n\r\n');
const nothing = Buffer.alloc(0);

/** Chunks put together; JSON text holds no line break of HTTP's that could be taken for a chunk's. */
const unchunked = (bytes: Buffer): Buffer => {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
};

/** null while more is to come. */
export const readExchange = (bytes: Buffer): Exchange | null => {
  const bodyAt = bytes.indexOf(headEnd) + headEnd.length;
  if (bodyAt < headEnd.length) return null;
  const head = bytes.toString('latin1', 0, bodyAt);
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = bodyAt + Number(length);
    return bytes.length < end ? null : { status, body: bytes.subarray(bodyAt, end) };
  }
  const isComplete = bytes.subarray(-lastChunk.length).equals(lastChunk);
  return isComplete ? { status, body: unchunked(bytes.subarray(bodyAt)) } : null;
};

export const openConnection = async (port: number): Promise<Connection> => {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((opened, failed) => {
    socket.once('connect', opened);
    socket.once('error', failed);
  });
  let waiting: ((exchange: Exchange | null) => void) | null = null;
  let received: Buffer = nothing;
  const tell = (exchange: Exchange | null): void => {
    const heard = waiting;
    waiting = null;
    received = nothing;
    heard?.(exchange);
  };
  socket.on('data', (part: Buffer) => {
    received = received.length === 0 ? part : Buffer.concat([received, part]);
    const exchange = readExchange(received);
    if (exchange) tell(exchange);
  });
  socket.on('error', () => tell(null));
  socket.on('close', () => tell(null));
  return {
    ask: (request, heard) => {
      waiting = heard;
      if (socket.destroyed) tell(null);
      else socket.write(request, 'utf8');
    },
    close: () => socket.destroy(),
  };
};
