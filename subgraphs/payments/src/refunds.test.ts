// Staff give money back: by line, by amount, many at once. The bank is the provider's simulator.
import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { graphql } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuthorizePayment } from './messages.ts';
import { createResolvers } from './resolvers.ts';
import { openShop, type Shop } from './test-shop.ts';

let shop: Shop;
let schema: ReturnType<typeof subgraphSchema>;

beforeAll(async () => {
  shop = await openShop();
  schema = subgraphSchema(schemaText(new URL('../', import.meta.url))!, createResolvers(shop.provider));
});
afterAll(() => shop?.close());

type Sale = {
  readonly orderId: string;
  readonly customerId: string;
  readonly cup: string;
  readonly tin: string;
};

/** Three cups at 10.00, two tins at 5.00 and 9.95 for shipping: 49.95. */
const sold = async (token = 'pm_card_visa', isCaptured = true): Promise<Sale> => {
  const { customerId, paymentMethodId } = await shop.buyer(token);
  const [orderId, cup, tin] = [newId(), newId(), newId()];
  const lines = [
    { orderLineId: cup, variantId: newId(), quantity: 3, unitPriceMinor: 1_000 },
    { orderLineId: tin, variantId: newId(), quantity: 2, unitPriceMinor: 500 },
  ];
  const command = { orderId, customerId, paymentMethodId, amountMinor: 4_995, currency: 'GBP', lines };
  await shop.hear(AuthorizePayment(command));
  await shop.untilState(orderId, 'AUTHORIZED');
  if (isCaptured) {
    await shop.capture(orderId);
    await shop.untilState(orderId, 'CAPTURED');
  }
  return { orderId, customerId, cup, tin };
};

const staffId = newId();
const staff = () => shop.as(staffId, 'payments:read', 'refunds:write');

const mutation = `mutation ($input: RefundOrderInput!) { refundOrder(input: $input) {
  __typename
  ... on RefundRequested { refund { id amount { amountMinor } lines { quantity restock amount { amountMinor } } } }
  ... on RefundExceedsBalance { code path refundable { amountMinor } }
  ... on RefundExceedsQuantity { path orderLineId refundableQuantity }
  ... on InvalidInput { problems { path } }
  ... on NotFound { path }
} }`;

type Outcome = { __typename: string; refund?: { id: string }; problems?: { path: string[] }[] };

const ask = async (input: object, ctx = staff()): Promise<Outcome | string> => {
  const { data, errors } = await graphql({
    schema,
    source: mutation,
    contextValue: ctx,
    variableValues: { input: { idempotencyKey: newId(), ...input } },
  });
  if (errors) return String(errors[0]!.extensions.code);
  return (data as { refundOrder: Outcome }).refundOrder;
};

const gbp = (amountMinor: number) => ({ amountMinor, currency: 'GBP' });
const order = ({ orderId }: Sale) => encodeId('order', orderId);
const line = (orderLineId: string, quantity: number, restock = true) => ({
  orderLineId: encodeId('orderLine', orderLineId),
  quantity,
  restock,
});

const settled = ({ orderId }: Sale) =>
  shop.until(async () => Number((await shop.payment(orderId)).refunding_minor) === 0);

const booked = async ({ orderId }: Sale) => {
  const [row] = await shop.database.sql<{ sum: number }>`
    select coalesce(-sum(e.amount_minor), 0)::int as sum from ledger_txn t join ledger_entry e on e.txn_id = t.id
    join payment p on p.id = t.payment_id
    where p.order_id = ${orderId} and e.account = 'provider_clearing' and t.kind = 'REFUND'`;
  return row!.sum;
};

const back = async ({ orderId }: Sale) => {
  const [[charge], { refunded_minor: refunded }] = [await shop.book(orderId), await shop.payment(orderId)];
  return [charge!.amountRefunded, refunded];
};

