import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { type GraphQLSchema, graphql } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from './context.ts';
import { createProvider } from './provider.ts';
import { createResolvers } from './resolvers.ts';
import { openShop, type Shop } from './test-shop.ts';

let shop: Shop;
let schema: GraphQLSchema;

const schemaWith = (provider: Shop['provider']): GraphQLSchema =>
  subgraphSchema(schemaText(new URL('../', import.meta.url))!, createResolvers(provider));

beforeAll(async () => {
  shop = await openShop();
  schema = schemaWith(shop.provider);
});
afterAll(() => shop.close());

type Answer = { data: Record<string, never> | null | undefined; code: unknown; argument: unknown };

const ask = async (
  contextValue: Context,
  source: string,
  variableValues = {},
  of = schema,
): Promise<Answer> => {
  const { data, errors } = await graphql({ schema: of, source, contextValue, variableValues });
  const { code, argument } = errors?.[0]?.extensions ?? {};
  if (errors && !code) throw errors[0];
  return { data: data as Answer['data'], code, argument };
};

const add = `mutation ($token: String!) {
  addPaymentMethod(input: { providerToken: $token }) {
    __typename
    ... on PaymentMethodAdded { method { id kind brand last4 } }
    ... on PaymentMethodRefused { code message path }
    ... on InvalidInput { code problems { path message } }
  }
}`;

const remove = `mutation ($id: ID!) {
  removePaymentMethod(input: { id: $id }) { __typename ... on PaymentMethodRemoved { id } ... on NotFound { code path } }
}`;

const entities = (type: string, fields: string) =>
  `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on ${type} { ${fields} } } }`;

const methodsOf = async (ctx: Context, userId: string) => {
  const refs = [{ __typename: 'User', id: encodeId('user', userId) }];
  const { data } = await ask(ctx, entities('User', 'paymentMethods { id last4 }'), { refs });
  return (data as unknown as { _entities: [{ paymentMethods: unknown[] | null }] })._entities[0]
    .paymentMethods;
};

