// The gateway by itself, with a supergraph that has nothing to do with the shop.
import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { auditServer } from 'graphql-http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { keyHashOf } from '../persisted/partners.ts';
import { type Library, openLibrary } from './fixture-library.ts';

let library: Library;
let open: Awaited<ReturnType<Library['gateway']>>;

beforeAll(async () => {
  library = await openLibrary();
  open = await library.gateway('introspection: everybody\nheaders: { all: [{ forward: authorization }] }');
});
afterAll(() => library.close());
beforeEach(() => {
  library.books.heard.length = 0;
  library.loans.heard.length = 0;
});

const books = { query: '{ books { title isLent } }' };
const answer = {
  data: {
    books: [
      { title: 'Emma', isLent: true },
      { title: 'Élan — ünïcode 😀', isLent: false },
    ],
  },
};

test('a query is answered across subgraphs, the first time and when it is known', async () => {
  for (let time = 0; time < 3; time++)
    expect(await open.ask(books)).toMatchObject({ status: 200, body: answer });
  expect(library.loans.heard).toHaveLength(3);
});

test('what a rule forwards reaches the subgraphs, and nothing else', async () => {
  await open.ask(books, { authorization: 'Bearer theirs', cookie: 'a=b', 'x-other': '1' });
  for (const { authorization, cookie, 'x-other': other, traceparent } of [
    ...library.books.heard,
    ...library.loans.heard,
  ]) {
    expect({ authorization, cookie, other }).toEqual({ authorization: 'Bearer theirs' });
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
  }
});

test('fields that need a sign-in are null with an error at their place, and are not asked for', async () => {
  const { body } = await open.ask({ query: '{ book(id: 1) { title borrower history } }' });
  expect(body.data).toEqual({ book: { title: 'Emma', borrower: null, history: null } });
  expect(
    body.errors.map(({ path, extensions }: { path: unknown; extensions: { code: string } }) => [
      path,
      extensions.code,
    ]),
  ).toEqual([
    [['book', 'borrower'], 'UNAUTHENTICATED'],
    [['book', 'history'], 'UNAUTHENTICATED'],
  ]);
  expect(library.loans.heard).toHaveLength(0);
});

test('queries go by GET as well, and mutations never do', async () => {
  const get = (parameters: Record<string, string>) => fetch(`${open.url}?${new URLSearchParams(parameters)}`);
  const found = await get({ query: 'query ($id: ID!) { book(id: $id) { title } }', variables: '{"id":"1"}' });
  expect(await found.json()).toEqual({ data: { book: { title: 'Emma' } } });
  const mutation = { query: 'mutation { retitle(id: 1, title: "Gone") { title } }' };
  expect((await get(mutation)).status).toBe(405);
  const renamed = 'mutation { retitle(id: 1, title: "Emma") { title } }';
  for (let time = 0; time < 2; time++) expect((await open.ask({ query: renamed })).status).toBe(200);
  // Known by now, and still not by GET.
  expect((await get({ query: renamed })).status).toBe(405);
  expect((await get({ query: '{', variables: '{' })).status).toBe(400);
});

test('a hash stands for its text once the text was told with it', async () => {
  const sha256Hash = hash('sha256', books.query);
  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  const missing = await open.ask({ extensions });
  expect(missing.body.errors[0]).toMatchObject({
    message: 'PersistedQueryNotFound',
    extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
  });
  expect((await open.ask({ ...books, extensions })).body).toEqual(answer);
  expect((await open.ask({ extensions })).body).toEqual(answer);
  const wrong = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } };
  expect((await open.ask({ ...books, extensions: wrong })).status).toBe(400);
});

const manifestOf = (id: string, body: string): string => {
  const file = join(library.dir, `${id}.json`);
  const operations = [{ id, name: 'Titles', type: 'query', body }];
  writeFileSync(file, JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }));
  return file;
};

