// What partners see of the shop: goods, what of them is there, and the orders that they have to do with.
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { accepted } from '../../ops/operations/client.ts';
import {
  CreateApiClientDocument,
  SetApiClientOperationsDocument,
} from '../../ops/operations/generated/graphql.ts';
import { type Good, shelf } from './books.ts';
import { buy, type Customer, graphqlUrl, newCustomer, signIn } from './customer.ts';
import { type Answer, codes, postTo } from './wire.ts';

const contractUrl = new URL('/partner/graphql', graphqlUrl).href;
const ask = (query: string): Promise<Answer> => postTo(contractUrl, JSON.stringify({ query }));

let customer: Customer;
let goods: Good[];
beforeAll(async () => {
  [customer, goods] = await Promise.all([newCustomer(), shelf(17)]);
});

test('goods are shown with their price and whether they are there', async () => {
  const { id } = goods[0]!;
  const { data, errors } = await ask(
    `{ variant(id: "${id}") { sku listPrice { amountMinor } availability product { name category { name } } } }`,
  );
  expect(errors).toEqual([]);
  expect(data).toMatchObject({
    variant: { availability: 'IN_STOCK', product: { name: expect.any(String) } },
  });
});

test.each([
  ['who somebody is', '{ me { id } }'],
  ['what people think', '{ products(first: 1) { edges { node { reviews { totalCount } } } } }'],
  ['whose an order is', '{ order(number: "N-2026-0000001") { customer { id } } }'],
  ['where an order goes', '{ order(number: "N-2026-0000001") { shippingAddress { city } } }'],
  ['how risky an order is', '{ order(number: "N-2026-0000001") { fraudAssessment { score } } }'],
  ['entities by their key', '{ node(id: "x") { id } }'],
])('nothing is known there of %s', async (_what, query) => {
  const answer = await ask(query);
  expect([answer.status, codes(answer)]).toEqual([400, ['GRAPHQL_VALIDATION_FAILED']]);
});

test('nothing can be changed or followed there', async () => {
  for (const query of [
    'mutation { logout(input: { refreshToken: "x" }) { __typename } }',
    'subscription { myOrdersUpdated { id } }',
  ]) {
    const answer = await ask(query);
    expect([answer.status, codes(answer)]).toEqual([400, ['BAD_USER_INPUT']]);
  }
});

test('a program with the scope sees an order, one without does not, and neither what is not in the contract', async () => {
  const admin = await signIn('admin');
  const { id } = await buy(customer, goods[0]!);
  const operations = {
    order: 'query Order($id: ID!) { order(id: $id) { number lines { quantity } } }',
    address: 'query Address($id: ID!) { order(id: $id) { shippingAddress { city } } }',
  };
  const program = async (scopes: string[]) => {
    const { createApiClient } = await admin.client.send(CreateApiClientDocument, {
      input: { idempotencyKey: randomUUID(), name: `Partner ${randomUUID()}`, scopes },
    });
    const { client, key } = accepted(createApiClient, 'ApiClientCreated');
    const manifest = JSON.stringify(operations);
    await admin.client.send(SetApiClientOperationsDocument, {
      input: { idempotencyKey: randomUUID(), id: client.id, manifest },
    });
    return (operation: keyof typeof operations) =>
      postTo(contractUrl, JSON.stringify({ id: operation, variables: { id } }), { 'x-api-key': key! });
  };
  const [reader, other] = await Promise.all([program(['orders:read']), program([])]);
  expect(await reader('order')).toMatchObject({ data: { order: { lines: [{ quantity: 1 }] } }, errors: [] });
  expect(await other('order')).toMatchObject({ data: { order: null }, errors: [] });
  for (const one of [reader, other])
    expect(codes(await one('address'))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
});
