import { expect, test } from 'vitest';
import { pageAt } from './explorer.ts';

const text = async (path: string): Promise<string> =>
  String((await pageAt(path, 'shop.example:4000', undefined))?.body);

/** What a page makes the browser load or call, as far as it is written down. */
const loaded = (source: string): string[] =>
  [
    ...source.matchAll(
      /(?:src|href|action)="([^"]+)"|(?:from|import)\s*\(?"([^"]+)"|url\(["']?([^"')]+)|new URL\("([^"]+)"/g,
    ),
  ].map(([, ...found]) => found.find(Boolean)!);

test('the explorer loads nothing from another origin, and the browser is told to hold it to that', async () => {
  const page = await pageAt('/explore', 'shop.example:4000', undefined);
  const places = loaded(String(page!.body));
  expect(places).toContain('/explore/static/ruru.js');
  expect(places.filter((place) => !place.startsWith('/'))).toEqual([]);
  expect(String(page!.body)).not.toMatch(/https?:|unpkg/);
  const policy = page!.headers['content-security-policy']!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/https?:|\*|'unsafe-eval'/);
  const css = loaded(await text('/explore/static/ruru.css'));
  expect(css.filter((place) => /^(https?:)?\/\//.test(place))).toEqual([]);
});

test('every file that the page names is served, compressed for those who can', async () => {
  const places = loaded(await text('/explore')).filter((place) => /\.\w+$/.test(place));
  expect(places.length).toBeGreaterThan(1);
  for (const path of places) {
    const [plain, small] = await Promise.all([pageAt(path, '', undefined), pageAt(path, '', 'gzip, br')]);
    expect(plain!.headers['content-encoding']).toBeUndefined();
    expect(small!.headers['content-encoding']).toBe('br');
    expect(plain!.body.length).toBeGreaterThan(small!.body.length);
  }
  for (const worker of ['graphqlWorker.js', 'jsonWorker.js', 'editorWorker.js'])
    expect((await pageAt(`/explore/static/${worker}`, '', 'br'))?.status).toBe(200);
});

test('the explorer asks our own endpoint, for subscriptions too', async () => {
  const page = await text('/explore');
  expect(page).toContain('"endpoint": "/graphql"');
  expect(page).not.toContain('subscriptionEndpoint');
});

test("nothing but the explorer's files is served", async () => {
  for (const path of [
    '/explore/static/../server.js',
    '/explore/static/__proto__',
    '/explore/static/',
    '/package.json',
  ])
    expect(await pageAt(path, '', undefined)).toBeNull();
});

test('the first page links the explorer and the sandbox, and repeats nothing harmful', async () => {
  expect(await text('/')).toContain('endpoint=http%3A%2F%2Fshop.example%3A4000%2Fgraphql');
  expect(String((await pageAt('/', '"><script>', undefined))!.body)).not.toContain('<script>');
});
