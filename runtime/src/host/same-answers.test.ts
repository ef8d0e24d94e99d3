// What is answered the short way is answered as @apollo/server answers it: every operation of the table is sent to a
// host that has never seen it, to the same host again, and to one that knows no short way.
import { ApolloServer } from '@apollo/server';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
// @boundaries-ignore tests share databases and services
import { type Answer, type Served, serveShelf } from '../../../tests/shelf/served.ts';

let short: Served;
let plain: Served;
beforeAll(async () => {
  [short, plain] = await Promise.all([serveShelf(), serveShelf({ PLAIN_HOST: '1' })]);
});
afterAll(() => Promise.all([short.close(), plain.close()]));

/** Everything a client can see but the trace, which is new with each request. */
const seen = ({ status, headers, text }: Answer) => {
  const { date: _, ...rest } = Object.fromEntries(headers);
  return {
    status,
    headers: rest,
    body: text.replaceAll(/"traceId":"[0-9a-f]{32}"/g, `"traceId":"${'x'.repeat(32)}"`),
  };
};

type Headers = Readonly<Record<string, string>>;
type Request = readonly [name: string, request: unknown, headers?: Headers];

const requests: readonly Request[] = [
  ['a field', { query: '{ book { title } }' }],
  ['aliases', { query: '{ b: book(title: "Emma") { t: title title } a: book(title: "Walden") { title } }' }],
  ['aliases with names of objects', { query: '{ constructor: book { toString: title } }' }],
  ['merged fields', { query: '{ book { title } book { pages title } }' }],
  [
    'fragments',
    {
      query:
        '{ book { ...b ... on Book { pages } ... { genre } } } fragment b on Book { title author { ...a } } fragment a on Author { name }',
    },
  ],
  [
    'skipped',
    {
      query: 'query ($s: Boolean!) { book { title pages @skip(if: $s) genre @include(if: $s) } }',
      variables: { s: true },
    },
  ],
  [
    'included',
    { query: 'query ($s: Boolean!) { book { title ... @skip(if: $s) { pages } } }', variables: { s: false } },
  ],
  ['type names', { query: '{ __typename book { __typename author { __typename } } things { __typename } }' }],
  [
    'a union with a null and a bug in its list',
    { query: '{ things { ... on Book { title } ... on Author { name books { title } } } }' },
  ],
  ['an entity that is not there', { query: '{ book(title: "Nothing") { title } }' }],
  ['a bug in a nullable field', { query: '{ book { title broken } }' }],
  [
    'a bug in a non-null field of a nullable one',
    { query: '{ book { title brokenStrict } viewer: total { amountMinor } }' },
  ],
  ['a bug in a non-null field of a non-null one', { query: '{ strict { brokenStrict } }' }],
  ['a bug in each item of a list', { query: '{ books { title broken late } }' }],
  ['a bug in each item of a list of non-null items', { query: '{ book { title } books { missing } }' }],
  ['two bugs under one parent', { query: '{ book { brokenStrict missing } }' }],
  ['an error of the request', { query: '{ book { secret title } }' }],
  ['null where none may be', { query: '{ book { missing } }' }],
  ['a list of lists with null', { query: '{ book { grid } }' }],
  ['a list of non-null items with null', { query: '{ book { holes title } }' }],
  ['a late field between others', { query: '{ book { title late pages } }' }],
  ['defaults of arguments', { query: '{ book { echo } }' }],
  ['null as an argument', { query: '{ book { echo(text: null) } }' }],
  [
    'an argument by a variable that is not given',
    { query: 'query ($t: String, $n: Int) { book { echo(text: $t, n: $n) } }', variables: {} },
  ],
  [
    'null in an argument that has a default',
    { query: 'query ($n: Int) { book { echo(n: $n) } }', variables: { n: null } },
  ],
  [
    'text with quotes, newlines and half a surrogate',
    { query: 'query ($t: String) { book { echo(text: $t) } }', variables: { t: '"\\\n\u2028\ud800é' } },
  ],
  ['an enum', { query: '{ books(genres: [ESSAY]) { title genre } }' }],
  [
    'enums by a variable',
    { query: 'query ($g: [Genre!]) { books(genres: $g) { title } }', variables: { g: ['NOVEL', 'ESSAY'] } },
  ],
  [
    'one enum for a list',
    { query: 'query ($g: [Genre!]) { books(genres: $g) { title } }', variables: { g: 'ESSAY' } },
  ],
  [
    'an enum that there is not',
    { query: 'query ($g: [Genre!]) { books(genres: $g) { title } }', variables: { g: ['POEM'] } },
  ],
  [
    'nested input with defaults',
    {
      query: 'query ($f: BookFilter) { books(filter: $f) { title } }',
      variables: { f: { nested: { titles: [] } } },
    },
  ],
  [
    'an unknown input field',
    { query: 'query ($f: BookFilter) { books(filter: $f) { title } }', variables: { f: { colour: 'red' } } },
  ],
  ['a number as text', { query: 'query ($n: Int!) { books(first: $n) { title } }', variables: { n: '2' } }],
  [
    'a number beyond 32 bits',
    { query: 'query ($n: Int!) { books(first: $n) { title } }', variables: { n: 2 ** 31 } },
  ],
  ['a variable that is missing', { query: 'query ($n: Int!) { books(first: $n) { title } }' }],
  [
    'two wrong variables',
    {
      query: 'query ($n: Int!, $g: [Genre!]) { books(first: $n, genres: $g) { title } }',
      variables: { n: 1.5, g: [1] },
    },
  ],
  ['a variable too many', { query: '{ book { title } }', variables: { x: 1 } }],
  ['variables null', { query: '{ book { title } }', variables: null }],
  ['variables as a list', { query: '{ book { title } }', variables: [] }],
  ['variables as text', { query: '{ book { title } }', variables: '{}' }],
  [
    'a moment',
    { query: 'query ($a: DateTime!) { now(at: $a) }', variables: { a: '2026-11-21T10:00:00+01:00' } },
  ],
  [
    'a moment without a zone',
    { query: 'query ($a: DateTime!) { now(at: $a) }', variables: { a: '2026-11-21T10:00:00' } },
  ],
  ['a moment in the document', { query: '{ now(at: "yesterday") }' }],
  ['money', { query: '{ total { amountMinor currency formatted de: formatted(locale: "de-DE") } }' }],
  [
    'a mutation',
    {
      query:
        'mutation ($i: LendInput!) { lend(input: $i) { ... on Lent { days quantities book { title } } ... on NotFound { code } } }',
      variables: { i: { title: 'Emma', lines: [{}, { quantity: 3 }] } },
    },
  ],
  [
    'a mutation refused',
    {
      query: 'mutation { lend(input: { title: "?" }) { __typename ... on NotFound { code message path } } }',
    },
  ],
  ['a mutation between two others that fails', { query: 'mutation { count explode again: count }' }],
  [
    'one of two operations',
    { query: 'query A { book { title } } query B { book { pages } }', operationName: 'B' },
  ],
  ['two operations and no name', { query: 'query A { book { title } } query B { book { pages } }' }],
  ['an operation that there is not', { query: 'query A { book { title } }', operationName: 'C' }],
  ['the only operation by its name', { query: 'query A { book { title } }', operationName: 'A' }],
  ['an empty name', { query: 'query A { book { title } }', operationName: '' }],
  ['no name, given as null', { query: 'query A { book { title } }', operationName: null }],
  ['a name that is a number', { query: 'query A { book { title } }', operationName: 1 }],
  ['a document that is none', { query: '{ book { title ' }],
  ['an empty document', { query: '' }],
  ['no document', { variables: {} }],
  ['a document that is no text', { query: { book: 1 } }],
  ['an unknown field', { query: '{ book { colour } }' }],
  ['an unused fragment', { query: '{ book { title } } fragment f on Book { pages }' }],
  ['a subscription by HTTP', { query: 'subscription { ticks(upTo: 1) }' }],
  [
    'introspection',
    { query: '{ __schema { queryType { name } } __type(name: "Book") { fields { name } } }' },
  ],
  ['the service’s schema', { query: '{ _service { sdl } }' }],
  [
    'entities',
    {
      query:
        'query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Book { title broken } ... on Author { name } } }',
      variables: {
        r: [
          { __typename: 'Book', title: 'Emma' },
          { __typename: 'Author', name: 'X' },
          { __typename: 'Book', title: 'None' },
          { __typename: 'Book', title: 'torn' },
        ],
      },
    },
  ],
  [
    'entities of a type that there is not',
    {
      query: 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }',
      variables: { r: [{ __typename: 'Ghost' }, { __typename: 'Money' }] },
    },
  ],
  [
    'null among the entities',
    {
      query: 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }',
      variables: { r: [null] },
    },
  ],
  ['a list of requests', [{ query: '{ book { title } }' }]],
  ['a number', 7],
  ['null', null],
  ['nothing', {}],
  ['extensions', { query: '{ book { title } }', extensions: { a: 1 } }],
  ['extensions null', { query: '{ book { title } }', extensions: null }],
  ['a persisted query', { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } }],
  [
    'another type of answer',
    { query: '{ book { title } }' },
    { accept: 'application/graphql-response+json' },
  ],
  [
    'another type of answer to wrong variables',
    { query: 'query ($n: Int!) { books(first: $n) { title } }', variables: {} },
    { accept: 'application/graphql-response+json' },
  ],
  [
    'several types of answer',
    { query: '{ book { title } }' },
    { accept: 'text/html, application/json;q=0.9' },
  ],
  ['a type of answer that we have not', { query: '{ book { title } }' }, { accept: 'text/html' }],
  ['a body said to be text', { query: '{ book { title } }' }, { 'content-type': 'text/plain' }],
  [
    'a body with a character set',
    { query: '{ book { title } }' },
    { 'content-type': 'application/json; charset=utf-8' },
  ],
];

