// What is written for people is true: queries fit the API, settings are all there, files that are named exist.
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, one]) => one!);

const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })];

test('every query of the README can be asked of the gateway', () => {
  const api = buildSchema(read('gateway/api.graphql'));
  const queries = found(read('README.md'), /```graphql\n(.*?)```/gs);
  expect(queries.length).toBeGreaterThan(2);
  for (const query of queries) expect(validate(api, parse(query)), query).toEqual([]);
});

test('every setting that is read stands in the README and in .env.example', () => {
  const readers = ['runtime/src/config.ts', 'gateway/src/shop/settings.ts', 'ops/stack/secrets.ts'];
  const settings = new Set([
    ...[...readers, ...globSync('subgraphs/*/src/index.ts', { cwd: root })].flatMap((file) =>
      found(read(file), /^\s*(?:readonly )?([A-Z][A-Z_]{3,}):/gm),
    ),
    ...[...globSync('{ops/stack,ops/demo,prisma}/*.{ts,mjs}', { cwd: root })]
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) => found(read(file), /(?<=env)\.([A-Z][A-Z_]{3,})/g)),
  ]);
  // Of the shell and of calls between our own programs; nobody sets them.
  for (const inner of ['PATH', 'HOME', 'PRISMA_DATABASE_URL', 'PRISMA_SCHEMA_ENGINE_BINARY'])
    settings.delete(inner);
  expect(settings).toContain('STRIPE_API_KEY');
  const table = new Set(found(read('README.md'), /^\| `([A-Z_]+)` \|/gm));
  const example = new Set(found(read('.env.example'), /^#([A-Z_]+)=/gm));
  expect([...settings].filter((name) => !table.has(name))).toEqual([]);
  expect([...settings].filter((name) => !example.has(name))).toEqual([]);
  expect([...table].filter((name) => !example.has(name))).toEqual([]);
});

/** Paths in backticks, with a wildcard for one name of several, and links within the project. */
const namedIn = (page: string): string[] => {
  const text = read(page);
  const folder = path.dirname(page);
  return [
    ...found(
      text,
      /`((?:gateway|runtime|subgraphs|prisma|ops|tests|docs)\/[\w./*<>-]+\.(?:ts|md|sql|graphql|yml))`/g,
    ).map((file) => file.replaceAll(/<\w+>/g, '*')),
    ...found(text, /\]\(([^)#:]+)\)/g).map((link) => path.join(folder, link)),
  ];
};

test('every file that is named is there', () => {
  const named = pages.flatMap((page) => namedIn(page).map((file) => ({ page, file })));
  expect(named.length).toBeGreaterThan(50);
  const missing = named.filter(({ file }) =>
    file.includes('*') ? globSync(file, { cwd: root }).length === 0 : !existsSync(path.join(root, file)),
  );
  expect(missing).toEqual([]);
});

test('every command of npm that is named is a script', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...pages, '.env.example'].flatMap((page) => found(read(page), /npm run ([\w:]+)/g));
  expect(named).toContain('demo');
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
  for (const [name, command] of Object.entries(scripts)) {
    const file = /^node (?:--\S+ )*(\S+)/.exec(command)?.[1];
    expect(!file || existsSync(path.join(root, file)), name).toBe(true);
  }
});
