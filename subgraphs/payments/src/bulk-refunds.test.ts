// Staff give back all of many orders at once. The bank is the provider's simulator.
import { randomUUID } from 'node:crypto';
import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { money } from '@orderstream/runtime/money';
import { graphql } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refundOrder } from './refund-service.ts';
import { createResolvers } from './resolvers.ts';
import { openShop, type Shop, tenantId } from './test-shop.ts';

let shop: Shop;
let schema: ReturnType<typeof subgraphSchema>;

beforeAll(async () => {
  shop = await openShop();
  schema = subgraphSchema(schemaText(new URL('../', import.meta.url))!, createResolvers(shop.provider));
});
afterAll(() => shop?.close());

const staffId = newId();
const staff = () => shop.as(staffId, 'payments:read', 'refunds:write');

/** 49.95 each, by customers of their own. */
const sold = (count: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const orderId = await shop.authorize(await shop.buyer());
      await shop.untilState(orderId, 'AUTHORIZED');
      await shop.capture(orderId);
      await shop.untilState(orderId, 'CAPTURED');
      return orderId;
    }),
  );

const source = `mutation ($input: BulkRefundInput!) { bulkRefund(input: $input) { succeeded failed items { index outcome {
  __typename
  ... on RefundRequested { refund { id reason amount { amountMinor } lines { quantity } } }
  ... on RefundExceedsBalance { code message path refundable { amountMinor } }
  ... on IdempotencyConflict { path }
  ... on NotFound { path }
  ... on InvalidInput { problems { path } }
} } } }`;

type Outcome = { __typename: string; refund?: { id: string; amount: { amountMinor: number } } };
type Result = { succeeded: number; failed: number; items: { index: number; outcome: Outcome }[] };
type Answer = { result: Result; code: unknown; argument: unknown };

const ids = (orderIds: readonly string[]): string[] => orderIds.map((id) => encodeId('order', id));

const ask = async (input: object, contextValue = staff()): Promise<Answer> => {
  const variableValues = { input: { idempotencyKey: newId(), ...input } };
  const { data, errors } = await graphql({ schema, source, contextValue, variableValues });
  const { code, argument } = errors?.[0]?.extensions ?? {};
  if (errors && !code) throw errors[0];
  return { result: (data as { bulkRefund: Result } | null)?.bulkRefund as Result, code, argument };
};

const outcomes = ({ result }: Answer): Outcome[] => result.items.map(({ outcome }) => outcome);
const kinds = (answer: Answer): string[] => outcomes(answer).map(({ __typename }) => __typename);

const refundsOf = async (orderIds: readonly string[]): Promise<number[]> => {
  const rows = await shop.database.sql<{ order_id: string; count: number }>`
    select p.order_id, count(r.id)::int as count from payment p left join refund r on r.payment_id = p.id
    where p.order_id = any(${[...orderIds]}::uuid[]) group by p.order_id`;
  return orderIds.map((id) => rows.find((row) => row.order_id === id)?.count ?? 0);
};

