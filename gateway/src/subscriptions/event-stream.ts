// Subscriptions over plain HTTP: one response is one subscription, as in the distinct connections mode of GraphQL over
// server-sent events.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError } from '@orderstream/runtime/errors';
import { type GraphQLError, getOperationAST, parse } from 'graphql';
import type { Client, Office, Visitor } from './office.ts';
import { Outbox, type Wire } from './outbox.ts';
import { Pace } from './pace.ts';
import type { Payload } from './payload.ts';
import type { SubscribeRequest } from './preparation.ts';
import { type Format, Subscription } from './subscription.ts';

const eventStreamType = 'text/event-stream';
const complete = Buffer.from('event: complete\ndata: \n\n');
const comment = Buffer.from(':\n\n');

const next = (result: string): Buffer => Buffer.from(`event: next\ndata: ${result}\n\n`);

const format: Format = {
  next: (payload: Payload) => payload.eventStream,
  finalNext: next,
  failed: (errors) => [next(`{"errors":${errors}}`), complete],
  complete: () => complete,
};

const isSubscription = (query: string, operationName: string | null): boolean => {
  if (!query.includes('subscription')) return false;
  try {
    return (
      getOperationAST(parse(query, { noLocation: true, maxTokens: 2_000 }), operationName)?.operation ===
      'subscription'
    );
  } catch {
    return false;
  }
};

/**
 * Whether the client is to be answered by an event stream. Some ask with every request for whichever of several kinds
 * fits, so then the operation decides.
 */
export const wantsEventStream = (accept: string | undefined, body: unknown): boolean => {
  if (!accept?.includes(eventStreamType)) return false;
  const kinds = accept.split(',').map((kind) => kind.split(';')[0]!.trim().toLowerCase());
  if (!kinds.includes(eventStreamType)) return false;
  if (kinds.every((kind) => kind === eventStreamType)) return true;
  const { query, operationName } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  if (typeof query !== 'string') return false;
  return isSubscription(query, typeof operationName === 'string' ? operationName : null);
};

const preflightHeaders = ['x-apollo-operation-name', 'apollo-require-preflight'];

/**
 * Whether a GET comes from where it may: a page of another origin can send one without having asked, unless it has a
 * header of these.
 */
export const isAskedFor = (
  { headers }: Pick<IncomingMessage, 'headers'>,
  allowedOrigins: ReadonlySet<string>,
): boolean =>
  preflightHeaders.some((name) => headers[name]) ||
  (headers.origin !== undefined && allowedOrigins.has(headers.origin));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const badRequest = (message: string): RequestError => new RequestError('BAD_USER_INPUT', message);

/** @throws RequestError for what is no request of GraphQL over HTTP */
const readRequest = (body: unknown): SubscribeRequest => {
  if (!isRecord(body)) throw badRequest('The body is an object with a query.');
  const { query: text, operationName, variables, id, documentId, extensions } = body;
  const isStored = Boolean(id || documentId || extensions);
  const query = text ?? (isStored ? '' : undefined);
  if (typeof query !== 'string') throw badRequest('The query is missing.');
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string')
    throw badRequest('The name of the operation is a text.');
  if (variables !== undefined && variables !== null && !isRecord(variables))
    throw badRequest('The variables are an object.');
  return {
    query,
    operationName: operationName ?? null,
    variables: variables ?? null,
    ...(isStored && { id, documentId, extensions }),
  };
};

/** @throws RequestError where `variables` is no JSON */
export const requestInUrl = (url: string): unknown => {
  const { searchParams } = new URL(url, 'http://gateway');
  const variables = searchParams.get('variables');
  try {
    return {
      query: searchParams.get('query') ?? undefined,
      operationName: searchParams.get('operationName'),
      variables: variables ? JSON.parse(variables) : null,
    };
  } catch (cause) {
    throw new RequestError('BAD_USER_INPUT', 'The variables are not JSON.', { cause });
  }
};

