import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type ApiAnswer, type ApiRequest, errorAnswer } from './api.ts';
import type { ControlRequest } from './control.ts';
import { ApiError, badRequest } from './errors.ts';

/** The wire: bytes to requests, answers to bytes, and who may ask at all. */

const LARGEST_BODY = 64 * 1024;

export type Doors = {
  readonly apiKey: string;
  /** Without a token the control API answers callers of this machine only. */
  readonly controlToken: string | null;
  readonly api: (request: ApiRequest) => Promise<ApiAnswer>;
  readonly control: (request: ControlRequest) => Promise<object>;
  readonly isHealthy: () => boolean;
};

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  // A caller who sent too much still gets an answer, so the connection must outlive the reading.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) {
      request.resume();
      throw new ApiError(413, 'body_too_large', `A request may have ${LARGEST_BODY} bytes.`);
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw badRequest('The body is not UTF-8.', 'invalid_json');
  }
};

const readJson = async (request: IncomingMessage): Promise<unknown> => {
  if (request.method !== 'POST') return undefined;
  const body = await readBody(request);
  if (body === '') return undefined;
  // A page in a browser can post plain text to this port without asking; it cannot post JSON.
  if (!request.headers['content-type']?.startsWith('application/json')) {
    throw badRequest('Send application/json.');
  }
  try {
    return JSON.parse(body);
  } catch {
    throw badRequest('The body is not JSON.', 'invalid_json');
  }
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const isBearer = (request: IncomingMessage, token: string): boolean =>
  timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));

const LOOPBACK = ['127.0.0.1', '::1', '::ffff:127.0.0.1'];

const mayControl = (request: IncomingMessage, token: string | null): boolean =>
  token === null ? LOOPBACK.includes(request.socket.remoteAddress ?? '') : isBearer(request, token);

const unauthorized = () => new ApiError(401, 'unauthorized', 'Send the key as a Bearer token.');

const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    throw badRequest('The address cannot be read.');
  }
};

const send = (response: ServerResponse, status: number, body: string, isReplay = false): void => {
  // What is left of a body that was too large is not worth reading.
  if (status === 413) response.setHeader('connection', 'close');
  if (isReplay) response.setHeader('idempotent-replayed', 'true');
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
};

const serve = async (doors: Doors, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    const { pathname, searchParams } = new URL(
      `http://simulator${request.url?.startsWith('/') ? request.url : '/'}`,
    );
    if (pathname === '/health') {
      const healthy = doors.isHealthy();
      return send(response, healthy ? 200 : 503, JSON.stringify({ healthy }));
    }
    const path = decoded(pathname);
    const method = request.method ?? '';
    if (path.startsWith('/control/')) {
      if (!mayControl(request, doors.controlToken)) throw unauthorized();
      const reply = await doors.control({ method, path, query: searchParams, body: await readJson(request) });
      return send(response, 200, JSON.stringify(reply));
    }
    if (!isBearer(request, doors.apiKey)) throw unauthorized();
    const key = request.headers['idempotency-key'];
    const { status, body, isReplay, silence } = await doors.api({
      method,
      path,
      query: searchParams,
      body: await readJson(request),
      idempotencyKey: typeof key === 'string' && key !== '' ? key : null,
    });
    // A lost reply is felt as a time-out: the connection stays open and silent.
    if (!silence) send(response, status, body, isReplay);
  } catch (error) {
    const { status, body } = errorAnswer(error);
    send(response, status, body);
  }
};

export const serverOf = (doors: Doors): Server => {
  const server = createServer((request, response) => void serve(doors, request, response));
  // Longer than any caller's idle connection, so that a reply is lost only where a switch loses it.
  server.keepAliveTimeout = 75_000;
  return server;
};
