// The gateway's HTTP: what comes in is read, known for whose it is, and goes the short way where it can.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { RequestError, statusOf } from '@orderstream/runtime/errors';
import type { Log } from '@orderstream/runtime/log';
import { newTrace, type Trace, traceFrom, traceId } from '@orderstream/runtime/trace';
import { getOperationAST, parse } from 'graphql';
import type { Identities, Identity } from '../auth/identity.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import type { Generation } from './generation.ts';
import type { Visit } from './visit.ts';

type Options = {
  readonly configuration: GatewayConfiguration;
  readonly identities: Identities;
  /** the newest */
  readonly generation: () => Generation;
  readonly isStopping: () => boolean;
  readonly log: Log;
};

const json = { 'content-type': 'application/json; charset=utf-8' };
const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/json *(;|$)/i.test(contentType);

/** bytes of a body already refused that are still read, so that its sender gets to see the refusal */
const mostDrained = 8 * 1024 * 1024;

const send = (
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = json,
): void => {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
};

const sendError = (response: ServerResponse, error: RequestError, trace: Trace): void => {
  const extensions = { ...error.extensions, traceId: traceId(trace) };
  send(response, statusOf(error.code), JSON.stringify({ errors: [{ message: error.message, extensions }] }));
};

const sendNotAllowed = (response: ServerResponse, message: string, trace: Trace): void => {
  const { extensions } = new RequestError('BAD_USER_INPUT', message);
  const body = JSON.stringify({
    errors: [{ message, extensions: { ...extensions, traceId: traceId(trace) } }],
  });
  send(response, 405, body, { ...json, allow: 'POST' });
};

/** Whether a body asks for a mutation, as far as that can be said without validating it. */
const changesSomething = (body: unknown): boolean => {
  const { query, operationName } = (body ?? {}) as { query?: unknown; operationName?: unknown };
  if (typeof query !== 'string') return false;
  try {
    const name = typeof operationName === 'string' ? operationName : undefined;
    return getOperationAST(parse(query, { maxTokens: 10_000 }), name)?.operation === 'mutation';
  } catch {
    // It is no GraphQL, which is for others to word.
    return false;
  }
};

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

/** The parameters of a GET, as the body of a POST would have them. */
const bodyOfQuery = (search: string): string => {
  const given = new URLSearchParams(search);
  const body: Record<string, unknown> = {};
  for (const [name, value] of given) {
    if (name !== 'variables' && name !== 'extensions') body[name] = value;
    else if (value !== '')
      try {
        body[name] = JSON.parse(value);
      } catch (cause) {
        throw new RequestError('BAD_USER_INPUT', 'This is not JSON.', { path: [name], cause });
      }
  }
  return Buffer.from(JSON.stringify(body)).toString('latin1');
};