describe('payment methods', () => {
  test('a customer keeps a card, sees its last digits and removes it; the provider forgets it, too', async () => {
    const userId = newId();
    const added = await ask(shop.as(userId), add, { token: 'pm_card_mastercard' });
    expect(added.data).toMatchObject({
      addPaymentMethod: { method: { kind: 'card', brand: 'mastercard', last4: '4444' } },
    });
    const { id } = (added.data as never as { addPaymentMethod: { method: { id: string } } }).addPaymentMethod
      .method;
    expect(await methodsOf(shop.as(userId), userId)).toEqual([{ id, last4: '4444' }]);

    expect((await ask(shop.as(newId()), remove, { id })).data).toMatchObject({
      removePaymentMethod: { __typename: 'NotFound', path: ['input', 'id'] },
    });
    expect((await ask(shop.as(userId), remove, { id })).data).toEqual({
      removePaymentMethod: { __typename: 'PaymentMethodRemoved', id },
    });
    expect((await ask(shop.as(userId), remove, { id })).data).toMatchObject({
      removePaymentMethod: { __typename: 'NotFound' },
    });
    expect(await methodsOf(shop.as(userId), userId)).toEqual([]);
    await shop.forgetMethods();
    const [row] = await shop.database.sql<{ provider_id: string; detached_at: Date }>`
      select provider_id, detached_at from payment_method where user_id = ${userId}`;
    expect(row?.detached_at).toBeInstanceOf(Date);
    const again = await shop.provider.detach(row!.provider_id);
    expect(again.kind).toBe('refused');
  });

  test('a card that the bank does not let the shop keep is refused with its reason', async () => {
    const answer = await ask(shop.as(newId()), add, { token: 'pm_card_chargeDeclinedInsufficientFunds' });
    expect(answer.data).toMatchObject({
      addPaymentMethod: {
        __typename: 'PaymentMethodRefused',
        code: 'PAYMENT_METHOD_REFUSED',
        message: 'The card has insufficient funds.',
        path: ['input', 'providerToken'],
      },
    });
  });

  test('a token the provider does not know is refused', async () => {
    const answer = await ask(shop.as(newId()), add, { token: 'pm_1NoSuchMethodAnywhere' });
    expect(answer.data).toMatchObject({ addPaymentMethod: { __typename: 'PaymentMethodRefused' } });
  });

  test('a card number is refused before anything is done with it', async () => {
    const userId = newId();
    const answer = await ask(shop.as(userId), add, { token: '4242 4242 4242 4242' });
    expect(answer.data).toMatchObject({
      addPaymentMethod: {
        code: 'INVALID_INPUT',
        problems: [{ path: ['input', 'providerToken'], message: 'Card numbers are not accepted here.' }],
      },
    });
    expect(JSON.stringify(answer)).not.toContain('4242');
    expect(await shop.database.sql`select 1 from customer where user_id = ${userId}`).toEqual([]);
  });

  test('two cards added at once belong to one customer at the provider', async () => {
    const userId = newId();
    await Promise.all(['pm_card_visa', 'pm_card_amex'].map((token) => ask(shop.as(userId), add, { token })));
    expect(await methodsOf(shop.as(userId), userId)).toHaveLength(2);
  });

  test('a provider that does not answer in time is an error worth repeating', async () => {
    const slow = schemaWith(createProvider({ apiKey: shop.apiKey, url: shop.simulatorUrl, timeoutMs: 150 }));
    await shop.faults({ slowMs: { ms: 600, count: 1, path: '/v1/customers' } });
    const userId = newId();
    expect((await ask(shop.as(userId), add, { token: 'pm_card_visa' }, slow)).code).toBe(
      'SUBGRAPH_UNAVAILABLE',
    );
    // The first call still runs at the provider for a moment, and holds its key.
    await shop.until(
      async () => (await ask(shop.as(userId), add, { token: 'pm_card_visa' })).code === undefined,
    );
    expect(await methodsOf(shop.as(userId), userId)).toHaveLength(1);
  });

  test('nobody adds or removes without being signed in, and an id of another kind is named', async () => {
    const id = encodeId('paymentMethod', newId());
    expect((await ask(shop.as(null), add, { token: 'pm_card_visa' })).code).toBe('UNAUTHENTICATED');
    expect((await ask(shop.as(null), remove, { id })).code).toBe('UNAUTHENTICATED');
    expect(await ask(shop.as(newId()), remove, { id: encodeId('order', newId()) })).toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: 'input.id',
    });
  });

  test('methods are seen by their owner and by staff only, also as entities', async () => {
    const { customerId, paymentMethodId } = await shop.buyer();
    expect(await methodsOf(shop.as(newId()), customerId)).toBeNull();
    expect(await methodsOf(shop.as(null), customerId)).toBeNull();
    expect(await methodsOf(shop.as(newId(), 'payments:read'), customerId)).toHaveLength(1);
    const refs = [
      { __typename: 'PaymentMethod', id: encodeId('paymentMethod', paymentMethodId) },
      { __typename: 'PaymentMethod', id: encodeId('payment', paymentMethodId) },
    ];
    const query = entities('PaymentMethod', 'last4');
    expect((await ask(shop.as(customerId), query, { refs })).data).toEqual({
      _entities: [{ last4: '4242' }, null],
    });
    expect((await ask(shop.as(newId()), query, { refs })).data).toEqual({ _entities: [null, null] });
  });
});

