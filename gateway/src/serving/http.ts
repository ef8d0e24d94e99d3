// The gateway's HTTP. A request is read, known for whose it is, counted, and goes the short way where it can.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { RequestError, statusOf } from '@orderstream/runtime/errors';
import { type Check, checkHealth } from '@orderstream/runtime/host/health';
import type { Log } from '@orderstream/runtime/log';
import type { Identities, Identity } from '../auth/identity.ts';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import type { Body } from '../front/short-way.ts';
import { createCors } from '../headers/cors.ts';
import { checkEncoding } from '../limits/admission.ts';
import { checkVariables } from '../limits/variables.ts';
import { type Partner, type Partners, quotaOf } from '../persisted/partners.ts';
import { type OperationDoor, requestedIn } from '../persisted/requested.ts';
import { type Rates, rateLimited } from '../rate/rates.ts';
import type { Windows } from '../rate/windows.ts';
import type { Era, Reloading } from '../reload/reloading.ts';
import { isAskedFor, wantsEventStream } from '../subscriptions/event-stream.ts';
import type { Subscriptions } from '../subscriptions/subscriptions.ts';
import { fanoutHeader, fanoutOf, withExtensions } from '../telemetry/fanout.ts';
import { contentType as metricsType } from '../telemetry/registry.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Visit } from '../telemetry/visit.ts';
import { toBinary, toText } from '../transport/binary.ts';
import { type Asking, asPartner } from './asking.ts';
import type { Generation } from './generation.ts';
import type { Particulars } from './particulars.ts';
import { addressOf, bodyOfSearch, changesSomething, isJson, one, parsed, statusFor } from './request.ts';

type Options = {
  readonly configuration: GatewayConfiguration;
  readonly particulars: Particulars;
  readonly checks: Readonly<Record<string, Check>>;
  /** of this process and its siblings */
  readonly metricsText: () => Promise<string>;
  readonly identities: Identities;
  readonly partners: Partners;
  readonly operationDoor: OperationDoor;
  readonly rates: Rates;
  readonly windows: Windows;
  readonly telemetry: Telemetry;
  readonly reloading: Reloading<Generation>;
  readonly subscriptions: Subscriptions<Asking> | null;
  readonly isStopping: () => boolean;
  readonly log: Log;
};

const json = { 'content-type': 'application/json; charset=utf-8' };
/** bytes of a body already refused that are still read, so that its sender gets to see the refusal */
const mostDrained = 8 * 1024 * 1024;

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

const bodyOfError = ({ message, extensions }: RequestError, { arrival }: Visit): string =>
  JSON.stringify({ errors: [{ message, extensions: { ...extensions, traceId: arrival.traceId } }] });

/** What goes on over many supergraphs is in none of them. */
const nobodysEra = { leave: (): void => undefined };

/** A request that has entered a supergraph. */
type Inside = Asking & { readonly era: Era<Generation> };

class MethodNotAllowed extends RequestError {}

