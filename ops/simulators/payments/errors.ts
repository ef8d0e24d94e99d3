import type Stripe from 'stripe';

/** The `error` member of an answer, as the SDK reads it. */
export type ErrorBody = {
  readonly type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
  readonly charge?: string;
  readonly payment_intent?: Stripe.PaymentIntent;
  readonly payment_method?: Stripe.PaymentMethod;
};

/**
 * A request that is answered with an error and leaves no effect behind.
 * `began` tells whether work had started: only then does an idempotency key remember the answer, so that
 * a request with a misspelt parameter can be mended and sent again under the same key.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly body: ErrorBody;
  readonly began: boolean;

  constructor(status: number, body: ErrorBody, began = false) {
    super(body.message);
    this.status = status;
    this.body = body;
    this.began = began;
  }
}

/** A parameter that can be refused by looking at the request alone. */
export const badParameter = (param: string, message: string, code?: string): ApiError =>
  new ApiError(400, { type: 'invalid_request_error', message, param, ...(code ? { code } : {}) });

export const resourceMissing = (kind: string, id: string, param: string): ApiError =>
  new ApiError(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${kind}: '${id}'`,
    param,
  });

/** Something the state of the book forbids. */
export const refused = (body: Omit<ErrorBody, 'type'>): ApiError =>
  new ApiError(400, { type: 'invalid_request_error', ...body }, true);