describe('the payments of an order', () => {
  const fields = `payments {
    id status failureReason method { last4 } authorized { amountMinor currency } captured { amountMinor }
    refunded { amountMinor } refundable { formatted } events { type amount { amountMinor } providerReference }
  } refunds { status amount { amountMinor } reason } balance { amountMinor }`;

  const orders = async (ctx: Context, ...orderIds: string[]) => {
    const refs = orderIds.map((id) => ({ __typename: 'Order', id: encodeId('order', id) }));
    const { data } = await ask(ctx, entities('Order', fields), { refs });
    return (data as unknown as { _entities: Record<string, never>[] })._entities;
  };

  test('tell the customer what was held, taken and given back', async () => {
    const buyer = await shop.buyer();
    const orderId = await shop.authorize(buyer);
    await shop.untilState(orderId, 'AUTHORIZED');
    const [held] = await orders(shop.as(buyer.customerId), orderId);
    expect(held).toMatchObject({
      payments: [
        {
          status: 'AUTHORIZED',
          method: { last4: '4242' },
          authorized: { amountMinor: 4_995, currency: 'GBP' },
          captured: { amountMinor: 0 },
          events: [{ type: 'requested', providerReference: null }, { type: 'authorized' }],
        },
      ],
      refunds: [],
      balance: { amountMinor: 0 },
    });
    const [intent] = await shop.book(orderId);
    await shop.control(`payment_intents/${intent!.id}/capture`, {});
    await shop.untilState(orderId, 'CAPTURED');
    expect((await orders(shop.as(buyer.customerId), orderId))[0]).toMatchObject({
      payments: [{ status: 'CAPTURED', refundable: { formatted: '£49.95' } }],
      balance: { amountMinor: 4_995 },
    });
    await shop.refund(orderId);
    await shop.untilState(orderId, 'REFUNDED');
    expect((await orders(shop.as(buyer.customerId), orderId))[0]).toMatchObject({
      payments: [{ status: 'REFUNDED', refundable: { formatted: '£0.00' } }],
      refunds: [{ status: 'SUCCEEDED', amount: { amountMinor: 4_995 }, reason: 'cancelled' }],
      balance: { amountMinor: 0 },
    });
  });

  test('are hidden from others as if there were none, and shown to staff', async () => {
    const orderId = await shop.authorize(await shop.buyer());
    const nobody = { payments: null, refunds: null, balance: null };
    expect(await orders(shop.as(newId()), orderId, newId())).toEqual([nobody, nobody]);
    expect(await orders(shop.as(null), orderId)).toEqual([nobody]);
    const [seen, none] = await orders(shop.as(newId(), 'payments:read'), orderId, newId());
    expect(seen).toMatchObject({ payments: [{ status: 'AUTHORIZING' }] });
    expect(none).toEqual({ payments: [], refunds: [], balance: null });
  });

  test('cost as many statements for twenty orders as for one', async () => {
    const buyer = await shop.buyer();
    const orderIds = await Promise.all(Array.from({ length: 20 }, () => shop.authorize(buyer)));
    const count = async (...ids: string[]) => {
      const before = shop.database.statements();
      await orders(shop.as(buyer.customerId), ...ids);
      return shop.database.statements() - before;
    };
    const one = await count(orderIds[0]!);
    expect(one).toBeGreaterThan(0);
    expect(await count(...orderIds)).toBe(one);
  });

  test('by id: the customer’s own, nothing for others and unknown ones, an error for another kind', async () => {
    const buyer = await shop.buyer();
    const orderId = await shop.authorize(buyer);
    const { id } = await shop.payment(orderId);
    const query = 'query ($id: ID!) { payment(id: $id) { status } }';
    const variables = { id: encodeId('payment', id) };
    expect((await ask(shop.as(buyer.customerId), query, variables)).data).toEqual({
      payment: { status: 'AUTHORIZING' },
    });
    expect((await ask(shop.as(newId()), query, variables)).data).toEqual({ payment: null });
    expect((await ask(shop.as(newId()), query, { id: encodeId('payment', newId()) })).data).toEqual({
      payment: null,
    });
    for (const bad of [encodeId('order', id), id, '', "' or 1=1 --"])
      expect((await ask(shop.as(buyer.customerId), query, { id: bad })).code).toBe('BAD_USER_INPUT');
    const refs = [{ __typename: 'Payment', id: encodeId('payment', id) }];
    expect((await ask(shop.as(newId()), entities('Payment', 'status'), { refs })).data).toEqual({
      _entities: [null],
    });
  });
});