test('three orders are given back with one request, each all of what is left, in the order asked', async () => {
  const orderIds = await sold(3);
  await refundOrder(staff(), {
    key: newId(),
    orderId: orderIds[1]!,
    wish: { lines: null, amount: money(1_000, 'GBP'), reason: null },
  });
  const answer = await ask({ orderIds: ids(orderIds), reason: ' The glaze\u0301 is unsafe ' });
  expect(answer.result).toMatchObject({ succeeded: 3, failed: 0 });
  expect(answer.result.items.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(outcomes(answer).map(({ refund }) => refund?.amount.amountMinor)).toEqual([4_995, 3_995, 4_995]);
  expect(outcomes(answer)[0]).toMatchObject({ refund: { reason: 'The glazé is unsafe', lines: [] } });
  for (const orderId of orderIds) {
    await shop.untilState(orderId, 'REFUNDED');
    const [charge] = await shop.book(orderId);
    expect(charge!.amountRefunded).toBe(4_995);
  }
});

test('what cannot be refunded says why and does not stop the others', async () => {
  const [good, back, free] = (await sold(3)) as [string, string, string];
  await shop.refund(back);
  await shop.untilState(back, 'REFUNDED');
  const held = await shop.authorize(await shop.buyer());
  await shop.untilState(held, 'AUTHORIZED');
  const imported = newId();
  await shop.database.sql`
    insert into payment (id, tenant_id, order_id, provider, provider_key, state, currency, amount_minor,
      authorized_minor, captured_minor, traceparent)
    values (${newId()}, ${tenantId}, ${imported}, 'import', ${`import_${imported}`}, 'CAPTURED', 'GBP', 100, 100, 100, '')`;
  const foreign = await shop.authorize(await shop.buyer());
  await shop.untilState(foreign, 'AUTHORIZED');
  await shop.database.sql`update payment set tenant_id = ${randomUUID()} where order_id = ${foreign}`;

  const answer = await ask({ orderIds: ids([back, good, newId(), held, imported, foreign, free]) });
  expect(answer.result).toMatchObject({ succeeded: 2, failed: 5 });
  const at = (index: number) => ['input', 'orderIds', `${index}`];
  expect(outcomes(answer)).toMatchObject([
    { code: 'REFUND_EXCEEDS_BALANCE', message: 'All of it is back or on its way back.', path: at(0) },
    { refund: { amount: { amountMinor: 4_995 } } },
    { __typename: 'NotFound', path: at(2) },
    { message: 'The money has not been taken.', refundable: { amountMinor: 0 }, path: at(3) },
    { __typename: 'InvalidInput', problems: [{ path: at(4) }] },
    { __typename: 'NotFound', path: at(5) },
    { refund: { amount: { amountMinor: 4_995 } } },
  ]);
  expect(await refundsOf([held, imported, foreign])).toEqual([0, 0, 0]);
});

test('a repetition with the key gives the same refunds, also at the same time and when they are long back', async () => {
  const orderIds = await sold(4);
  const input = { idempotencyKey: newId(), orderIds: ids(orderIds) };
  const [first, second, third] = await Promise.all([ask(input), ask(input), ask(input)]);
  for (const orderId of orderIds) await shop.untilState(orderId, 'REFUNDED');
  const fourth = await ask(input);
  expect(first.result).toMatchObject({ succeeded: 4, failed: 0 });
  expect([second.result, third.result, fourth.result]).toEqual([first.result, first.result, first.result]);
  expect(await refundsOf(orderIds)).toEqual([1, 1, 1, 1]);
});

test('the key with another list or another reason refunds nothing', async () => {
  const [one, two] = (await sold(2)) as [string, string];
  const idempotencyKey = newId();
  await ask({ idempotencyKey, orderIds: ids([one]) });
  for (const other of [
    { orderIds: ids([one, two]) },
    { orderIds: ids([two]) },
    { orderIds: ids([one]), reason: 'x' },
  ]) {
    const answer = await ask({ idempotencyKey, ...other });
    expect(answer.result).toMatchObject({ succeeded: 0, failed: other.orderIds.length });
    expect(new Set(kinds(answer))).toEqual(new Set(['IdempotencyConflict']));
  }
  expect(await refundsOf([one, two])).toEqual([1, 0]);
  // A key is somebody's own.
  const colleague = shop.as(newId(), 'payments:read', 'refunds:write');
  expect(kinds(await ask({ idempotencyKey, orderIds: ids([two]) }, colleague))).toEqual(['RefundRequested']);
});

test('a request that broke off is finished by its repetition, and what was refused is tried again', async () => {
  const [one, two, three] = (await sold(2)).concat(await shop.authorize(await shop.buyer())) as [
    string,
    string,
    string,
  ];
  await shop.untilState(three, 'AUTHORIZED');
  const input = { idempotencyKey: newId(), orderIds: ids([one, two, three]) };
  // The second payment cannot be written for a while: its next version is taken.
  const { id } = await shop.payment(two);
  await shop.database.sql`
    insert into payment_event (payment_id, version, tenant_id, type)
    select id, version + 1, tenant_id, 'in the way' from payment where id = ${id}`;
  await expect(ask(input)).rejects.toThrow('payment_event_pkey');
  expect(await refundsOf([one, two, three])).toEqual([1, 0, 0]);
  await shop.database.sql`update payment set version = version + 1 where id = ${id}`;
  const again = await ask(input);
  expect(kinds(again)).toEqual(['RefundRequested', 'RefundRequested', 'RefundExceedsBalance']);
  await shop.capture(three);
  await shop.untilState(three, 'CAPTURED');
  const last = await ask(input);
  expect(kinds(last)).toEqual(['RefundRequested', 'RefundRequested', 'RefundRequested']);
  expect(outcomes(last).slice(0, 2)).toEqual(outcomes(again).slice(0, 2));
  expect(await refundsOf([one, two, three])).toEqual([1, 1, 1]);
});

test('a list that is empty, too long, doubled or malformed is refused before any order is looked at', async () => {
  const [one] = (await sold(1)) as [string];
  const id = encodeId('order', one);
  const lists: [object, string][] = [
    [{ orderIds: [] }, 'input.orderIds'],
    [{ orderIds: [id, ...ids(Array.from({ length: 100 }, () => newId()))] }, 'input.orderIds'],
    [{ orderIds: [id, encodeId('order', newId()), id] }, 'input.orderIds.2'],
    [{ orderIds: [id, encodeId('payment', one)] }, 'input.orderIds.1'],
    [{ orderIds: [id, one] }, 'input.orderIds.1'],
    [{ orderIds: [id], reason: 'x'.repeat(201) }, 'input.reason'],
    [{ orderIds: [id], idempotencyKey: '' }, 'input.idempotencyKey'],
  ];
  for (const [input, argument] of lists)
    expect(await ask(input)).toMatchObject({ code: 'BAD_USER_INPUT', argument });
  expect(await refundsOf([one])).toEqual([0]);
});

test('a hundred orders are not too many, and each is answered', async () => {
  const answer = await ask({ orderIds: ids(Array.from({ length: 100 }, () => newId())) });
  expect(answer.result).toMatchObject({ succeeded: 0, failed: 100 });
  expect(new Set(kinds(answer))).toEqual(new Set(['NotFound']));
});

test('only those who may refund may do it', async () => {
  const [one] = (await sold(1)) as [string];
  const input = { orderIds: ids([one]) };
  expect((await ask(input, shop.as(null))).code).toBe('UNAUTHENTICATED');
  expect((await ask(input, shop.as(newId()))).code).toBe('FORBIDDEN');
  expect((await ask(input, shop.as(newId(), 'payments:read', 'orders:write'))).code).toBe('FORBIDDEN');
  expect(await refundsOf([one])).toEqual([0]);
});
