// What the gateway by itself keeps, lets others keep, and packs.
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import { keyHashOf } from '../persisted/partners.ts';
import { type Library, openLibrary } from './fixture-library.ts';

let library: Library;
let open: Awaited<ReturnType<Library['gateway']>>;
const { redisUrl } = inject('services');

const operations = {
  shelf: '{ books { title isLent } }',
  title: 'query ($id: ID!) { book(id: $id) { title } }',
  hello: '{ books { title } hello }',
  borrower: '{ books { title borrower } }',
};

beforeAll(async () => {
  library = await openLibrary();
  const manifest = join(library.dir, 'web.json');
  writeFileSync(manifest, JSON.stringify(operations));
  open = await library.gateway(`persisted: { manifests: ["${manifest}"] }`);
});
afterAll(() => library.close());
beforeEach(() => {
  library.books.heard.length = 0;
  library.loans.heard.length = 0;
});

const get = (search: Record<string, string>, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${open.url}?${new URLSearchParams(search)}`, { method, headers });

test('an operation that was agreed on is kept as long as all of its fields allow, by its name', async () => {
  const first = await get({ id: 'shelf' });
  expect(first.status).toBe(200);
  expect(first.headers.get('cache-control')).toBe('public, max-age=30');
  expect(first.headers.get('vary')).toContain('accept-encoding');
  const etag = first.headers.get('etag')!;
  const body = await first.json();
  expect(body).toMatchObject({ data: { books: [{ title: 'Emma', isLent: true }, {}] } });
  const again = await get({ id: 'shelf' }, { 'if-none-match': etag });
  expect([again.status, await again.text()]).toEqual([304, '']);
  expect(again.headers.get('cache-control')).toBe('public, max-age=30');
  const other = await get({ id: 'title', variables: '{"id":"2"}' }, { 'if-none-match': etag });
  expect(other.status).toBe(200);
  expect(other.headers.get('cache-control')).toBe('public, max-age=60');
  const head = await get({ id: 'shelf' }, {}, 'HEAD');
  expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, etag, '']);
});

test('a text that nobody has asked before is answered the same way as one that is known', async () => {
  const query = `query Q${randomUUID().slice(0, 8)} { book(id: "1") { title } }`;
  const told = async () => {
    const { status, headers } = await get({ query });
    return [status, headers.get('cache-control'), headers.get('etag'), headers.get('content-type')];
  };
  const first = await told();
  expect(first.slice(0, 2)).toEqual([200, 'public, max-age=60']);
  expect(await told()).toEqual(first);
});

test.each([
  ['a field that says nothing', { id: 'hello' }],
  ['a field that not everybody may see', { id: 'borrower' }],
  ['an answer with errors', { id: 'title', variables: '{"id":"broken"}' }],
  ['what is refused', { query: '{ nothing }' }],
])('nobody keeps %s, however often it is asked for', async (_what, search) => {
  for (let time = 0; time < 2; time++) {
    const { headers } = await get(search, { 'if-none-match': '*' });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.has('etag')).toBe(false);
  }
});

test('what is asked by POST is kept by nobody', async () => {
  const { headers } = await open.ask({ id: 'shelf' });
  expect([headers.get('cache-control'), headers.has('etag')]).toEqual(['no-store', false]);
});

test('a gateway that is told to lets nobody keep anything', async () => {
  const shy = await library.gateway('cache: { http: { enabled: false } }');
  const { headers } = await fetch(`${shy.url}?${new URLSearchParams({ query: operations.shelf })}`);
  expect([headers.get('cache-control'), headers.has('etag')]).toEqual(['no-store', false]);
});

test('what a partner is answered is kept by the partner alone', async () => {
  const key = `acme_prefix.${'s'.repeat(43)}`;
  const manifest = join(library.dir, 'acme.json');
  writeFileSync(manifest, JSON.stringify({ shelf: operations.shelf }));
  const gateway = await library.gateway(
    `persisted:\n  partners:\n    - { id: acme, key: { prefix: acme_prefix, sha256: "${keyHashOf(key)}" }, manifest: "${manifest}" }`,
  );
  const { status, headers } = await fetch(`${gateway.url}?id=shelf`, { headers: { 'x-api-key': key } });
  expect([status, headers.get('cache-control')]).toEqual([200, 'private, max-age=30']);
  expect(headers.get('vary')).toContain('x-api-key');
});

test('long answers are packed for those who say that they unpack them', async () => {
  const gateway = await library.gateway('compression: { atLeast: 100B }');
  const ask = async (query: string, acceptEncoding: string) => {
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'accept-encoding': acceptEncoding },
      body: JSON.stringify({ query }),
    });
    return { coding: response.headers.get('content-encoding'), body: await response.json() };
  };
  const long = `{ ${Array.from({ length: 9 }, (_, at) => `a${at}: hello`).join(' ')} }`;
  const plain = await ask(long, 'identity');
  // The first time, and when it is known.
  for (let time = 0; time < 2; time++) {
    expect(await ask(long, 'gzip')).toEqual({ coding: 'gzip', body: plain.body });
    expect(await ask(long, 'br, gzip')).toEqual({ coding: 'br', body: plain.body });
    expect(await ask('{ hello }', 'gzip')).toMatchObject({ coding: null });
  }
  expect(plain.coding).toBeNull();
});

test('nothing is packed where subgraphs are told cookies', async () => {
  const gateway = await library.gateway(
    'compression: { atLeast: 10B }\nheaders: { all: [{ forward: cookie }] }',
  );
  const { headers } = await gateway.ask({ query: '{ a: hello b: hello c: hello }' });
  expect(headers.has('content-encoding')).toBe(false);
});

test('an entity that is known is not asked for again, which the metrics tell', async () => {
  const settings = `redis: { url: "${redisUrl}", prefix: "caches-${randomUUID()}:" }\ncache: { entities: { enabled: true } }`;
  const gateway = await library.gateway(settings);
  const metrics = async () => (await fetch(new URL('/metrics', gateway.url))).text();
  const first = await gateway.ask({ query: operations.shelf });
  // What was found is put away behind the answer, and a busy Redis is not waited for.
  await vi.waitFor(
    async () => {
      expect((await gateway.ask({ query: operations.shelf })).body).toEqual(first.body);
      expect(await metrics()).toMatch(
        /^gateway_entity_cache_entities_total\{subgraph="loans",type="Book",outcome="hit"\} [2-9]/m,
      );
    },
    { timeout: 10_000, interval: 100 },
  );
  expect(await metrics()).toMatch(/^gateway_entity_cache_calls_total\{outcome="saved"\} [1-9]/m);
  expect(library.loans.heard.length).toBeLessThan(library.books.heard.length);
});

test('calls that strangers make at one moment are one, whatever else they ask', async () => {
  const gateway = await library.gateway();
  const told = async (outcome: string): Promise<number> => {
    const page = await (await fetch(new URL('/metrics', gateway.url))).text();
    const line = page
      .split('\n')
      .find((one) => one.includes(`shared_total{what="calls",outcome="${outcome}"}`));
    return Number(line?.split(' ').at(-1));
  };
  const ask = (name: string) => gateway.ask({ query: `query ${name} { hello }` });
  // Two operations of one call each, over and over, until two of them have met.
  await vi.waitFor(
    async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => ask(at % 2 ? 'One' : 'Two')));
      for (const { body } of answers) expect(body).toEqual({ data: { hello: 'world' } });
      expect(await told('joined')).toBeGreaterThan(0);
    },
    { timeout: 15_000, interval: 20 },
  );
  expect(library.books.heard.length).toBe(await told('made'));
});