class EventStream<Asking> implements Client, Wire {
  readonly #response: ServerResponse;
  readonly #office: Office<Asking>;
  readonly #outbox: Outbox;
  readonly #pace: Pace;
  readonly #visitor: Visitor<Asking>;
  readonly #taken = (): void => this.#outbox.flush();
  readonly #subscription: Subscription<Asking>;
  #isOver = false;
  #spokeAt: number;

  constructor(response: ServerResponse, visitor: Visitor<Asking>, address: string, office: Office<Asking>) {
    this.#response = response;
    this.#office = office;
    this.#visitor = visitor;
    this.#outbox = new Outbox(this, office.bounds);
    this.#pace = new Pace(office.bounds);
    // Streams that began together are not kept alive together.
    this.#spokeAt = Date.now() - (Math.random() * office.bounds.keepAliveMs) / 2;
    this.#subscription = new Subscription({
      office,
      outbox: this.#outbox,
      format,
      visitor,
      address,
      serial: 1,
      over: () => {
        this.#isOver = true;
      },
    });
  }

  start(request: SubscribeRequest): void {
    void this.#subscription.start(request);
  }

  fail(error: GraphQLError): void {
    this.#subscription.fail([error]);
  }

  unread(): number {
    return this.#response.writableLength;
  }

  held(): number {
    return this.unread() + this.#outbox.bytes;
  }

  send(message: Buffer): void {
    const response = this.#response;
    if (response.writableEnded || response.destroyed) return;
    this.#spokeAt = Date.now();
    response.write(message, this.#taken);
    if (message === complete) response.end();
  }

  /** The connection is gone. */
  closed(): void {
    this.#subscription.stop();
  }

  sweep(now: number): void {
    const { expiresAt, isGone } = this.#visitor;
    if (!this.#pace.isBorne(this.held(), now)) this.cut();
    else if (!this.#isOver && expiresAt !== null && now >= expiresAt)
      this.fail(new RequestError('UNAUTHENTICATED', 'The access token has expired. Sign in again.'));
    else if (!this.#isOver && isGone?.()) this.fail(new RequestError('UNAUTHENTICATED'));
    else if (this.unread() === 0 && now - this.#spokeAt >= this.#office.bounds.keepAliveMs)
      this.send(comment);
  }

  drain(returnMs: number): void {
    this.#subscription.stop();
    if (!this.#response.writableEnded) this.#response.end(`retry: ${returnMs}\n\n`);
  }

  cut(): void {
    this.#response.destroy();
  }
}

/**
 * Answers with an event stream.
 * @throws RequestError before anything is written: RATE_LIMITED, SUBGRAPH_UNAVAILABLE while the process stops, or
 * BAD_USER_INPUT for what is no request
 */
export const serveEventStream = <Asking>(
  office: Office<Asking>,
  response: ServerResponse,
  body: unknown,
  visitor: Visitor<Asking>,
  address: string,
): void => {
  const request = readRequest(body);
  const refusal = office.refusal(address);
  if (refusal === 503)
    throw new RequestError('SUBGRAPH_UNAVAILABLE', 'No more subscriptions can be served here just now.', {
      retryAfterMs: office.returnMs(),
    });
  const { users, clients, addresses } = office;
  const isCounted = refusal === null && visitor.user !== null && users.take(visitor.user);
  if (refusal !== null || (visitor.user !== null && !isCounted)) {
    if (refusal === null) addresses.give(address);
    throw new RequestError('RATE_LIMITED', 'There are too many subscriptions already.', {
      retryAfterMs: 5_000,
    });
  }
  response.writeHead(200, {
    'content-type': `${eventStreamType}; charset=utf-8`,
    'cache-control': 'no-cache, no-store',
    // Proxies would keep events until there are enough of them.
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  const stream = new EventStream(response, visitor, address, office);
  clients.add(stream);
  response.once('close', () => {
    clients.delete(stream);
    addresses.give(address);
    if (visitor.user !== null) users.give(visitor.user);
    stream.closed();
  });
  stream.start(request);
};
