// Bad requests to the gateway by itself, started as its users start it.
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bookshop, openBookshop, partnerKey, wellAnswered, wellAsked, words } from './bookshop.ts';
import { accept, asked, type Input } from './input.ts';
import { inputsIn } from './inputs.ts';
import { expectTold, judge, wellBy } from './judgement.ts';
import { type MeteredGateway, startMetered } from './metered-gateway.ts';
import { bytesOf, say } from './raw-http.ts';

let bookshop: Bookshop;
let gateway: MeteredGateway;
let agreed: MeteredGateway;
let isWell: () => Promise<void>;

beforeAll(async () => {
  bookshop = await openBookshop();
  const file = 'gateway/src/standalone/main.ts';
  [gateway, agreed] = await Promise.all([
    startMetered({ file, args: bookshop.args }),
    startMetered({ file, args: bookshop.argsWithPartners }),
  ]);
  isWell = wellBy(gateway, wellAsked, wellAnswered);
  await isWell();
});
afterAll(async () => {
  await Promise.all([gateway?.stop(), agreed?.stop()]);
  await bookshop?.close();
});

const inputs = inputsIn(words).map((input) => [input.number, input.what, input] as const);

test.each(inputs)('%i: %s is told what is wrong, in no time', async (_number, _what, input) => {
  await judge(gateway, input, isWell);
});

test('what is refused reaches no subgraph', async () => {
  const before = bookshop.heard();
  const refused = inputsIn(words).filter(({ expected }) => !expected.status.includes(200));
  expect(refused.length).toBeGreaterThan(30);
  for (const { pieces } of refused) await say(gateway.url, pieces(1));
  expect(bookshop.heard()).toBe(before);
});

test('a misspelt name is not helped with', async () => {
  const { text } = await say(gateway.url, [
    bytesOf({ body: JSON.stringify({ query: `{ ${words.misspelt[0]} }` }) }),
  ]);
  expect(text).toContain(words.misspelt[0]);
  expect(text).not.toMatch(new RegExp(`Did you mean|"${words.misspelt[1]}"`));
});

test('names of prototypes leave nothing behind', async () => {
  const body = '{"query":"{ books { __proto__: title } }","variables":{"__proto__":{"polluted":1}}}';
  const { text } = await say(gateway.url, [bytesOf({ body })]);
  expect(text).toContain('{"__proto__":"Volume 0"}');
  await isWell();
});

const takings = JSON.stringify({ query: '{ takings }' });
const publicBytes = (): string => JSON.stringify(bookshop.issuer.published);

