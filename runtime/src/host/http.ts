import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError, statusOf } from '../errors.ts';

/**
 * The bytes of the body.
 * @throws RequestError PAYLOAD_TOO_LARGE past `most` bytes
 */
export const readBody = (request: IncomingMessage, most: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const tooLarge = () =>
      reject(new RequestError('PAYLOAD_TOO_LARGE', `The body may have ${most} bytes at most.`));
    if (Number(request.headers['content-length'] ?? 0) > most) return tooLarge();
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > most) {
        request.pause();
        tooLarge();
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('aborted', () => reject(new RequestError('BAD_USER_INPUT', 'The request broke off.')));
  });

export const send = (
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json; charset=utf-8' },
): void => {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
};

/** An error outside GraphQL, worded as GraphQL words its own. */
export const sendError = (response: ServerResponse, error: RequestError): void => {
  // Whatever of the body was not read is not waited for.
  if (error.code === 'PAYLOAD_TOO_LARGE') response.setHeader('connection', 'close');
  send(
    response,
    statusOf(error.code),
    JSON.stringify({ errors: [{ message: error.message, extensions: error.extensions }] }),
  );
};

const callHeader = 'x-call-id';

/** Says which call an answer is for: a gateway that sends several calls on one connection takes no other for it. */
export const nameCall = (request: IncomingMessage, response: ServerResponse): void => {
  const id = request.headers[callHeader];
  if (typeof id === 'string' && /^[\w-]{1,64}$/.test(id)) response.setHeader(callHeader, id);
};

/** Milliseconds that whoever asks goes on waiting for the answer. */
export const deadlineHeader = 'x-deadline-ms';

/** @returns on the clock of performance.now(); null where nothing that makes sense was said */
export const deadlineIn = (header: string | string[] | undefined, now: number): number | null =>
  typeof header === 'string' && /^[1-9]\d{0,6}$/.test(header) ? now + Number(header) : null;
