// A WebSocket without a library's manners: frames as they are given, right or wrong.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export type FrameShape = {
  /** 1 text, 2 binary, 0 more of the one before, 8 close, 9 ping, 10 pong */
  readonly opcode?: number;
  readonly isLast?: boolean;
  readonly isMasked?: boolean;
  /** three bits that only extensions may set */
  readonly reserved?: number;
  /** what the frame says that it has */
  readonly length?: number;
};

const lengthBytes = (length: number, mask: number): Buffer => {
  if (length < 126) return Buffer.from([mask | length]);
  if (length < 65_536) {
    const bytes = Buffer.from([mask | 126, 0, 0]);
    bytes.writeUInt16BE(length, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = mask | 127;
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
};

export const frame = (
  payload: string | Uint8Array,
  { opcode = 1, isLast = true, isMasked = true, reserved = 0, length }: FrameShape = {},
): Buffer => {
  const bytes = Buffer.from(payload);
  const head = Buffer.from([(isLast ? 0x80 : 0) | (reserved << 4) | opcode]);
  // A mask of zeros is a mask.
  const mask = isMasked ? Buffer.alloc(4) : Buffer.alloc(0);
  return Buffer.concat([head, lengthBytes(length ?? bytes.length, isMasked ? 0x80 : 0), mask, bytes]);
};

export type Closed = {
  /** null where the line was cut without a closing frame */
  readonly code: number | null;
  readonly reason: string;
};

export type RawSocket = {
  /** texts of frames, in their order */
  readonly heard: readonly string[];
  /** payloads of pongs, in their order */
  readonly pongs: readonly string[];
  readonly write: (...frames: readonly Buffer[]) => void;
  readonly send: (...messages: readonly object[]) => void;
  /** when the server has said that it closes it, or has cut it off */
  readonly closed: Promise<Closed>;
  readonly isGone: () => boolean;
  /** Reads no more. */
  readonly turnAway: () => void;
  readonly destroy: () => void;
};

type Handshake = {
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
};

export class RefusedHandshake extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`The handshake was answered with ${status}.`);
    this.status = status;
  }
}

/** Takes whole frames off the front of what has come. */
const framesIn = (bytes: Buffer): { frames: { opcode: number; payload: Buffer }[]; rest: Buffer } => {
  const frames: { opcode: number; payload: Buffer }[] = [];
  let at = 0;
  for (;;) {
    if (bytes.length < at + 2) break;
    const short = bytes[at + 1]! & 0x7f;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < at + head) break;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    if (bytes.length < at + head + length) break;
    frames.push({ opcode: bytes[at]! & 0x0f, payload: bytes.subarray(at + head, at + head + length) });
    at += head + length;
  }
  return { frames, rest: bytes.subarray(at) };
};

const handshake = ({ protocols = ['graphql-transport-ws'], headers = {} }: Handshake): string =>
  [
    'GET /graphql HTTP/1.1',
    'Host: gateway',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    ...(protocols.length > 0 ? [`Sec-WebSocket-Protocol: ${protocols.join(', ')}`] : []),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  ].join('\r\n');

/** @throws RefusedHandshake where the answer is not 101 */
export const openRaw = (url: string, options: Handshake = {}): Promise<RawSocket> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket: Socket = connect(Number(port), hostname);
    const heard: string[] = [];
    const pongs: string[] = [];
    let waiting = Buffer.alloc(0);
    let isOpen = false;
    let isGone = false;
    let gone: (closed: Closed) => void = () => undefined;
    const closed = new Promise<Closed>((settle) => {
      gone = settle;
    });
    const read = (): void => {
      const { frames, rest } = framesIn(waiting);
      waiting = Buffer.from(rest);
      for (const { opcode, payload } of frames)
        if (opcode === 1) heard.push(payload.toString());
        else if (opcode === 10) pongs.push(payload.toString());
        else if (opcode === 8) {
          const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
          gone({ code, reason: payload.subarray(2).toString() });
          socket.write(frame(payload, { opcode: 8 }));
        }
    };
    const opened = (): RawSocket => ({
      heard,
      pongs,
      closed,
      isGone: () => isGone,
      write: (...frames) => {
        if (!socket.destroyed) socket.write(Buffer.concat(frames));
      },
      send: (...messages) => {
        if (!socket.destroyed) socket.write(Buffer.concat(messages.map((one) => frame(JSON.stringify(one)))));
      },
      turnAway: () => socket.pause(),
      destroy: () => socket.destroy(),
    });
    socket.on('data', (part) => {
      waiting = Buffer.concat([waiting, part]);
      if (!isOpen) {
        const end = waiting.indexOf('\r\n\r\n');
        if (end < 0) return;
        const status = Number(waiting.toString('latin1').slice(9, 12));
        if (status !== 101) {
          socket.destroy();
          reject(new RefusedHandshake(status));
          return;
        }
        isOpen = true;
        waiting = waiting.subarray(end + 4);
        resolve(opened());
      }
      read();
    });
    let cause: unknown;
    socket.on('error', (error) => {
      cause = error;
    });
    socket.once('close', () => {
      isGone = true;
      gone({ code: null, reason: '' });
      if (!isOpen) reject(new Error(`The line was cut in the middle of the handshake: ${cause}`));
    });
    socket.once('connect', () => socket.write(handshake(options)));
  });

export const init = { type: 'connection_init' } as const;

/** A socket that has been greeted; further messages wait until it is. */
export const openGreeted = async (url: string, options: Handshake = {}): Promise<RawSocket> => {
  const one = await openRaw(url, options);
  one.send(init);
  for (let turn = 0; one.heard.length === 0 && !one.isGone(); turn++) {
    if (turn > 1_000) throw new Error('It was not greeted.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return one;
};

export const subscribe = (query: string, id = '1', variables: object = {}) => ({
  id,
  type: 'subscribe',
  payload: { query, variables },
});
