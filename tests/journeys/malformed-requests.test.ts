// What no program of ours sends. Each is told what is wrong, by a code; nothing breaks.
import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { graphqlUrl, newPerson, type Person } from './customer.ts';
import { type Body, type Caller, caller, codes, type Headers, told } from './wire.ts';

const { gatewayUrl, subgraphsUrl } = inject('product');

let person: Person;
let jo: Caller;

beforeAll(async () => {
  person = await newPerson();
  jo = caller(person.token);
});

afterAll(async () => {
  for (const url of [gatewayUrl, subgraphsUrl]) expect((await fetch(`${url}/health/ready`)).status).toBe(200);
});

const nested = (depth: number): string =>
  `{ categories { ${'parent { '.repeat(depth)}id${' }'.repeat(depth)} } }`;

/** Each fragment twice the one before. */
const doubling = (depth: number): string => {
  const levels = Array.from(
    { length: depth },
    (_, level) =>
      `fragment F${level} on Category { a${level}: parent { ...F${level + 1} } b${level}: parent { ...F${level + 1} } }`,
  );
  return `{ categories { ...F0 } } ${levels.join(' ')} fragment F${depth} on Category { id }`;
};

const queries: [string, string, number, string][] = [
  ['no GraphQL', '{ me {', 400, 'GRAPHQL_PARSE_FAILED'],
  ['empty', '', 400, 'BAD_USER_INPUT'],
  ['a field that is not there', '{ secrets }', 400, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'another subgraph’s entities asked for through the front',
    '{ _entities(representations: []) { __typename } }',
    400,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'a subgraph’s own schema asked for through the front',
    '{ _service { sdl } }',
    400,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'a text where a number belongs',
    '{ products(first: "many") { totalCount } }',
    400,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'a number beyond 32 bits',
    '{ products(first: 2147483648) { totalCount } }',
    400,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['an argument missing', '{ user { id } }', 400, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'price and customer brought along',
    'mutation { checkout(input: { idempotencyKey: "k", cartId: "c", expectedCartVersion: 1, paymentMethodId: "p", total: 1, customerId: "me" }) { __typename } }',
    400,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'fragments in a circle',
    '{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }',
    400,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'a fragment within itself',
    '{ me { ...A } } fragment A on User { id ...A }',
    400,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['fragments that double forty times', doubling(40), 400, 'QUERY_TOO_COMPLEX'],
  ['twenty levels deep', nested(20), 400, 'QUERY_TOO_COMPLEX'],
  ['four thousand levels deep', nested(4_000), 400, 'QUERY_TOO_COMPLEX'],
  [
    'four thousand aliases',
    `{ ${Array.from({ length: 4_000 }, (_, n) => `a${n}: categories { id }`).join(' ')} }`,
    400,
    'QUERY_TOO_COMPLEX',
  ],
  [
    'thirty-one aliases',
    `{ categories { ${Array.from({ length: 31 }, (_, n) => `a${n}: id`).join(' ')} } }`,
    400,
    'QUERY_TOO_COMPLEX',
  ],
  ['one field a thousand times', `{ categories { ${'id '.repeat(1_000)}} }`, 400, 'QUERY_TOO_COMPLEX'],
  [
    'eleven things at once',
    `{ ${Array.from({ length: 11 }, (_, n) => `a${n}: me { id }`).join(' ')} }`,
    400,
    'QUERY_TOO_COMPLEX',
  ],
  [
    'two guesses of a password in one',
    'mutation { a: login(input: { email: "a@example.com", password: "1" }) { __typename } b: login(input: { email: "a@example.com", password: "2" }) { __typename } }',
    400,
    'QUERY_TOO_COMPLEX',
  ],
  [
    'several operations and no name',
    'query A { me { id } } query B { me { id } }',
    400,
    'OPERATION_RESOLUTION_FAILURE',
  ],
  [
    'a hundred products of the shelf of each of a hundred',
    '{ products(first: 100) { edges { node { category { products(first: 100) { edges { node { name } } } } } } } }',
    400,
    'QUERY_TOO_COMPLEX',
  ],
  ['a subscription over HTTP', 'subscription { myOrdersUpdated { id } }', 400, 'BAD_USER_INPUT'],
];

test.each(queries)('a query is refused at once when it is %s', async (_what, query, status, code) => {
  const began = performance.now();
  const answer = await jo.ask(query);
  expect([answer.status, [...new Set(codes(answer))], answer.data]).toEqual([status, [code], undefined]);
  // Without a load; the worst of them once held the gateway for half a minute.
  expect(performance.now() - began).toBeLessThan(2_000);
});

const products = 'query ($first: Int) { products(first: $first) { totalCount } }';
const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

test.each<[string, Body, Headers, number, string]>([
  ['no JSON', 'query { me }', {}, 400, 'BAD_USER_INPUT'],
  ['nothing', '', {}, 400, 'BAD_USER_INPUT'],
  ['a number', '7', {}, 400, 'BAD_USER_INPUT'],
  [
    'five hundred requests in one',
    JSON.stringify(Array(500).fill({ query: '{ me { id } }' })),
    {},
    400,
    'BAD_USER_INPUT',
  ],
  ['plain text', '{"query":"{ me { id } }"}', { 'content-type': 'text/plain' }, 400, 'BAD_USER_INPUT'],
  [
    'a form',
    'query={me{id}}',
    { 'content-type': 'application/x-www-form-urlencoded' },
    400,
    'BAD_USER_INPUT',
  ],
  [
    'more than 100 KB',
    JSON.stringify({ query: '{ me { id } }', pad: 'x'.repeat(110_000) }),
    {},
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  [
    'two megabytes',
    JSON.stringify({ query: '{ me { id } }', pad: 'x'.repeat(2_000_000) }),
    {},
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  [
    'variables ten thousand levels deep',
    `{"query":"{ me { id } }","variables":${deep(10_000)}}`,
    {},
    400,
    'BAD_USER_INPUT',
  ],
  [
    'a number beyond all numbers',
    `{"query":${JSON.stringify(products)},"variables":{"first":1e309}}`,
    {},
    400,
    'BAD_USER_INPUT',
  ],
  ['bytes that are no text', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), {}, 400, 'BAD_USER_INPUT'],
  [
    'zeros that unpack to a hundred times their size',
    new Uint8Array(gzipSync(Buffer.alloc(1_000_000))),
    { 'content-encoding': 'gzip' },
    400,
    'BAD_USER_INPUT',
  ],
])('a body is refused that is %s', async (_what, body, headers, status, code) => {
  const answer = await jo.post(body, headers);
  expect([answer.status, codes(answer)]).toEqual([status, [code]]);
});

/** Sends a body in pieces, without saying how long it will be. @returns the status, or that the line was cut */
const sendPieces = (megabytes: number): Promise<number | 'cut off'> =>
  new Promise((resolve) => {
    const request = httpRequest(
      graphqlUrl,
      { method: 'POST', headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' } },
      (response) => {
        resolve(response.statusCode!);
        response.resume();
      },
    );
    request.on('error', () => resolve('cut off'));
    const piece = 'x'.repeat(64 * 1024);
    const write = (left: number): void => {
      if (left === 0 || request.destroyed) return void request.end();
      request.write(piece, () => write(left - 1));
    };
    write(megabytes * 16);
  });

test('a body whose length is not told is refused as soon as it is too long', async () => {
  expect(await sendPieces(1)).toBe(413);
  // Who goes on all the same may not get to read the refusal.
  expect([413, 'cut off']).toContain(await sendPieces(40));
});

test('names from JavaScript’s own inside do not reach it', async () => {
  const body =
    '{"query":"{ me { id } }","variables":{"__proto__":{"polluted":1},"constructor":{"prototype":{}}}}';
  expect(await jo.post(body)).toMatchObject({ status: 200, data: { me: { id: person.id } } });
  expect(codes(await jo.ask('{ __proto__ { id } }'))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
});

test('another page’s scripts get no leave to read, and a link changes nothing', async () => {
  const response = await fetch(graphqlUrl, {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  expect(response.headers.get('access-control-allow-origin')).toBeNull();
  const link = await fetch(
    `${graphqlUrl}?query=${encodeURIComponent('mutation { logout(input: { refreshToken: "x" }) { __typename } }')}`,
  );
  expect([link.status, link.headers.get('allow')]).toEqual([405, 'POST']);
});

test('a misspelt or unknown page of the gateway is not there', async () => {
  expect((await told(await fetch(`${gatewayUrl}/admin`))).status).toBe(404);
});
