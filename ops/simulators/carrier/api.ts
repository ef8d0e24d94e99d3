import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import type { Desk } from './desk.ts';
import { ApiError, badRequest, errorBody } from './errors.ts';
import type { Occasion } from './faults.ts';
import { shipmentById, shipmentByReference, shipmentByTracking, showShipment } from './shipment-rows.ts';
import {
  cancelShipment,
  createShipment,
  forgetShipment,
  type LabelRequest,
  labelRequest,
  type Reply,
} from './shipments.ts';

/**
 * The public API without its wire. A request is one transaction: effect, events, promised webhooks and the answer that
 * is remembered become durable together or not at all.
 */
export type ApiRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly idempotencyKey: string | null;
};

/** `silence`: the effect stands, and the caller shall not hear of it. */
export type ApiAnswer = Reply & { readonly silence?: true };

export const errorAnswer = (error: unknown): ApiAnswer => {
  if (error instanceof ApiError) return { status: error.status, body: JSON.stringify(errorBody(error)) };
  console.error('a request failed', error);
  const failure = { code: 'internal', message: 'The simulator failed. Its log says more.' };
  return { status: 500, body: JSON.stringify(errorBody(failure)) };
};

/** Reads a body, or names the first field that is wrong. */
export const parsed = <Value>(schema: z.ZodType<Value>, body: unknown): Value => {
  const { success, data, error } = schema.safeParse(body);
  if (success) return data;
  const [issue] = error.issues;
  throw badRequest(`${issue?.path.join('.') || 'body'}: ${issue?.message}`);
};

/** `run` is called inside a transaction where something may change. */
type Call = { readonly occasion: Occasion; readonly run: (desk: Desk, now: number) => Reply };

const LONGEST_KEY = 255;

const labelCall = (request: LabelRequest, key: string | null): Call => {
  if (key === null || key.length > LONGEST_KEY) {
    throw badRequest(
      `Send an idempotency-key of at most ${LONGEST_KEY} characters.`,
      'idempotency_key_missing',
    );
  }
  return {
    occasion: { reference: request.reference, postcode: request.destination.postcode },
    run: (desk, now) => createShipment(desk, key, request, now),
  };
};

const found = (body: object): Reply => ({ status: 200, body: JSON.stringify(body) });

const callOf = ({ book }: Desk, request: ApiRequest): Call => {
  const { method, path, query, body, idempotencyKey } = request;
  const [, version, what, id = '', verb = '', ...rest] = path.split('/');
  const route = `${method} ${what}${id && '/:id'}${verb && `/${verb}`}`;
  if (version !== 'v1' || rest.length > 0) throw new ApiError(404, 'not_found', 'There is nothing here.');
  const named = () => ({ reference: shipmentById(book, id).reference });
  switch (route) {
    case 'POST shipments':
      return labelCall(parsed(labelRequest, body), idempotencyKey);
    case 'GET shipments': {
      const reference = query.get('reference');
      if (!reference) throw badRequest('reference: name the reference of a shipment');
      const list = (desk: Desk) => {
        const row = shipmentByReference(desk.book, reference);
        return found(row ? [showShipment(desk.book, row)] : []);
      };
      return { occasion: { reference }, run: list };
    }
    case 'GET shipments/:id':
      return {
        occasion: named(),
        run: (desk) => found(showShipment(desk.book, shipmentById(desk.book, id))),
      };
    case 'POST shipments/:id/cancel':
      return { occasion: named(), run: (desk, now) => cancelShipment(desk, id, now) };
    case 'POST shipments/:id/forget':
      return { occasion: named(), run: (desk) => forgetShipment(desk, id) };
    case 'GET tracking/:id': {
      const { reference } = shipmentByTracking(book, id);
      return {
        occasion: { reference },
        run: (desk) => found(showShipment(desk.book, shipmentByTracking(desk.book, id))),
      };
    }
    default:
      throw new ApiError(404, 'not_found', 'There is nothing here.');
  }
};

/** `wake` is called after each change, for the clock and the courier. */
export const apiOf =
  (desk: Desk, wake: () => void) =>
  async (request: ApiRequest): Promise<ApiAnswer> => {
    const { book, faults } = desk;
    const { occasion, run } = callOf(desk, request);
    const slow = faults.take('slowMs', occasion);
    if (slow) await pause(slow.value);
    const broken = faults.take('serverError', occasion);
    if (broken) {
      const code = broken.value === 429 ? 'too_many_requests' : 'server_error';
      throw new ApiError(broken.value, code, 'A switch of the simulator says so.');
    }
    if (request.method === 'GET') return run(desk, Date.now());
    const reply = book.transaction(() => run(desk, Date.now()));
    if (request.path.endsWith('/forget')) book.scrub();
    wake();
    if (reply.status < 400 && faults.take('timeoutAfterSuccess', occasion))
      return { ...reply, silence: true };
    return reply;
  };
