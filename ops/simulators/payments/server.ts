import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type ApiAnswer, type ApiRequest, errorAnswer } from './api.ts';
import { newId } from './book.ts';
import type { Reply } from './call.ts';
import type { ControlRequest } from './control.ts';
import { ApiError } from './errors.ts';
import { API_VERSION } from './events.ts';
import { parseForm } from './form.ts';

/** The wire: bytes to requests, answers to bytes, and who may ask at all. */

const LARGEST_BODY = 256 * 1024;

export type Doors = {
  readonly apiKey: string;
  /** Without a token the control API answers callers of this machine only. */
  readonly controlToken: string | null;
  readonly api: (request: ApiRequest) => Promise<ApiAnswer>;
  readonly control: (request: ControlRequest) => Promise<Reply>;
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
      throw new ApiError(413, { type: 'invalid_request_error', message: 'The request body is too large.' });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const isBearer = (request: IncomingMessage, token: string): boolean =>
  timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));

const authenticate = (request: IncomingMessage, apiKey: string): void => {
  if (isBearer(request, apiKey)) return;
  const message = request.headers.authorization
    ? 'Invalid API Key provided.'
    : 'You did not provide an API key. Send it as a Bearer token in the Authorization header.';
  throw new ApiError(401, { type: 'invalid_request_error', message });
};

const apiRequest = async (request: IncomingMessage, url: URL): Promise<ApiRequest> => {
  const method = request.method ?? '';
  const key = request.headers['idempotency-key'];
  const type = request.headers['content-type'] ?? '';
  const body = method === 'POST' ? await readBody(request) : '';
  if (body !== '' && !type.startsWith('application/x-www-form-urlencoded')) {
    throw new ApiError(400, {
      type: 'invalid_request_error',
      message: 'Invalid request (the content type of a POST is application/x-www-form-urlencoded).',
    });
  }
  return {
    method,
    path: url.pathname,
    params: parseForm(method === 'POST' ? body : url.search.slice(1)),
    idempotencyKey: typeof key === 'string' && key !== '' ? key : null,
  };
};

const LOOPBACK = ['127.0.0.1', '::1', '::ffff:127.0.0.1'];

const controlRequest = async (
  request: IncomingMessage,
  url: URL,
  token: string | null,
): Promise<ControlRequest> => {
  const allowed =
    token === null ? LOOPBACK.includes(request.socket.remoteAddress ?? '') : isBearer(request, token);
  if (!allowed) throw new ApiError(401, { type: 'invalid_request_error', message: 'Not for you.' });
  const method = request.method ?? '';
  const body = method === 'POST' ? await readBody(request) : '';
  // A page in a browser can post plain text to this port without asking; it cannot post JSON.
  if (method === 'POST' && body !== '' && !request.headers['content-type']?.startsWith('application/json')) {
    throw new ApiError(400, { type: 'invalid_request_error', message: 'Send application/json.' });
  }
  try {
    return {
      method,
      path: url.pathname,
      query: url.searchParams,
      body: body === '' ? undefined : JSON.parse(body),
    };
  } catch {
    throw new ApiError(400, { type: 'invalid_request_error', message: 'The body is not JSON.' });
  }
};

const send = (
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string>,
): void => {
  // What is left of a body that was too large is not worth reading.
  if (status === 413) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
};

const sendAnswer = (response: ServerResponse, answer: ApiAnswer, key: string | null): void => {
  const { status, body, requestId, original, silence } = answer;
  if (silence === 'destroy') response.destroy();
  if (silence) return;
  send(response, status, body, {
    'request-id': requestId,
    'stripe-version': API_VERSION,
    ...(key === null ? {} : { 'idempotency-key': encodeURI(key) }),
    ...(original === undefined ? {} : { 'idempotent-replayed': 'true', 'original-request': original }),
  });
};

const serve = async (doors: Doors, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const requestId = newId('req_', 14);
  let key: string | null = null;
  try {
    const url = new URL(`http://simulator${request.url?.startsWith('/') ? request.url : '/'}`);
    if (url.pathname === '/health') {
      const healthy = doors.isHealthy();
      return send(response, healthy ? 200 : 503, JSON.stringify({ healthy }), {});
    }
    if (url.pathname.startsWith('/control/')) {
      const reply = await doors.control(await controlRequest(request, url, doors.controlToken));
      return send(response, reply.status, JSON.stringify(reply.body), {});
    }
    authenticate(request, doors.apiKey);
    const asked = await apiRequest(request, url);
    key = asked.idempotencyKey;
    sendAnswer(response, await doors.api(asked), key);
  } catch (error) {
    sendAnswer(response, errorAnswer(error, requestId), key);
  }
};

export const serverOf = (doors: Doors): Server => {
  const server = createServer((request, response) => void serve(doors, request, response));
  // Longer than any caller's idle connection, so that a reply is lost only where a switch loses it.
  server.keepAliveTimeout = 75_000;
  return server;
};
