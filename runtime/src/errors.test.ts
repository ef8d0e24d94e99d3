import { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import { badInput, type ErrorCode, isRefusal, RequestError, statusOf, userError } from './errors.ts';

test.each<[ErrorCode, number, boolean]>([
  ['UNAUTHENTICATED', 401, false],
  ['FORBIDDEN', 403, false],
  ['BAD_USER_INPUT', 400, false],
  ['NOT_FOUND', 404, false],
  ['PAYLOAD_TOO_LARGE', 413, false],
  ['QUERY_TOO_COMPLEX', 400, false],
  ['PERSISTED_QUERY_REQUIRED', 400, false],
  ['PERSISTED_QUERY_NOT_FOUND', 200, true],
  ['RATE_LIMITED', 429, true],
  ['OVERLOADED', 503, true],
  ['SUBGRAPH_UNAVAILABLE', 503, true],
  ['DEADLINE_EXCEEDED', 504, true],
  ['INTERNAL', 500, false],
])('%s is HTTP %d and says whether another try can help', (code, status, retryable) => {
  const error = new RequestError(code);
  expect(statusOf(code)).toBe(status);
  expect(error.extensions).toEqual({ code, retryable });
  expect(error.message).toMatch(/^[A-Z].*\.$/);
});

test('an error of the request names the argument and never shows its cause', () => {
  const error = badInput(['input', 'lines', '2', 'quantity'], 'At least one.');
  expect(error.toJSON()).toEqual({
    message: 'At least one.',
    extensions: { code: 'BAD_USER_INPUT', retryable: false, argument: 'input.lines.2.quantity' },
  });
  const cause = new Error('password=hunter2');
  const late = new RequestError('RATE_LIMITED', undefined, { retryAfterMs: 250, cause });
  expect(late.originalError).toBe(cause);
  expect(late.extensions).toMatchObject({ retryAfterMs: 250 });
  expect(JSON.stringify(late)).not.toContain('hunter2');
  expect(late).toBeInstanceOf(GraphQLError);
});

test.each([
  ['NotFound', 'NOT_FOUND', 'not found.'],
  ['OutOfStock', 'OUT_OF_STOCK', 'out of stock.'],
  ['RefundExceedsBalance', 'REFUND_EXCEEDS_BALANCE', 'refund exceeds balance.'],
])('a refusal %s is the member %s of its union', (error, code, message) => {
  expect(userError({ error })).toEqual({ __typename: error, code, message, path: null });
});

test('a refusal keeps its own words, its place and what else it tells', () => {
  const refusal = {
    error: 'VersionConflict',
    message: 'Read again.',
    path: ['input'],
    currentVersion: 7,
  } as const;
  expect(userError(refusal)).toEqual({
    __typename: 'VersionConflict',
    code: 'VERSION_CONFLICT',
    message: 'Read again.',
    path: ['input'],
    currentVersion: 7,
  });
});

test('an outcome is told from a refusal', () => {
  expect(isRefusal({ error: 'NotFound' })).toBe(true);
  for (const outcome of [null, undefined, 'error', { orderId: 'o' }]) expect(isRefusal(outcome)).toBe(false);
});