test('a partner has its own operations, and nothing else, as often as was agreed', async () => {
  const titles = manifestOf('titles', 'query Titles { books { title history } }');
  const others = manifestOf('others', 'query Titles { loans }');
  const key = (name: string) => `${name}_prefix.${'s'.repeat(40)}`;
  const partner = (id: string, manifest: string, perMinute: number) =>
    `    - { id: ${id}, scopes: ["loans:read"], key: { prefix: ${id}_prefix, sha256: "${keyHashOf(key(id))}" }, manifest: "${manifest}", perMinute: ${perMinute} }`;
  const gateway = await library.gateway(
    `persisted:\n  partners:\n${partner('acme', titles, 5)}\n${partner('bolt', others, 5)}`,
  );
  const as = (name: string, body: unknown) => gateway.ask(body, { 'x-api-key': key(name) });
  const expected = {
    data: { books: answer.data.books.map(({ title }) => ({ title, history: ['Ada', 'Bob'] })) },
  };
  expect((await as('acme', { id: 'titles' })).body).toEqual(expected);
  // It was planned before anybody asked.
  const metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
  const plans = metrics.split('\n').filter((line) => line.includes('plan_cache_requests_total{'));
  expect(plans.map((line) => line.slice(line.indexOf('{')))).toEqual([
    '{outcome="hit"} 1',
    '{outcome="miss"} 0',
  ]);
  expect((await as('acme', { id: 'titles' })).body).toEqual(expected);
  for (const refused of [{ id: 'others' }, books])
    expect(await as('acme', refused)).toMatchObject({
      status: 400,
      body: { errors: [{ extensions: { code: 'PERSISTED_QUERY_REQUIRED' } }] },
    });
  const stream = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'x-api-key': key('acme') },
    body: JSON.stringify({ query: 'subscription { anything }' }),
  });
  expect(await stream.text()).toContain('PERSISTED_QUERY_REQUIRED');
  expect((await gateway.ask(books, { 'x-api-key': 'nobody.at-all' })).status).toBe(401);
  const limited = await as('acme', { id: 'titles' });
  expect(limited).toMatchObject({
    status: 429,
    body: { errors: [{ extensions: { code: 'RATE_LIMITED' } }] },
  });
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await gateway.ask(books)).body).toEqual(answer);
});

test.each([
  ['no JSON', '{', 400, 'BAD_USER_INPUT'],
  ['a list', '[]', 400, 'BAD_USER_INPUT'],
  ['too large', JSON.stringify({ query: `{ hello } #${'x'.repeat(200_000)}` }), 413, 'PAYLOAD_TOO_LARGE'],
  ['too deep', JSON.stringify({ query: `${'{a'.repeat(200)}${'}'.repeat(200)}` }), 400, 'QUERY_TOO_COMPLEX'],
  ['a field that is not there', '{"query":"{nothing}"}', 200, 'GRAPHQL_VALIDATION_FAILED'],
])('%s is refused with its code', async (_what, body, status, code) => {
  expect(await open.ask(body)).toMatchObject({ status, body: { errors: [{ extensions: { code } }] } });
});

test('what nobody serves is not found, health is told, and metrics can be read', async () => {
  const origin = new URL(open.url).origin;
  expect((await fetch(`${origin}/nothing`)).status).toBe(404);
  expect(await (await fetch(`${origin}/health/ready`)).json()).toMatchObject({
    ready: true,
    subgraphs: { books: { breaker: 'closed' }, loans: { breaker: 'closed' } },
  });
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  expect(metrics).toMatch(/^gateway_request_seconds_count\{kind="query"\} [1-9]/m);
  expect(metrics).toMatch(/^gateway_plan_cache_requests_total\{outcome="hit"\} [1-9]/m);
  expect(metrics).toMatch(/^gateway_subgraph_call_seconds_count\{subgraph="loans",kind="query"\} [1-9]/m);
});