describe('a refund', () => {
  test('of lines and then of the rest: each is told, what comes back is told once, and all adds up', async () => {
    const sale = await sold();
    const first = await ask({ orderId: order(sale), lines: [line(sale.cup, 2), line(sale.tin, 1, false)] });
    expect(first).toMatchObject({
      __typename: 'RefundRequested',
      refund: { amount: { amountMinor: 2_500 } },
    });
    await settled(sale);
    expect(await back(sale)).toEqual([2_500, 2_500]);
    expect((await shop.payment(sale.orderId)).state).toBe('PARTIALLY_REFUNDED');
    expect(await ask({ orderId: order(sale), amount: gbp(2_495) })).toMatchObject({
      __typename: 'RefundRequested',
    });
    await shop.untilState(sale.orderId, 'REFUNDED');
    expect(await booked(sale)).toBe(4_995);
    const told = (await shop.told(sale.orderId)).slice(2);
    expect(told.map(({ type }) => type)).toEqual([
      'payment.refund-made',
      'inventory.restock',
      'payment.refund-made',
      'payment.refunded',
    ]);
    expect(told[1]!.data).toMatchObject({ lines: [{ quantity: 2 }] });
    expect(told.map(({ data }) => data.amountMinor)).toEqual([2_500, undefined, 2_495, 4_995]);
  });

  test('twenty at once share what was captured', async () => {
    const sale = await sold();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask({ orderId: order(sale), amount: gbp(1_000) })),
    );
    const made = answers.filter((one) => typeof one === 'object' && one.__typename === 'RefundRequested');
    const refused = answers.filter(
      (one) => typeof one === 'object' && one.__typename === 'RefundExceedsBalance',
    );
    expect([made.length, refused.length]).toEqual([4, 16]);
    expect(refused[0]).toMatchObject({ code: 'REFUND_EXCEEDS_BALANCE', refundable: { amountMinor: 995 } });
    await settled(sale);
    expect(await back(sale)).toEqual([4_000, 4_000]);
    expect(await booked(sale)).toBe(4_000);
  });

  test('twenty of one line at once share its pieces', async () => {
    const sale = await sold();
    const lines = [line(sale.cup, 1)];
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ orderId: order(sale), lines })));
    const kinds = answers.map((one) => (typeof one === 'object' ? one.__typename : one));
    expect(kinds.filter((one) => one === 'RefundRequested')).toHaveLength(3);
    expect(kinds.filter((one) => one === 'RefundExceedsQuantity')).toHaveLength(17);
    await settled(sale);
    expect(await back(sale)).toEqual([3_000, 3_000]);
    const told = (await shop.types(sale.orderId)).filter((type) => type === 'inventory.restock');
    expect(told).toHaveLength(3);
  });

  test('with one key is one refund, also at the same time, and another request under it is refused', async () => {
    const sale = await sold();
    const input = { idempotencyKey: newId(), orderId: order(sale), amount: gbp(700) };
    const answers = (await Promise.all([ask(input), ask(input), ask(input)])) as Outcome[];
    expect(new Set(answers.map(({ refund }) => refund?.id)).size).toBe(1);
    expect(await ask({ ...input, amount: gbp(701) })).toMatchObject({ __typename: 'IdempotencyConflict' });
    await settled(sale);
    expect(await back(sale)).toEqual([700, 700]);
  });

  test('that the bank fails is told, books nothing, and its money and pieces are free again', async () => {
    const sale = await sold('pm_card_pendingRefund');
    const lines = [line(sale.cup, 3)];
    const find = async () => {
      const rows = await shop.database.sql<{ state: string; provider_id: string }>`
        select r.state, r.provider_id from refund r join payment p on p.id = r.payment_id
        where p.order_id = ${sale.orderId} order by r.id desc limit 1`;
      return rows[0]!;
    };
    const end = async (status: string) => {
      await shop.until(async () => (await find()).state === 'PENDING');
      await shop.control(`refunds/${(await find()).provider_id}/settle`, { status });
      await settled(sale);
    };
    await ask({ orderId: order(sale), lines });
    expect(await ask({ orderId: order(sale), lines: [line(sale.cup, 1)] })).toMatchObject({
      __typename: 'RefundExceedsQuantity',
      orderLineId: encodeId('orderLine', sale.cup),
      refundableQuantity: 0,
      path: ['input', 'lines', '0', 'quantity'],
    });
    await end('failed');
    expect(await booked(sale)).toBe(0);
    await ask({ orderId: order(sale), lines });
    await end('succeeded');
    expect(await booked(sale)).toBe(3_000);
    expect((await shop.types(sale.orderId)).slice(2)).toEqual([
      'payment.refund-failed',
      'payment.refund-made',
      'inventory.restock',
    ]);
  });

  test('of the rest by the saga leaves to staff what they have begun, and ends when both are back', async () => {
    const sale = await sold();
    await ask({ orderId: order(sale), lines: [line(sale.tin, 2)] });
    await shop.refund(sale.orderId);
    await shop.untilState(sale.orderId, 'REFUNDED');
    expect(await back(sale)).toEqual([4_995, 4_995]);
    const types = (await shop.types(sale.orderId)).slice(2);
    expect(types.filter((type) => type === 'payment.refund-made')).toHaveLength(2);
    expect(types.filter((type) => type === 'payment.refunded')).toHaveLength(1);
  });
});

