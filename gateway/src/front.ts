// The gateway's HTTP: who asks, from where, and which door is theirs.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { RequestError, statusOf } from '@orderstream/runtime/errors';
import { type Check, checkHealth } from '@orderstream/runtime/host/health';
import { readBody } from '@orderstream/runtime/host/http';
import type { Log } from '@orderstream/runtime/log';
import { newTrace, type Trace, traceFrom, traceId } from '@orderstream/runtime/trace';
import type { Viewer } from '@orderstream/runtime/viewer';
import type { AccessTokens } from './access-tokens.ts';
import type { Asking } from './asking.ts';
import type { Door } from './door.ts';
import { pageAt } from './explorer.ts';
import type { ShortWay } from './front/short-way.ts';
import type { Settings } from './settings.ts';
import { visitorOf } from './shop-subscriptions.ts';
import { isAskedFor, requestInUrl, wantsEventStream } from './subscriptions/event-stream.ts';
import type { Subscriptions } from './subscriptions/subscriptions.ts';

/** bytes */
const largestBody = 100 * 1024;
/** bytes of a body already refused that are still read, so that its sender gets to see the refusal */
const mostDrained = 8 * 1024 * 1024;

type Options = {
  readonly settings: Settings;
  readonly tokens: AccessTokens;
  readonly shortWay: ShortWay<Asking>;
  readonly door: Door<Asking>;
  readonly subscriptions: Subscriptions<Asking>;
  readonly checks: Readonly<Record<string, Check>>;
  readonly isStopping: () => boolean;
  readonly log: Log;
};

const json = { 'content-type': 'application/json; charset=utf-8' };

const send = (
  response: ServerResponse,
  status: number,
  body: string | Buffer,
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

const drain = (request: IncomingMessage): void => {
  let size = 0;
  request.removeAllListeners('data');
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > mostDrained) request.socket.destroy();
  });
  request.resume();
};

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

/** The device's own name for itself, by which a customer knows it again; too long a one is none. */
const deviceIdOf = (request: IncomingMessage): string | null => {
  const id = one(request.headers['x-device-id'])?.trim();
  return id && id.length <= 100 ? id : null;
};

/** Whoever is at the other end, or who our own proxy says is. */
const clientAddressOf = (request: IncomingMessage, trustsProxy: boolean): string | null => {
  const forwarded = trustsProxy
    ? one(request.headers['x-forwarded-for'])?.split(',').at(-1)?.trim()
    : undefined;
  return (forwarded || request.socket.remoteAddress)?.replace(/^::ffff:/, '') ?? null;
};

/** What only the connection tells of a viewer. */
export const whereaboutsOf = (
  request: IncomingMessage,
  settings: Settings,
): Pick<Viewer, 'clientAddress' | 'deviceId'> => ({
  clientAddress: clientAddressOf(request, settings.trustsProxy),
  deviceId: deviceIdOf(request),
});

export const traceOf = (traceparent: string | string[] | undefined, settings: Settings): Trace =>
  settings.trustsProxy ? traceFrom(one(traceparent)) : newTrace();