export const createHttp = (options: Options): RequestListener => {
  const {
    configuration,
    particulars,
    checks,
    metricsText,
    identities,
    partners,
    operationDoor,
    rates,
    windows,
  } = options;
  const { telemetry, reloading, subscriptions, isStopping, log } = options;
  const { listen, limits, auth, persisted, developers, telemetry: seeing } = configuration;
  const cors = createCors(configuration.cors);
  const hasCors = configuration.cors.origins.length > 0;
  const hasPartners = partners.all().length > 0;
  const hasRates = configuration.rates.rules.length > 0;
  const knowsAddress = hasRates || particulars.tellsAddress;
  const { pageAt, explorer } = particulars;
  const servesMetrics = seeing.metrics.enabled && seeing.metrics.port === undefined;
  const { traceHeader } = seeing.tracing;
  const origins = new Set(configuration.cors.origins);
  /** Nothing but text is asked for, so a body that is known is known for everybody. */
  const isFreeText = !persisted.required && !hasPartners;

  const fail = (response: ServerResponse, visit: Visit, error: unknown): void => {
    const told = error instanceof RequestError ? error : new RequestError('INTERNAL');
    if (told !== error) log.error({ err: error, traceId: visit.arrival.traceId }, 'request failed');
    const isMethod = told instanceof MethodNotAllowed;
    const status = isMethod ? 405 : statusOf(told.code);
    telemetry.leave(visit, status, 'refused', told.code);
    const { retryAfterMs } = told.extensions;
    send(response, status, bodyOfError(told, visit), {
      ...json,
      ...(isMethod && { allow: 'POST' }),
      ...(typeof retryAfterMs === 'number' && { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
    });
  };

  /** The text has been found; what it wants may still be known. */
  const withText = async (
    text: string,
    request: Body,
    isGet: boolean,
    asking: Inside,
    response: ServerResponse,
  ): Promise<void> => {
    const { shortWay, door } = asking.era.generation;
    const read = shortWay.readText(text, request);
    if (
      isGet &&
      (read?.known.definition.operation === 'mutation' ||
        (!read && changesSomething(text, request.operationName)))
    )
      throw new MethodNotAllowed('BAD_USER_INPUT', 'Mutations go by POST.');
    const isThorough = wantsFanout(asking);
    if (isThorough) asking.visit.lookClosely();
    else if (read && shortWay.answer(read, asking, asking.headers.accept, response)) return;
    telemetry.metrics.plans.misses.value += 1;
    const { headers, visit } = asking;
    const { id: _id, documentId: _documentId, extensions: _extensions, ...rest } = request;
    const answer = await door.answer({
      body: { ...rest, query: text },
      // A GET has no content type; what it could do by being sent from another page is nothing.
      headers: isGet ? { ...headers, 'content-type': 'application/json' } : headers,
      asking,
    });
    const status = statusFor(answer, headers.accept);
    telemetry.leave(visit, status, answer.status === 200 ? 'ok' : 'refused');
    asking.era.leave();
    if (!isThorough || answer.status !== 200) {
      send(response, status, answer.body, answer.headers);
      return;
    }
    const { operations } = asking.era.generation;
    const name = typeof request.operationName === 'string' ? request.operationName : undefined;
    const plan = operations.known(text, name)?.for(asking)?.describe() ?? '';
    const { 'content-length': _length, ...kept } = answer.headers;
    send(
      response,
      status,
      toText(withExtensions(toBinary(answer.body.trimEnd()), { fanout: fanoutOf(visit, plan) })),
      kept,
    );
  };

  /** What a request costs the subgraphs is told to developers who ask for it. */
  const wantsFanout = ({ headers, identity }: Asking): boolean =>
    headers[fanoutHeader] === '1' && developers.scope !== undefined && identity.scopes.has(developers.scope);

  const refuse = (response: ServerResponse, asking: Asking, error: unknown): void => {
    asking.era.leave();
    fail(response, asking.visit, error);
  };

  const longWay = async (
    body: string,
    isGet: boolean,
    asking: Inside,
    response: ServerResponse,
  ): Promise<void> => {
    const request = parsed(body);
    const { extensions } = request;
    if (
      extensions !== undefined &&
      extensions !== null &&
      (typeof extensions !== 'object' || Array.isArray(extensions))
    )
      throw new RequestError('BAD_USER_INPUT', 'Extensions are an object.', { path: ['extensions'] });
    if (body.length > limits.variables && request.variables)
      checkVariables(request.variables, JSON.stringify(request.variables).length, limits);
    const text = await operationDoor.choose(requestedIn(request), asking.partner);
    await withText(text, request, isGet, asking, response);
  };

  const serve = (body: string, isGet: boolean, asking: Inside, response: ServerResponse): void => {
    const { headers } = asking;
    if (subscriptions && headers.accept?.includes('text/event-stream')) {
      try {
        const request = isGet || isJson(headers['content-type']) ? parsed(body) : {};
        if (wantsEventStream(headers.accept, request)) {
          follow(subscriptions, request, isGet, asking, response);
          return;
        }
      } catch (error) {
        refuse(response, asking, error);
        return;
      }
    }
    const { shortWay } = asking.era.generation;
    const isShort = isFreeText && body.length <= limits.variables && !wantsFanout(asking);
    const read = isShort && (isGet || isJson(headers['content-type'])) ? shortWay.read(body) : null;
    const isAllowed = read !== null && (!isGet || read.known.definition.operation === 'query');
    if (isAllowed && shortWay.answer(read, asking, headers.accept, response)) return;
    if (!isGet && !isJson(headers['content-type']))
      refuse(response, asking, new RequestError('BAD_USER_INPUT', 'A request is application/json.'));
    else longWay(body, isGet, asking, response).catch((error: unknown) => refuse(response, asking, error));
  };

  /** A stream is its subscription's affair from here on, which moves from one supergraph to the next by itself. */
  const follow = (
    to: Subscriptions<Asking>,
    request: Body,
    isGet: boolean,
    asking: Inside,
    response: ServerResponse,
  ): void => {
    // Any page could have its visitors open streams by a link.
    if (isGet && !isAskedFor(asking, origins) && !('authorization' in asking.headers))
      throw new RequestError(
        'FORBIDDEN',
        'An event stream by GET needs the header apollo-require-preflight, or an origin that may call.',
      );
    const { identity, address } = asking;
    const visitor = {
      user: identity.subject,
      expiresAt: identity.expiresAt?.getTime() ?? null,
      asking: () => ({ ...asking, era: nobodysEra, deadline: performance.now() + limits.deadlineMs }),
    };
    to.serveEventStream(response, request, visitor, address ?? response.socket?.remoteAddress ?? '');
    telemetry.leave(asking.visit, 200, 'ok');
    asking.era.leave();
  };

  /** Counts the request against everything that bounds it, and goes on where nothing does. */
  const count = (body: string, isGet: boolean, asking: Inside, response: ServerResponse): void => {
    const { identity, partner, address } = asking;
    const told = (refusal: RequestError | null): void => {
      if (refusal) refuse(response, asking, refusal);
      else serve(body, isGet, asking, response);
    };
    const requester = { userId: identity.subject, partnerId: partner?.id ?? null, address };
    if (!partner) {
      if (hasRates) rates.admit(requester, told);
      else told(null);
      return;
    }
    windows.take(quotaOf(partner), (verdict) => {
      const refusal = rateLimited(verdict);
      if (refusal || !hasRates) told(refusal);
      else rates.admit(requester, told);
    });
  };

  const partnerOf = (request: IncomingMessage): Partner | null => {
    const key = hasPartners ? one(request.headers[persisted.keyHeader]) : undefined;
    if (key === undefined) return null;
    const partner = partners.byKey(key);
    if (!partner) throw new RequestError('UNAUTHENTICATED', 'The key is not valid.');
    return partner;
  };

  const enter = (request: IncomingMessage, response: ServerResponse, body: string, visit: Visit): void => {
    const isGet = request.method !== 'POST';
    const go = (identity: Identity, partner: Partner | null): void =>
      count(
        body,
        isGet,
        {
          visit,
          trace: visit,
          headers: request.headers,
          identity: partner ? asPartner(identity, partner) : identity,
          partner,
          address: knowsAddress ? addressOf(request, listen.trustsProxy) : null,
          era: reloading.enter(),
          deadline: visit.startedAt + limits.deadlineMs,
        },
        response,
      );
    try {
      const partner = partnerOf(request);
      // Without issuers the header is the subgraphs' affair alone.
      const header = auth.issuers.length > 0 ? one(request.headers[auth.header]) : undefined;
      const known = identities.known(header, Date.now());
      if (known) go(known, partner);
      else
        identities.read(header).then(
          (identity) => go(identity, partner),
          (error: unknown) => fail(response, visit, error),
        );
    } catch (error) {
      fail(response, visit, error);
    }
  };

  const post = (request: IncomingMessage, response: ServerResponse, visit: Visit): void => {
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
        fail(response, visit, new RequestError('PAYLOAD_TOO_LARGE', told));
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
        fail(response, visit, error);
        return;
      }
      enter(request, response, bytes.toString('latin1'), visit);
    });
    request.on('error', () => response.destroy());
  };

  const setHeaders = (response: ServerResponse, list: readonly string[]): void => {
    for (let at = 0; at < list.length; at += 2) response.setHeader(list[at]!, list[at + 1]!);
  };

  const graphql = (request: IncomingMessage, response: ServerResponse, search: string): void => {
    const { method, headers } = request;
    if (hasCors)
      setHeaders(
        response,
        method === 'OPTIONS' ? cors.preflight(headers.origin) : cors.answer(headers.origin),
      );
    if (method === 'OPTIONS') {
      send(response, 204, '', {});
      return;
    }
    if (explorer !== null && method === 'GET' && headers.accept?.includes('text/html')) {
      send(response, 302, '', { location: explorer });
      return;
    }
    const visit = telemetry.arrive(headers, seeing.tracing.trustsClients);
    if (traceHeader !== undefined) response.setHeader(traceHeader, visit.arrival.traceId);
    try {
      if (method === 'POST') post(request, response, visit);
      else if (method === 'GET' || method === 'HEAD') enter(request, response, bodyOfSearch(search), visit);
      else throw new MethodNotAllowed('BAD_USER_INPUT', 'GraphQL goes by POST, and queries by GET as well.');
    } catch (error) {
      fail(response, visit, error);
    }
  };

  const ready = async (response: ServerResponse): Promise<void> => {
    const subgraphs = Object.fromEntries(
      [...reloading.current().transports].map(([name, transport]) => [name, transport.state()]),
    );
    const health = await checkHealth(checks);
    const isReady = health.ready && !isStopping();
    send(response, isReady ? 200 : 503, JSON.stringify({ ...health, ready: isReady, subgraphs }));
  };

  const page = async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const found =
      pageAt && isRead
        ? await pageAt(path, request.headers.host ?? '', one(request.headers['accept-encoding']))
        : null;
    if (found) {
      send(response, found.status, found.body, found.headers);
      return;
    }
    const { message, extensions } = new RequestError('NOT_FOUND', 'There is nothing here.');
    send(response, 404, JSON.stringify({ errors: [{ message, extensions }] }));
  };

  const other = async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (path === '/health/ready') return ready(response);
    if (servesMetrics && path === seeing.metrics.path)
      return send(response, 200, await metricsText(), { 'content-type': metricsType });
    return page(path, request, response);
  };

  return (request, response) => {
    const url = request.url ?? '/';
    const cut = url.indexOf('?');
    const path = cut < 0 ? url : url.slice(0, cut);
    if (path === listen.path) graphql(request, response, cut < 0 ? '' : url.slice(cut + 1));
    else if (path === '/health') send(response, 200, '{"status":"up"}');
    else
      other(path, request, response).catch((error: unknown) => {
        log.error({ err: error, path }, 'request failed');
        response.destroy();
      });
  };
};