describe('what cannot be refunded', () => {
  test('is answered with what is wrong, and nothing is half-done', async () => {
    const sale = await sold();
    const id = order(sale);
    const wrong = async (input: object) => {
      const answer = await ask({ orderId: id, ...input });
      return typeof answer === 'string'
        ? answer
        : (answer.problems?.map(({ path }) => path.join('.')) ?? answer);
    };
    expect(await wrong({})).toEqual(['input']);
    expect(await wrong({ lines: [line(sale.cup, 1)], amount: gbp(1) })).toEqual(['input']);
    expect(await wrong({ lines: [] })).toEqual(['input.lines']);
    expect(await wrong({ lines: [line(sale.cup, 0), line(sale.tin, -1)] })).toEqual([
      'input.lines.0.quantity',
      'input.lines.1.quantity',
    ]);
    expect(await wrong({ lines: [line(sale.cup, 1), line(sale.cup, 1)] })).toEqual([
      'input.lines.1.orderLineId',
    ]);
    expect(await wrong({ lines: [line(sale.cup, 1), line(newId(), 1)] })).toEqual([
      'input.lines.1.orderLineId',
    ]);
    expect(await wrong({ amount: gbp(0) })).toEqual(['input.amount.amountMinor']);
    expect(await wrong({ amount: gbp(-5) })).toEqual(['input.amount.amountMinor']);
    expect(await wrong({ amount: { amountMinor: 5, currency: 'EUR' } })).toEqual(['input.amount.currency']);
    expect(await wrong({ amount: gbp(4_996) })).toMatchObject({ refundable: { amountMinor: 4_995 } });
    expect(await wrong({ lines: [{ ...line(sale.cup, 1), orderLineId: id }] })).toBe('BAD_USER_INPUT');
    expect(await shop.payment(sale.orderId)).toMatchObject({ refunding_minor: 0, refunded_minor: 0 });
    expect(
      await shop.database
        .sql`select 1 from refund where payment_id = ${(await shop.payment(sale.orderId)).id}`,
    ).toEqual([]);
  });

  test('is money that was not taken yet, or not here', async () => {
    const sale = await sold('pm_card_visa', false);
    expect(await ask({ orderId: order(sale), amount: gbp(1) })).toMatchObject({
      __typename: 'RefundExceedsBalance',
      refundable: { amountMinor: 0 },
    });
    const [id, orderId] = [newId(), newId()];
    const { tenantId } = staff().viewer;
    await shop.database.sql`
      insert into payment (id, tenant_id, order_id, provider, provider_key, state, currency, amount_minor,
        authorized_minor, captured_minor, traceparent)
      values (${id}, ${tenantId}, ${orderId}, 'import', ${`import_${orderId}`}, 'CAPTURED', 'GBP', 100, 100, 100, '')`;
    expect(await ask({ orderId: encodeId('order', orderId), amount: gbp(1) })).toMatchObject({
      problems: [{ path: ['input', 'orderId'] }],
    });
    expect(await shop.as(null).loaders.payment.load(id)).toBeNull();
  });

  test('is anything by those who may not, and an order that nobody paid for is not found', async () => {
    const sale = await sold();
    const input = { orderId: order(sale), amount: gbp(1) };
    expect(await ask(input, shop.as(null))).toBe('UNAUTHENTICATED');
    expect(await ask(input, shop.as(sale.customerId))).toBe('FORBIDDEN');
    expect(await ask(input, shop.as(newId(), 'payments:read'))).toBe('FORBIDDEN');
    expect(await ask({ ...input, orderId: encodeId('order', newId()) })).toMatchObject({
      __typename: 'NotFound',
      path: ['input', 'orderId'],
    });
  });
});

test('what is refunded of a line is seen by its customer and by staff only', async () => {
  const sale = await sold();
  await ask({ orderId: order(sale), lines: [line(sale.cup, 2)] });
  await settled(sale);
  const source = `query ($refs: [_Any!]!) { _entities(representations: $refs) {
    ... on OrderLine { refundedQuantity refundedAmount { amountMinor } }
    ... on Order { refunds { status lines { quantity orderLine { id } } } } } }`;
  const refs = [
    { __typename: 'OrderLine', id: encodeId('orderLine', sale.cup) },
    { __typename: 'OrderLine', id: encodeId('orderLine', sale.tin) },
    { __typename: 'Order', id: order(sale) },
  ];
  const see = async (ctx: ReturnType<typeof staff>) =>
    (await graphql({ schema, source, contextValue: ctx, variableValues: { refs } })).data?._entities;
  const orderLine = { id: encodeId('orderLine', sale.cup) };
  const seen = [
    { refundedQuantity: 2, refundedAmount: { amountMinor: 2_000 } },
    { refundedQuantity: 0, refundedAmount: { amountMinor: 0 } },
    { refunds: [{ status: 'SUCCEEDED', lines: [{ quantity: 2, orderLine }] }] },
  ];
  expect(await see(shop.as(sale.customerId))).toEqual(seen);
  expect(await see(staff())).toEqual(seen);
  const hidden = { refundedQuantity: null, refundedAmount: null };
  expect(await see(shop.as(newId()))).toEqual([hidden, hidden, { refunds: null }]);
});