/** Pages of other origins may call where they are on the list; the token goes in a header, so no credentials do. */
const allowOrigin = (request: IncomingMessage, response: ServerResponse, settings: Settings): void => {
  const { origin } = request.headers;
  response.setHeader('vary', 'Origin');
  if (!origin || !settings.allowedOrigins.has(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', 'x-trace-id');
  if (request.method !== 'OPTIONS') return;
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader(
    'access-control-allow-headers',
    'authorization, content-type, x-device-id, apollo-require-preflight, x-apollo-operation-name',
  );
  response.setHeader('access-control-max-age', '600');
};

/** A page of another origin cannot send it without having asked. */
const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/json *(;|$)/i.test(contentType);

const parsed = (body: Buffer, contentType: string | undefined): unknown => {
  if (!contentType?.includes('json')) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    throw new RequestError('BAD_USER_INPUT', 'The body is not JSON.', { cause });
  }
};

export const createFront = ({
  settings,
  tokens,
  shortWay,
  door,
  subscriptions,
  checks,
  isStopping,
  log,
}: Options): RequestListener => {
  const subscribe = async (
    request: IncomingMessage,
    response: ServerResponse,
    trace: Trace,
    asked: unknown,
  ): Promise<void> => {
    const whereabouts = whereaboutsOf(request, settings);
    const signIn = await tokens.read(request.headers.authorization);
    const visitor = visitorOf(signIn, whereabouts, () => trace);
    subscriptions.serveEventStream(response, asked, visitor, whereabouts.clientAddress ?? '');
  };

  const graphql = async (request: IncomingMessage, response: ServerResponse, trace: Trace): Promise<void> => {
    allowOrigin(request, response, settings);
    if (request.method === 'OPTIONS') return send(response, 204, '', {});
    const { headers } = request;
    if (request.method === 'GET' && wantsEventStream(headers.accept, null)) {
      if (!isAskedFor(request, settings.allowedOrigins))
        throw new RequestError(
          'FORBIDDEN',
          'An event stream by GET needs the header apollo-require-preflight, or an origin that may call.',
        );
      return subscribe(request, response, trace, requestInUrl(request.url!));
    }
    if (request.method !== 'POST') {
      const isBrowser = request.method === 'GET' && request.headers.accept?.includes('text/html');
      if (isBrowser && !settings.isProduction) return send(response, 302, '', { location: '/explore' });
      const told = new RequestError('BAD_USER_INPUT', 'GraphQL goes by POST.');
      const extensions = { ...told.extensions, traceId: traceId(trace) };
      const body = JSON.stringify({ errors: [{ message: told.message, extensions }] });
      return send(response, 405, body, { ...json, allow: 'POST' });
    }
    const body = await readBody(request, largestBody);
    if (headers.accept?.includes('text/event-stream') && isJson(headers['content-type'])) {
      const asked = parsed(body, headers['content-type']);
      if (wantsEventStream(headers.accept, asked)) return subscribe(request, response, trace, asked);
    }
    const { viewer } = tokens.known(headers.authorization) ?? (await tokens.read(headers.authorization));
    const asking = { viewer: { ...viewer, ...whereaboutsOf(request, settings) }, trace };
    if (isJson(headers['content-type'])) {
      const read = shortWay.read(body.toString('latin1'));
      if (read && shortWay.answer(read, asking, headers.accept, response)) return;
    }
    const answer = await door.answer({ body: parsed(body, headers['content-type']), headers, asking });
    send(response, answer.status, answer.body, answer.headers);
  };

  const ready = async (response: ServerResponse): Promise<void> => {
    const health = await checkHealth(checks);
    const isReady = health.ready && !isStopping();
    send(response, isReady ? 200 : 503, JSON.stringify({ ...health, ready: isReady }));
  };

  const answer = async (request: IncomingMessage, response: ServerResponse, trace: Trace): Promise<void> => {
    const path = request.url?.split('?')[0] ?? '/';
    if (path === '/graphql') return graphql(request, response, trace);
    if (path === '/health') return send(response, 200, '{"status":"up"}');
    if (path === '/health/ready') return ready(response);
    const isPage = !settings.isProduction && (request.method === 'GET' || request.method === 'HEAD');
    const page = isPage
      ? await pageAt(path, request.headers.host ?? '', one(request.headers['accept-encoding']))
      : null;
    if (!page) throw new RequestError('NOT_FOUND', 'There is nothing here.');
    send(response, page.status, page.body, page.headers);
  };

  return (request, response) => {
    const trace = traceOf(request.headers.traceparent, settings);
    response.setHeader('x-trace-id', traceId(trace));
    answer(request, response, trace).catch((error: unknown) => {
      if (error instanceof RequestError) {
        if (error.code === 'PAYLOAD_TOO_LARGE') drain(request);
        return sendError(response, error, trace);
      }
      log.error({ err: error, path: request.url, traceId: traceId(trace) }, 'request failed');
      sendError(response, new RequestError('INTERNAL'), trace);
    });
  };
};