test.each<Request>(requests)(
  '%s: the short way answers as @apollo/server does',
  async (_, request, given) => {
    const headers = given as Headers | undefined;
    const want = seen(await plain.ask(request, headers));
    expect(want.status).toBeLessThan(500);
    expect(want.body).not.toMatch(/hunter2|stacktrace/);
    expect(seen(await short.ask(request, headers))).toEqual(want);
    expect(seen(await short.ask(request, headers))).toEqual(want);
    expect(seen(await short.ask(request, headers))).toEqual(want);
  },
);

test('every error tells its code, whether to try again, and the trace by which the log names it', async () => {
  for (const [, request, headers] of requests) {
    const { errors = [] } = JSON.parse((await short.ask(request, headers)).text);
    for (const error of errors)
      expect(error.extensions).toMatchObject({
        code: expect.any(String),
        retryable: expect.any(Boolean),
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
  }
});

test('the short way is taken from the second time on, and never where it must not', async () => {
  const apollo = vi.spyOn(ApolloServer.prototype, 'executeHTTPGraphQLRequest');
  const passes = async (served: Served, request: unknown, headers?: Headers): Promise<number> => {
    apollo.mockClear();
    await served.ask(request, headers);
    await served.ask(request, headers);
    return apollo.mock.calls.length;
  };
  const variables = { n: 1 };
  expect(
    await passes(short, { query: 'query Once($n: Int!) { books(first: $n) { title } }', variables }),
  ).toBe(1);
  expect(
    await passes(short, { query: 'query Once($n: Int!) { books(first: $n) { title } }', variables: {} }),
  ).toBe(2);
  expect(await passes(plain, { query: '{ book { title } }' })).toBe(2);
  expect(await passes(short, { query: '{ __type(name: "Book") { name } }' })).toBe(2);
  expect(await passes(short, { query: '{ nothing }' })).toBe(2);
  expect(
    await passes(short, { query: '{ book { title } }' }, { accept: 'application/graphql-response+json' }),
  ).toBe(2);
  apollo.mockRestore();
});