/** Tokens that would have been good, if not for one thing. */
const forged: [string, () => Promise<string> | string][] = [
  ['for partners', () => bookshop.issuer.sign('partners')],
  ['that has expired', () => bookshop.issuer.sign('readers', '-1m')],
  ['by the right key under another name', () => bookshop.issuer.sign('readers', '10m', 'two')],
  ['by the right key under a path', () => bookshop.issuer.sign('readers', '10m', '../../keys.json')],
  [
    'whose secret is the public key',
    async () => {
      const [, claims] = (await bookshop.issuer.sign()).split('.');
      const head = Buffer.from('{"alg":"HS256","kid":"one"}').toString('base64url');
      const signature = createHmac('sha256', publicBytes()).update(`${head}.${claims}`).digest('base64url');
      return `${head}.${claims}.${signature}`;
    },
  ],
  [
    'whose claims were changed',
    async () => {
      const [head, , signature] = (await bookshop.issuer.sign()).split('.');
      const claims = { sub: 'root', iss: 'bookshop', aud: 'readers', exp: 4_000_000_000 };
      return `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    },
  ],
];

test.each(forged)('28: a token %s is refused, whatever is asked', async (what, make) => {
  const token = await make();
  const good = await bookshop.issuer.sign();
  const ask = (authorization: string) =>
    say(gateway.url, asked({ body: takings, headers: { authorization: `Bearer ${authorization}` } }));
  expect((await ask(good)).text).toContain('{"data":{"takings":7}}');
  const input: Input = {
    number: 28,
    what,
    pieces: () => asked({ body: takings, headers: { authorization: `Bearer ${token}` } }),
    expected: { status: [401], codes: ['UNAUTHENTICATED'] },
  };
  await judge(gateway, input, isWell);
});

test.each<[string, object]>([
  ['a text', { query: '{ books { title } }' }],
  ['its own text, word for word', { query: 'query Titles { books { title } }' }],
  ['an operation of another partner', { id: 'bolt' }],
  ['an operation of nobody', { id: 'x'.repeat(1_000) }],
  ['an operation of its own together with a text', { id: 'acme', query: '{ books { id } }' }],
  ['a name of every object', { id: '__proto__' }],
  ['a hash', { extensions: { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } } }],
])('38: a partner that asks for %s is refused', async (what, body) => {
  const headers = { 'x-api-key': partnerKey };
  const own = await say(agreed.url, asked({ body: '{"id":"acme"}', headers }));
  expect(own.text).toContain('{"title":"Volume 0"}');
  const input: Input = {
    number: 38,
    what,
    pieces: () => asked({ body: JSON.stringify(body), headers }),
    expected: { status: [400], codes: ['PERSISTED_QUERY_REQUIRED'] },
  };
  await judge(agreed, input, wellBy(agreed, wellAsked, wellAnswered));
});

test.each([
  ['of nobody', `bolt.${'s'.repeat(40)}`],
  ['with another ending', `${partnerKey}s`],
  ['that is only its beginning', 'acme_prefix'],
  ['of nine thousand letters', `acme_prefix.${'s'.repeat(9_000)}`],
])('38: a key %s is refused', async (what, key) => {
  const input: Input = {
    number: 38,
    what,
    pieces: () => asked({ body: '{"id":"acme"}', headers: { 'x-api-key': key } }),
    expected: { status: [401], codes: ['UNAUTHENTICATED'] },
  };
  await judge(agreed, input, wellBy(agreed, wellAsked, wellAnswered));
});

test('39: a page of another origin gets no leave, neither before it asks nor when it has asked', async () => {
  const allowed = async (method: string, origin: string): Promise<string[]> => {
    const body = method === 'POST' ? JSON.stringify({ query: wellAsked }) : undefined;
    const headers = { ...accept, origin, 'access-control-request-method': 'POST' };
    const { text } = await say(gateway.url, [bytesOf({ method, headers, ...(body && { body }) })]);
    return [...text.matchAll(/^(access-control-allow-[\w-]+):/gim)].map(([, name]) => name!.toLowerCase());
  };
  for (const method of ['OPTIONS', 'POST'])
    for (const origin of ['https://evil.example', 'null', 'https://shop.example.evil.example'])
      expect([method, origin, await allowed(method, origin)]).toEqual([method, origin, []]);
  for (const method of ['OPTIONS', 'POST'])
    expect(await allowed(method, 'https://shop.example')).toContain('access-control-allow-origin');
});

const head = 'POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n';
const request = JSON.stringify({ query: wellAsked });

test.each<[string, string[], number]>([
  ['what is no HTTP', ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n'], 400],
  ['two lengths', [`${head}content-length: 5\r\ncontent-length: ${request.length}\r\n\r\n`, request], 400],
  [
    'a length and pieces as well',
    [`${head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n`, `0\r\n\r\n${head}\r\n`],
    400,
  ],
  ['a length below nothing', [`${head}content-length: -1\r\n\r\n`], 400],
  ['a length that is no number', [`${head}content-length: 1e3\r\n\r\n`], 400],
  ['a piece whose length is no number', [`${head}transfer-encoding: chunked\r\n\r\n`, 'xyz\r\n'], 400],
  ['headers by the hundred kilobytes', [`${head}x-a: ${'a'.repeat(100_000)}\r\n\r\n`], 431],
  ['headers by the thousand', [`${head}${'x-a: 1\r\n'.repeat(4_000)}\r\n`], 431],
  ['a header folded into another', [`${head}x-a: 1\r\n\tx-b: 2\r\n bad\0: 1\r\n\r\n`], 400],
  [
    'an address of ninety kilobytes',
    [`GET /graphql?query=${'a'.repeat(90_000)} HTTP/1.1\r\nhost: g\r\n\r\n`],
    431,
  ],
])('a line with %s is answered or cut, and the next one served', async (_what, pieces, status) => {
  const heard = await say(gateway.url, pieces);
  expect([status, null]).toContain(heard.status);
  await isWell();
});

test('two requests behind one head are two answers, each whose it is', async () => {
  const one = (query: string): Buffer =>
    bytesOf({ body: JSON.stringify({ query }), headers: { connection: 'keep-alive' } });
  const heard = await say(gateway.url, [
    Buffer.concat([one('{ book(id: 1) { title } }'), one('{ book(id: 2) { title } }')]),
  ]);
  expectTold(heard, { status: [200], codes: [] });
  expect(heard.text.indexOf('Volume 1')).toBeGreaterThan(0);
  expect(heard.text).not.toMatch(/Volume 2.*Volume 1/s);
});

test('lines that begin a request and never end it keep nobody else from being served', async () => {
  const patience = { patienceMs: 2_000 };
  const slow = Array.from({ length: 200 }, (_, at) =>
    say(gateway.url, at % 2 === 0 ? [head] : [`${head}content-length: 100\r\n\r\n{"query":`], patience),
  );
  for (let time = 0; time < 20; time++) await isWell();
  const heard = await Promise.all(slow);
  expect(heard.filter(({ status }) => status !== null && status !== 408)).toEqual([]);
});
