// Another subgraph is another folder. This makes one as anybody would, beside the others in a place of its own, and takes
// it away again however it goes.
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Host, host } from '@orderstream/runtime/host/host';
import { schemaText } from '@orderstream/runtime/host/schema';
import { sign, signatureHeader, signingKey, viewerHeader } from '@orderstream/runtime/signature';
import { anonymous } from '@orderstream/runtime/viewer';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { compose, subgraphDocuments } from '../gateway/src/composition.ts';
import { newSubgraph } from '../ops/new-subgraph.ts';
import { testDatabase } from '../ops/stack/migrate.ts';

const root = path.resolve(import.meta.dirname, '..');
const name = 'gift-cards';
let place: string;

beforeAll(() => {
  // Inside the project, where the packages are found.
  mkdirSync(path.join(root, '.data'), { recursive: true, mode: 0o700 });
  place = mkdtempSync(path.join(root, '.data/new-subgraph-'));
  symlinkSync(path.join(root, 'runtime'), path.join(place, 'runtime'));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

const generate = () =>
  execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { generate } from '@graphql-codegen/cli';
       const { default: config } = await import(${JSON.stringify(pathToFileURL(path.join(root, 'codegen.ts')).href)});
       await generate({ ...config, cwd: process.cwd() }, true);`,
    ],
    { cwd: place, stdio: 'pipe' },
  );

const ask = async (running: Host, query: string): Promise<unknown> => {
  const body = JSON.stringify({ query });
  const to = `/${name}/graphql`;
  const { viewer, signature } = sign(
    signingKey('s'.repeat(40)),
    'POST',
    to,
    anonymous('t'),
    body,
    new Date(),
  );
  const response = await fetch(running.url + to, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', [viewerHeader]: viewer, [signatureHeader]: signature },
  });
  return response.json();
};

test('a new subgraph is made by one command, joins the supergraph and answers', async () => {
  newSubgraph(name, new Date(), place);
  const folder = pathToFileURL(`${place}/subgraphs/${name}/`);
  expect(globSync(`subgraphs/${name}/**/*.*`, { cwd: place }).length).toBeLessThan(10);

  generate();
  const text = schemaText(folder)!;
  expect(compose([...subgraphDocuments(), { name, text }]).api).toContain('giftCards: String!');

  const { databaseUrl: serverUrl, redisUrl, kafkaBrokers } = inject('services');
  const { url, drop } = await testDatabase({ serverUrl, subgraph: name, folder: path.join(place, 'prisma') });
  const { giftCards } = await import(new URL('src/index.ts', folder).href);
  const running = await host([giftCards], {
    PORT: '0',
    GIFT_CARDS_DATABASE_URL: url,
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: kafkaBrokers.join(','),
    GATEWAY_SECRET: 's'.repeat(40),
    LOG_LEVEL: 'silent',
  });
  try {
    expect(await ask(running, '{ giftCards }')).toEqual({ data: { giftCards: 'here' } });
  } finally {
    await running.stop();
    await drop();
  }
  expect(existsSync(path.join(root, 'subgraphs', name))).toBe(false);
});

test.each(['', 'Orders', 'gift cards', '-x', 'x-', 'a--b', '../x', '1st', 'a'.repeat(41)])(
  'no subgraph can be called %j',
  (wrong) => {
    expect(() => newSubgraph(wrong, new Date(), place)).toThrow(/kebab-case/);
  },
);

test('a subgraph that is there is never written over', () => {
  expect(() => newSubgraph('orders', new Date())).toThrow('There is already subgraphs/orders.');
});

test('every database starts with the same plumbing', () => {
  const plumbing = readFileSync(path.join(root, 'runtime/sql/plumbing.sql'), 'utf8');
  const copies = globSync('prisma/*/migrations/*_plumbing/migration.sql', { cwd: root });
  expect(copies.map((file) => file.split('/')[1]).toSorted()).toEqual(
    globSync('subgraphs/*/package.json', { cwd: root })
      .map((file) => file.split('/')[1])
      .toSorted(),
  );
  for (const file of copies) expect(readFileSync(path.join(root, file), 'utf8'), file).toBe(plumbing);
});
