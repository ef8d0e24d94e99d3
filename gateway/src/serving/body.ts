// The body of a POST, as far as it may go.
import type { IncomingMessage } from 'node:http';
import { RequestError } from '@orderstream/runtime/errors';
import { checkEncoding } from '../limits/admission.ts';

/** bytes of a body already refused that are still read, so that its sender gets to see the refusal */
const mostDrained = 8 * 1024 * 1024;

/**
 * One of the two is called, once.
 * @param most bytes
 * @param read gets a binary string: one character per byte
 */
export const readBody = (
  request: IncomingMessage,
  most: number,
  read: (body: string) => void,
  refused: (error: unknown) => void,
): void => {
  let whole: Buffer | null = null;
  let chunks: Buffer[] | null = null;
  let size = 0;
  let isRefused = false;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (isRefused) {
      if (size > mostDrained) request.socket.destroy();
    } else if (size > most) {
      isRefused = true;
      whole = null;
      chunks = null;
      const told = `The body may have ${most} bytes at most.`;
      refused(new RequestError('PAYLOAD_TOO_LARGE', told));
    } else if (!whole && !chunks) whole = chunk;
    else {
      chunks ??= [whole!];
      chunks.push(chunk);
    }
  });
  request.on('end', () => {
    if (isRefused) return;
    const bytes = chunks ? Buffer.concat(chunks) : (whole ?? Buffer.alloc(0));
    try {
      checkEncoding(bytes);
    } catch (error) {
      refused(error);
      return;
    }
    read(bytes.toString('latin1'));
  });
};
