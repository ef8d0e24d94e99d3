// Parts of a supergraph, served at paths of their own beside the whole.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyHashOf } from '../persisted/partners.ts';
import { type Library, openLibrary } from './fixture-library.ts';

let library: Library;
let gateway: Awaited<ReturnType<Library['gateway']>>;
const contracts = `
limits: { planning: 10s, deadline: 20s }
contracts:
  - { name: outside, path: /outside, include: [outside], introspection: everybody }
  - { name: shut, path: /shut/graphql, exclude: [outside, none] }`;

beforeAll(async () => {
  library = await openLibrary();
  gateway = await library.gateway(contracts);
});
afterAll(() => library.close());

const ask = async (path: string, body: object, headers: Record<string, string> = {}) => {
  const response = await fetch(new URL(path, gateway.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text), type: response.headers.get('content-type') };
};

const invalid = { errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] };
const fieldsOf = (type: string) => ({ query: `{ __type(name: "${type}") { fields { name } } }` });
const names = (body: { data: { __type: { fields: { name: string }[] } | null } }): string[] =>
  (body.data.__type?.fields ?? []).map(({ name }) => name).sort();

test('what a contract has is answered at its path, from the same subgraphs, and the rest is unknown there', async () => {
  const books = { query: '{ books { title isLent } }' };
  for (let time = 0; time < 3; time++) {
    const [part, whole] = [await ask('/outside', books), await ask('/graphql', books)];
    expect(part.body.data.books).toHaveLength(2);
    expect(part.body).toEqual(whole.body);
  }
  // Known by then to the whole, and to nobody else.
  for (const query of [
    '{ hello }',
    '{ book(id: 1) { history } }',
    'mutation { retitle(id: 1, title: "Emma") { id } }',
  ]) {
    for (let time = 0; time < 2; time++)
      expect((await ask('/graphql', { query })).body).toHaveProperty('data');
    for (let time = 0; time < 2; time++)
      expect((await ask('/outside', { query })).body).not.toHaveProperty('data');
  }
  expect((await ask('/outside', { query: '{ hello }' })).body).toMatchObject(invalid);
});

test('a contract shows itself to whom it says, whatever holds for the whole', async () => {
  const shown = await ask('/outside', fieldsOf('Book'));
  expect(names(shown.body)).toEqual(['borrower', 'id', 'isLent', 'title']);
  expect(names((await ask('/outside', fieldsOf('Query'))).body)).toEqual(['book', 'books']);
  expect((await ask('/outside', fieldsOf('Mutation'))).body.data.__type).toBeNull();
  for (const path of ['/graphql', '/shut/graphql'])
    expect((await ask(path, fieldsOf('Book'))).body).not.toHaveProperty('data');
});

test('who may ask is as it is in the whole', async () => {
  const { body } = await ask('/outside', { query: '{ book(id: 1) { title borrower } }' });
  expect(body).toMatchObject({
    data: { book: { title: 'Emma', borrower: null } },
    errors: [{ path: ['book', 'borrower'], extensions: { code: 'UNAUTHENTICATED' } }],
  });
});

test('contracts without a tag in common have nothing in common', async () => {
  expect((await ask('/shut/graphql', { query: '{ hello loans }' })).body).toEqual({
    data: { hello: 'world', loans: 1 },
  });
  expect((await ask('/shut/graphql', { query: '{ books { title } }' })).body).toMatchObject(invalid);
});

test('there is no way from a contract to a stream of the whole', async () => {
  const { type } = await ask('/outside', { query: '{ hello }' }, { accept: 'text/event-stream' });
  expect(type).not.toContain('event-stream');
});

test('other paths lead nowhere', async () => {
  for (const path of ['/outside/', '/outside/graphql', '/shut', '/Outside'])
    expect((await ask(path, { query: '{ books { title } }' })).status).toBe(404);
});

test('partners ask for what was agreed on, as far as it is in the contract', async () => {
  const file = join(library.dir, 'acme.json');
  const operations = [
    { id: 'titles', name: 'Titles', type: 'query', body: 'query Titles { books { title } }' },
    { id: 'hello', name: 'Hello', type: 'query', body: 'query Hello { hello }' },
  ];
  writeFileSync(file, JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }));
  const key = `acme_prefix.${'s'.repeat(40)}`;
  const own = await library.gateway(`${contracts}
persisted:
  partners: [{ id: acme, key: { prefix: acme_prefix, sha256: "${keyHashOf(key)}" }, manifest: "${file}" }]`);
  const as = async (body: object) => {
    const response = await fetch(new URL('/outside', own.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key },
      body: JSON.stringify(body),
    });
    return response.json();
  };
  expect(await as({ id: 'titles' })).toMatchObject({ data: { books: [{ title: 'Emma' }, {}] } });
  expect(await as({ id: 'hello' })).toMatchObject(invalid);
  expect(await as({ query: '{ books { title } }' })).toMatchObject({
    errors: [{ extensions: { code: 'PERSISTED_QUERY_REQUIRED' } }],
  });
});

test('a contract changes with its supergraph, and one that would not be whole is refused', async () => {
  const fields = async (): Promise<string[]> => names((await ask('/outside', fieldsOf('Book'))).body);
  const without = library.sdl.replace(/(isLent: Boolean.*) @tag\(name: "outside"\)/, '$1');
  expect(without).not.toBe(library.sdl);
  writeFileSync(library.file, without);
  await expect.poll(fields, { timeout: 20_000 }).toEqual(['borrower', 'id', 'title']);
  writeFileSync(library.file, library.sdl.replaceAll('@tag(name: "outside")', ''));
  await pause(500);
  expect(await fields()).toEqual(['borrower', 'id', 'title']);
  writeFileSync(library.file, library.sdl);
  await expect.poll(fields, { timeout: 20_000 }).toContain('isLent');
}, 60_000);

test('a contract that is not whole serves nothing, and says why', async () => {
  await expect(
    library.gateway('contracts: [{ name: none, path: /none, include: [nobody] }]'),
  ).rejects.toThrow('nothing that can be asked for is in it');
});
