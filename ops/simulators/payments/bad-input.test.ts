import { afterAll, beforeAll, expect, test } from 'vitest';
import { API_KEY, openShop, stripeAt } from './test-shop.ts';

let shop: Awaited<ReturnType<typeof openShop>>;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${shop.url}${path}`, {
    method: 'POST',
    body,
    headers: {
      authorization: `Bearer ${API_KEY}`,
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
  });
  const answer = (await response.json()) as { error: { type: string; code?: string; param?: string } };
  return { status: response.status, requestId: response.headers.get('request-id'), ...answer.error };
};

const intents = '/v1/payment_intents';

test.each([
  ['amount=10.5&currency=gbp', 'parameter_invalid_integer', 'amount'],
  ['amount=-1&currency=gbp', 'parameter_invalid_integer', 'amount'],
  ['amount=29&currency=gbp', 'amount_too_small', 'amount'],
  ['amount=100000000&currency=gbp', 'amount_too_large', 'amount'],
  ['currency=gbp', 'parameter_missing', 'amount'],
  ['amount=&currency=gbp', 'parameter_invalid_empty', 'amount'],
  ['amount=500&currency=gbp&colour=red', 'parameter_unknown', 'colour'],
  ['amount=500&currency=xxq', null, 'currency'],
  ['amount=500&currency=gbp&capture_method=later', null, 'capture_method'],
  ['amount=500&currency=gbp&amount[deep]=1', null, 'amount'],
  ['amount=500&currency=gbp&expand[]=wishes', null, 'expand'],
])('%s is refused and names the field', async (body, code, param) => {
  const answer = await post(intents, body);
  expect(answer).toMatchObject({ status: 400, type: 'invalid_request_error', param });
  expect(answer.code ?? null).toBe(code);
});

test.each([
  ['a card number in metadata', 'amount=500&currency=gbp&metadata[note]=4242424242424242'],
  ['a card number inside a text', 'amount=500&currency=gbp&description=pay%204242-4242-4242-4242%20now'],
  ['a card number as a name', 'amount=500&currency=gbp&metadata[4242424242424242]=x'],
  ['bytes that are no text', 'amount=%ff%fe'],
  ['a name with open brackets', 'amount[=1'],
  ['parameters nested too deeply', 'a[b][c][d][e][f][g]=1'],
  ['a thousand parameters and one', Array.from({ length: 1001 }, (_, n) => `p${n}=1`).join('&')],
])('%s is refused', async (_name, body) => {
  const before = (await shop.control.book()).intents.length;
  expect(await post(intents, body)).toMatchObject({ status: 400, type: 'invalid_request_error' });
  expect((await shop.control.book()).intents).toHaveLength(before);
});

test('ids that look like numbers of a card are kept when they are none', async () => {
  const metadata = {
    orderId: 'ord_01jd2k3m4n5p6q7r8s9t0v1w2x',
    trace: '01234567-8901-7345-8901-234567890123',
  };
  const made = await shop.stripe.paymentIntents.create({ amount: 500, currency: 'gbp', metadata });
  expect(made.metadata).toEqual(metadata);
});

test('names that mean something to JavaScript are only names', async () => {
  expect(await post(intents, 'amount=500&currency=gbp&__proto__[admin]=1')).toMatchObject({
    code: 'parameter_unknown',
  });
  expect(({} as { admin?: string }).admin).toBeUndefined();
});

test('a body of another type, one that is too large and a key that is too long are refused', async () => {
  expect((await post(intents, '{}', { 'content-type': 'application/json' })).status).toBe(400);
  expect((await post(intents, `description=${'x'.repeat(300_000)}`)).status).toBe(413);
  const longKey = await post(intents, 'amount=500&currency=gbp', { 'idempotency-key': 'k'.repeat(256) });
  expect(longKey).toMatchObject({ status: 400, type: 'idempotency_error' });
});

test('without the right key nothing is answered, and what does not exist is not found', async () => {
  expect((await post(intents, 'amount=500', { authorization: 'Bearer sk_test_other' })).status).toBe(401);
  expect((await post(intents, 'amount=500', { authorization: '' })).status).toBe(401);
  const missing = shop.stripe.paymentIntents.retrieve('pi_nowhere');
  await expect(missing).rejects.toMatchObject({ statusCode: 404, code: 'resource_missing' });
  expect((await post('/v1/spaceships', '')).status).toBe(404);
  const detached = stripeAt(shop.port).paymentMethods.attach('pm_nobody', { customer: 'cus_nobody' });
  await expect(detached).rejects.toMatchObject({ statusCode: 404, code: 'resource_missing' });
});

test('the control API names a switch that does not exist, and a browser cannot post to it', async () => {
  await expect(shop.control.faults({ explode: 1 })).rejects.toThrow('There is no switch explode');
  await expect(shop.control.faults({ slowMs: -5 })).rejects.toThrow('whole number');
  const simple = await fetch(`${shop.url}/control/faults`, { method: 'POST', body: '{"slowMs":60000}' });
  expect(simple.status).toBe(400);
  expect((await fetch(`${shop.url}/health`)).status).toBe(200);
});
