import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ada, openShop, type Shop } from './fixture-shop.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
  shop.put({ id: 'o1', version: 1, note: 'first', customer: { id: ada } });
});
afterAll(() => shop.close());
beforeEach(() => {
  shop.orders.heard.length = 0;
});

const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(`${shop.gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });

test.each([
  ['as a literal', '{orders(placedFrom: "yesterday") {id}}', undefined, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'in a variable',
    'query ($at: DateTime) {orders(placedFrom: $at) {id}}',
    { at: 'yesterday' },
    'BAD_USER_INPUT',
  ],
  ['as a number too large', 'query ($n: Long) {orders(atLeast: $n) {id}}', { n: 2 ** 60 }, 'BAD_USER_INPUT'],
  ['that is not known', '{orders(colour: "red") {id}}', undefined, 'GRAPHQL_VALIDATION_FAILED'],
  ['of the wrong type', 'query ($id: ID!) {order(id: $id) {id}}', { id: { x: 1 } }, 'BAD_USER_INPUT'],
])("an argument %s is the caller's fault and reaches no subgraph", async (_name, query, variables, code) => {
  const { status, body } = await shop.ask(query, variables);
  expect(status).toBe(200);
  expect(body.data).toBeUndefined();
  expect(body.errors![0]!.extensions).toMatchObject({ code, retryable: false, traceId: expect.any(String) });
  expect(shop.orders.heard).toHaveLength(0);
});

test('a large wrong variable is not sent back', async () => {
  const id = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, 1]));
  const { status, body } = await shop.ask('query ($id: ID!) {order(id: $id) {id}}', { id });
  expect(status).toBe(200);
  expect(body.data).toBeUndefined();
  expect(JSON.stringify(body).length).toBeLessThan(1_000);
});

const bad: [string, string, Record<string, string>, number, string][] = [
  ['no JSON', '{"query":', {}, 400, 'BAD_USER_INPUT'],
  ['no GraphQL', '{"query":"{"}', {}, 200, 'GRAPHQL_PARSE_FAILED'],
  ['no query', '{}', {}, 400, 'BAD_USER_INPUT'],
  ['a query that is a list', '{"query":[]}', {}, 400, 'BAD_USER_INPUT'],
  ['variables that are a list', '{"query":"{me{id}}","variables":[1]}', {}, 400, 'BAD_USER_INPUT'],
  ['a batch of 500', JSON.stringify(Array(500).fill({ query: '{me{id}}' })), {}, 400, 'BAD_USER_INPUT'],
  [
    'variables 10,000 levels deep',
    `{"query":"{me{id}}","variables":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_001)}`,
    {},
    400,
    'BAD_USER_INPUT',
  ],
  [
    'a form',
    'query={me{id}}',
    { 'content-type': 'application/x-www-form-urlencoded' },
    400,
    'BAD_USER_INPUT',
  ],
  [
    'plain text, as a foreign page may send it',
    '{"query":"{me{id}}"}',
    { 'content-type': 'text/plain' },
    400,
    'BAD_USER_INPUT',
  ],
  [
    'a hash instead of a query',
    `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'a'.repeat(64)}"}}}`,
    {},
    200,
    'PERSISTED_QUERY_NOT_FOUND',
  ],
  [
    'a cyclic query',
    '{"query":"{order(id:1){...F}} fragment F on Order{...G} fragment G on Order{...F}"}',
    {},
    200,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'an operation that is not there',
    '{"query":"query A{me{id}}","operationName":"B"}',
    {},
    200,
    'OPERATION_RESOLUTION_FAILURE',
  ],
  [
    'a subscription with a condition at its root',
    '{"query":"query A{me{id}} subscription B($v:Boolean!){orderFeed @skip(if:$v){id}}","operationName":"A"}',
    {},
    400,
    'BAD_USER_INPUT',
  ],
  [
    'several operations and no name',
    '{"query":"query A{me{id}} query B{me{id}}"}',
    {},
    200,
    'OPERATION_RESOLUTION_FAILURE',
  ],
  ['a subscription', '{"query":"subscription{orderFeed{id}}"}', {}, 200, 'BAD_USER_INPUT'],
  [
    'the entities of a subgraph',
    '{"query":"{_entities(representations:[]){__typename}}"}',
    {},
    200,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['too deep a query', `{"query":"${'{a'.repeat(16)}${'}'.repeat(16)}"}`, {}, 400, 'QUERY_TOO_COMPLEX'],
  [
    'two checkouts',
    '{"query":"mutation{a:checkout(input:{cartId:1}){__typename} b:checkout(input:{cartId:1}){__typename}}"}',
    {},
    400,
    'QUERY_TOO_COMPLEX',
  ],
  [
    'a body of 101 KiB',
    JSON.stringify({ query: '{me{id}}', x: 'x'.repeat(101 * 1024) }),
    {},
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  ['a body of 2 MB', 'x'.repeat(2_000_000), {}, 413, 'PAYLOAD_TOO_LARGE'],
];

test.each(bad)('%s gets a typed refusal', async (_name, body, headers, status, code) => {
  const response = await post(body, headers);
  const answer = (await response.json()) as { errors: { extensions: object }[] };
  expect({ status: response.status, extensions: answer.errors[0]!.extensions }).toEqual({
    status,
    extensions: expect.objectContaining({ code, traceId: expect.any(String) }),
  });
  expect(shop.orders.heard).toHaveLength(0);
});

test('a body that never says how long it is, is cut off at the limit all the same', async () => {
  const { hostname, port } = new URL(shop.gateway.url);
  const status = await new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const request = httpRequest({ hostname, port, path: '/graphql', method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject);
    for (let i = 0; i < 40; i++) request.write('x'.repeat(10_000));
    request.end();
  });
  expect(status).toBe(413);
});

test('keys of prototypes in variables go nowhere', async () => {
  const body =
    '{"query":"query($id: ID!){order(id:$id){note}}","variables":{"id":"o1","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}';
  expect(await (await post(body)).json()).toEqual({ data: { order: { note: 'first' } } });
  expect('polluted' in {}).toBe(false);
});
