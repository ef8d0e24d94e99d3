import { setTimeout as pause } from 'node:timers/promises';
import { type Book, newId } from './book.ts';
import type { Call } from './call.ts';
import { ApiError } from './errors.ts';
import { expanded } from './expansion.ts';
import type { Faults } from './faults.ts';
import type { Tree } from './form.ts';
import { checkKey, fingerprintOf, keysInUse, type Remembered, recall, remember } from './idempotency.ts';
import { routeOf } from './routes.ts';

/**
 * The public API without its wire. A request is one transaction: effect, events, promised webhooks and the
 * remembered answer become durable together or not at all.
 */
export type ApiRequest = {
  readonly method: string;
  readonly path: string;
  readonly params: Tree;
  readonly idempotencyKey: string | null;
};

export type ApiAnswer = {
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
  /** The request that was answered first, when this is a replay of its answer. */
  readonly original?: string;
  /**
   * The caller shall not hear: the connection hangs until the caller gives up, or breaks. The SDK itself asks once
   * more, with the same key, when a connection breaks; only hanging is felt by its user at the first loss.
   */
  readonly silence?: 'destroy' | 'hang';
};

export const errorAnswer = (error: unknown, requestId: string): ApiAnswer => {
  if (error instanceof ApiError) {
    return { status: error.status, body: JSON.stringify({ error: error.body }), requestId };
  }
  console.error(`${requestId} failed`, error);
  const body = { error: { type: 'api_error', message: 'The simulator failed. Its log says more.' } };
  return { status: 500, body: JSON.stringify(body), requestId };
};

/** The order a request is about, from its metadata or from the payment intent it names. */
const orderOf = (book: Book, id: string, params: Tree): string | null => {
  const { metadata, payment_intent: named } = params;
  if (typeof metadata === 'object' && typeof metadata.orderId === 'string') return metadata.orderId;
  const intent = typeof named === 'string' ? named : id;
  return (
    book.get<{ order_id: string | null }>('select order_id from payment_intent where id = ?', intent)
      ?.order_id ?? null
  );
};

const serverError = (status: number) =>
  new ApiError(status, { type: 'api_error', message: 'An unknown error occurred.' });

type Shop = { readonly book: Book; readonly faults: Faults; readonly notifies: Call['notifies'] };

const perform = (shop: Shop, request: ApiRequest, route: NonNullable<ReturnType<typeof routeOf>>) => {
  const { book, faults, notifies } = shop;
  const { params, idempotencyKey, method } = request;
  const requestId = newId('req_', 14);
  const now = Date.now();
  const call: Call = { book, faults, params, id: route.id, idempotencyKey, requestId, now, notifies };
  const run = (): { answer: ApiAnswer; worthKeeping: boolean; lost: boolean } => {
    try {
      const { status, body, lost } = book.attempt(() => {
        const reply = route.operation(call);
        return reply.status < 400 ? { ...reply, body: expanded(call, reply.body) } : reply;
      });
      const answer = { status, body: JSON.stringify(body), requestId };
      return { answer, worthKeeping: true, lost: lost === true };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { answer: errorAnswer(error, requestId), worthKeeping: error.began, lost: false };
    }
  };
  if (method === 'GET') return run();
  return book.transaction(() => {
    if (idempotencyKey === null) return run();
    const fingerprint = fingerprintOf(request.path, params);
    const at = Math.floor(now / 1000);
    const known = recall(book, idempotencyKey, fingerprint, at);
    if (known) return { answer: replay(known, requestId), worthKeeping: false, lost: false };
    const outcome = run();
    if (outcome.worthKeeping) remember(book, idempotencyKey, fingerprint, outcome.answer, at);
    return outcome;
  });
};

const replay = ({ status, body, requestId: original }: Remembered, requestId: string): ApiAnswer => ({
  status,
  body,
  requestId,
  original,
});

export const apiOf = (shop: Shop, wake: () => void) => {
  const oneAtATime = keysInUse();

  const answer = async (request: ApiRequest): Promise<ApiAnswer> => {
    const { method, path, params, idempotencyKey } = request;
    const { book, faults } = shop;
    const route = routeOf(method, path);
    if (!route) {
      const message = `Unrecognized request URL (${method}: ${path.slice(0, 100)}).`;
      throw new ApiError(404, { type: 'invalid_request_error', message });
    }
    const occasion = { orderId: orderOf(book, route.id, params), path };
    const slow = faults.take('slowMs', occasion);
    if (slow) await pause(slow.value);
    const broken = faults.take('serverError', occasion);
    if (broken && broken.option !== 'after') throw serverError(broken.value);
    const { answer: given, lost } = perform(shop, { ...request, idempotencyKey }, route);
    wake();
    if (broken) throw serverError(broken.value);
    if (method !== 'POST' || given.status >= 400) return given;
    const silenced = faults.take('timeoutAfterSuccess', occasion);
    if (silenced) return { ...given, silence: silenced.option === 'destroy' ? 'destroy' : 'hang' };
    return lost ? { ...given, silence: 'hang' } : given;
  };

  return async (request: ApiRequest): Promise<ApiAnswer> => {
    const key = request.method === 'POST' ? request.idempotencyKey : null;
    if (key !== null) checkKey(key);
    return oneAtATime(key, () => answer(request));
  };
};