export const createHttp = (options: Options): RequestListener => {
  const { configuration, identities, generation, isStopping, log } = options;
  const { listen, limits, auth, cors, telemetry } = configuration;
  const origins = new Set(cors.origins);

  const allowOrigin = (request: IncomingMessage, response: ServerResponse): void => {
    const { origin } = request.headers;
    if (origins.size === 0) return;
    response.setHeader('vary', 'Origin');
    if (!origin || !(origins.has(origin) || origins.has('*'))) return;
    response.setHeader('access-control-allow-origin', origins.has(origin) ? origin : '*');
    if (cors.credentials) response.setHeader('access-control-allow-credentials', 'true');
    if (cors.exposes.length > 0) response.setHeader('access-control-expose-headers', cors.exposes.join(', '));
    if (request.method !== 'OPTIONS') return;
    response.setHeader('access-control-allow-methods', 'GET, POST');
    response.setHeader('access-control-allow-headers', cors.headers.join(', '));
    response.setHeader('access-control-max-age', String(Math.round(cors.maxAge / 1_000)));
  };

  const fail = (response: ServerResponse, trace: Trace, error: unknown): void => {
    const isOurs = error instanceof RequestError;
    if (!isOurs) log.error({ err: error, traceId: traceId(trace) }, 'request failed');
    sendError(response, isOurs ? error : new RequestError('INTERNAL'), trace);
  };

  const longWay = async (
    body: string,
    isGet: boolean,
    visit: Visit,
    response: ServerResponse,
  ): Promise<void> => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(Buffer.from(body, 'latin1').toString());
    } catch (cause) {
      throw new RequestError('BAD_USER_INPUT', 'The body is not JSON.', { cause });
    }
    if (isGet && changesSomething(parsed))
      return sendNotAllowed(response, 'Mutations go by POST.', visit.trace);
    // A GET has no content type; what it could do by being sent from another page is nothing.
    const headers = isGet ? { ...visit.headers, 'content-type': 'application/json' } : visit.headers;
    const answer = await generation().door.answer({ body: parsed, headers, asking: visit });
    send(response, answer.status, answer.body, answer.headers);
  };

  const serve = (
    request: IncomingMessage,
    response: ServerResponse,
    body: string,
    trace: Trace,
    identity: Identity,
  ): void => {
    const { headers } = request;
    const isGet = request.method !== 'POST';
    const deadline = performance.now() + limits.deadlineMs;
    const visit: Visit = { trace, headers, identity, partner: null, deadline };
    const { shortWay } = generation();
    const read = isGet || isJson(headers['content-type']) ? shortWay.read(body) : null;
    const isAllowed = read && (!isGet || read.known.definition.operation === 'query');
    if (isAllowed && shortWay.answer(read, visit, headers.accept, response)) return;
    longWay(body, isGet, visit, response).catch((error: unknown) => fail(response, trace, error));
  };

  const identify = (request: IncomingMessage, response: ServerResponse, body: string, trace: Trace): void => {
    // Without issuers the header is the subgraphs' affair alone.
    const header = auth.issuers.length > 0 ? one(request.headers[auth.header]) : undefined;
    const known = identities.known(header, Date.now());
    if (known) serve(request, response, body, trace, known);
    else
      identities.read(header).then(
        (identity) => serve(request, response, body, trace, identity),
        (error: unknown) => fail(response, trace, error),
      );
  };

  const post = (request: IncomingMessage, response: ServerResponse, trace: Trace): void => {
    let whole: Buffer | null = null;
    let chunks: Buffer[] | null = null;
    let size = 0;
    let isRefused = false;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (isRefused) {
        if (size > mostDrained) request.socket.destroy();
      } else if (size > limits.body) {
        isRefused = true;
        whole = null;
        chunks = null;
        const told = `The body may have ${limits.body} bytes at most.`;
        sendError(response, new RequestError('PAYLOAD_TOO_LARGE', told), trace);
      } else if (!whole && !chunks) whole = chunk;
      else {
        chunks ??= [whole!];
        chunks.push(chunk);
      }
    });
    request.on('end', () => {
      if (isRefused) return;
      const bytes = chunks ? Buffer.concat(chunks) : whole;
      identify(request, response, bytes ? bytes.toString('latin1') : '', trace);
    });
    request.on('error', () => response.destroy());
  };

  const ready = (response: ServerResponse): void => {
    const subgraphs = Object.fromEntries(
      [...generation().transports].map(([name, transport]) => [name, transport.state()]),
    );
    const isReady = !isStopping();
    send(response, isReady ? 200 : 503, JSON.stringify({ ready: isReady, subgraphs }));
  };

  const graphql = (
    request: IncomingMessage,
    response: ServerResponse,
    search: string,
    trace: Trace,
  ): void => {
    allowOrigin(request, response);
    const { method } = request;
    if (method === 'POST') post(request, response, trace);
    else if (method === 'OPTIONS') send(response, 204, '', {});
    else if (method === 'GET' || method === 'HEAD') identify(request, response, bodyOfQuery(search), trace);
    else sendNotAllowed(response, 'GraphQL goes by POST, and queries by GET as well.', trace);
  };

  return (request, response) => {
    const header = telemetry.tracing.trustsClients ? one(request.headers.traceparent) : undefined;
    const trace = header === undefined ? newTrace() : traceFrom(header);
    try {
      const url = request.url ?? '/';
      const cut = url.indexOf('?');
      const path = cut < 0 ? url : url.slice(0, cut);
      if (path === listen.path) return graphql(request, response, cut < 0 ? '' : url.slice(cut + 1), trace);
      if (path === '/health') return send(response, 200, '{"status":"up"}');
      if (path === '/health/ready') return ready(response);
      throw new RequestError('NOT_FOUND', 'There is nothing here.');
    } catch (error) {
      fail(response, trace, error);
    }
  };
};