/** As the specification words them, what we do otherwise, and why. */
const exceptions: Readonly<Record<string, string>> = {};

const audits = async () => auditServer({ url: open.url });

test('GraphQL over HTTP is spoken as its specification has it', async () => {
  const results = await audits();
  const unmet = results.filter(({ status, id }) => status !== 'ok' && !(id in exceptions));
  expect(
    unmet.map(({ status, name, ...rest }) => `${status} ${name} ${'reason' in rest ? rest.reason : ''}`),
  ).toEqual([]);
  expect(results).toHaveLength(61);
}, 30_000);

test('another supergraph takes over while requests are under way, and a wrong one changes nothing', async () => {
  const file = library.file;
  const gateway = await library.gateway('introspection: everybody');
  const fields = async (): Promise<string[]> => {
    const { body } = await gateway.ask({ query: '{ __type(name: "Query") { fields { name } } }' });
    return body.data.__type.fields.map(({ name }: { name: string }) => name).sort();
  };
  let isOver = false;
  const answers: unknown[] = [];
  const asking = (async () => {
    while (!isOver) answers.push((await gateway.ask(books)).body);
  })();
  expect(await fields()).toContain('hello');
  writeFileSync(file, library.sdl.replace(/\n {2}hello: String[^\n]*/, ''));
  await expect.poll(fields, { timeout: 20_000 }).not.toContain('hello');
  writeFileSync(file, 'type Query { nonsense');
  await pause(500);
  expect(await fields()).toEqual(['book', 'books', 'loans']);
  writeFileSync(file, library.sdl);
  await expect.poll(fields, { timeout: 20_000 }).toContain('hello');
  // The other tests' gateway reads the same file, and takes its own time.
  const greeted = async () => (await open.ask({ query: '{ hello }' })).body.data;
  await expect.poll(greeted, { timeout: 20_000 }).toEqual({ hello: 'world' });
  isOver = true;
  await asking;
  expect(answers.length).toBeGreaterThan(0);
  for (const one of answers) expect(one).toEqual(answer);
}, 60_000);

test('equal requests at one moment are one, for those whose headers are equal', async () => {
  await open.ask(books);
  library.books.heard.length = 0;
  await Promise.all(Array.from({ length: 20 }, () => open.ask(books)));
  expect(library.books.heard.length).toBeLessThan(20);
  library.books.heard.length = 0;
  await Promise.all(Array.from({ length: 5 }, (_, n) => open.ask(books, { authorization: `Bearer ${n}` })));
  expect(new Set(library.books.heard.map(({ authorization }) => authorization)).size).toBe(5);
});

test('the schema is shown to those who may see it, however often it is asked for', async () => {
  const ask = { query: '{ __schema { queryType { name } } }' };
  const mixed = { query: '{ hello __type(name: "Book") { name } }' };
  const gateway = await library.gateway('introspection: signedIn');
  for (let time = 0; time < 3; time++)
    for (const one of [ask, mixed])
      expect(await gateway.ask(one)).toMatchObject({
        status: 401,
        body: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
      });
  expect((await open.ask(mixed)).body).toMatchObject({ data: { hello: 'world' } });
});

test('who is not signed in is bound by the cost for strangers, also for what is known', async () => {
  const gateway = await library.gateway('limits: { cost: { anonymous: 3, signedIn: 100 } }');
  for (let time = 0; time < 2; time++) {
    expect((await gateway.ask({ query: '{ hello }' })).status).toBe(200);
    expect(await gateway.ask({ query: '{ books(first: 50) { title isLent } }' })).toMatchObject({
      status: 400,
      body: { errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }] },
    });
  }
});

test('variables have a bound of their own', async () => {
  const query = 'query ($id: ID!) { book(id: $id) { title } }';
  expect(
    (await open.ask({ query, variables: { id: 'x'.repeat(70_000) } })).body.errors[0].extensions.code,
  ).toBe('BAD_USER_INPUT');
});
