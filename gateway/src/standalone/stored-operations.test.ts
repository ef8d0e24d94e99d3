// Where only stored operations may be asked for, no door lets in anything else: not sockets, and not event streams.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { keyHashOf } from '../persisted/partners.ts';
import { type Library, openLibrary } from './fixture-library.ts';

const key = `acme_prefix.${'s'.repeat(40)}`;
const rareKey = `rare_prefix.${'r'.repeat(40)}`;
/** It is no subscription: whoever gets as far as being told so has been let in. */
const stored = 'query Titles { books { title } }';
const hash = (id: string) => ({ persistedQuery: { version: 1, sha256Hash: id } });

let library: Library;
let strict: Awaited<ReturnType<Library['gateway']>>;
let free: Awaited<ReturnType<Library['gateway']>>;
let rated: Awaited<ReturnType<Library['gateway']>>;
beforeAll(async () => {
  library = await openLibrary();
  const file = join(library.dir, 'manifest.json');
  writeFileSync(file, JSON.stringify({ titles: stored }));
  [strict, free, rated] = await Promise.all([
    library.gateway(`persisted: { required: true, manifests: ["${file}"] }`),
    library.gateway(
      `persisted:
  partners:
    - { id: acme, key: { prefix: acme_prefix, sha256: "${keyHashOf(key)}" }, manifest: "${file}" }
    - { id: rare, key: { prefix: rare_prefix, sha256: "${keyHashOf(rareKey)}" }, manifest: "${file}", perMinute: 1 }`,
    ),
    library.gateway('rates: { rules: [{ by: address, counts: requests, limit: 2, window: 1m }] }'),
  ]);
});
afterAll(() => library.close());

type Asked = { readonly query: string; readonly extensions?: Record<string, unknown> };

const isClosing = (told: unknown): told is { readonly code: number; readonly reason: string } =>
  typeof told === 'object' && told !== null && 'reason' in told;

/** What a socket is answered, be it an event or an error. */
const overSocket = async (
  url: string,
  asked: Asked,
  connectionParams: Record<string, string> = {},
): Promise<string> => {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams,
    retryAttempts: 0,
  });
  try {
    return await new Promise<string>((resolve) => {
      client.subscribe(asked, {
        next: (told) => resolve(JSON.stringify(told)),
        error: (told) => resolve(isClosing(told) ? `${told.code} ${told.reason}` : JSON.stringify(told)),
        complete: () => resolve('complete'),
      });
    });
  } finally {
    await client.dispose();
  }
};

const overStream = async (
  url: string,
  asked: object,
  headers: Record<string, string> = {},
): Promise<string> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify(asked),
  });
  return response.text();
};

test('a text is refused on a socket and by an event stream as it is by POST', async () => {
  const query = 'subscription { anything }';
  for (const told of [
    await overSocket(strict.url, { query }),
    await overSocket(strict.url, { query: stored }),
    await overSocket(strict.url, { query, extensions: hash('titles') }),
    await overSocket(strict.url, { query: '', extensions: hash('nobody’s') }),
    await overStream(strict.url, { query }),
    await overStream(strict.url, { query, id: 'titles' }),
    await overStream(strict.url, { id: 'nobody’s' }),
    JSON.stringify((await strict.ask({ query })).body),
  ])
    expect(told).toContain('PERSISTED_QUERY_REQUIRED');
});

test('what is stored is found there by its id', async () => {
  for (const told of [
    await overSocket(strict.url, { query: '', extensions: hash('titles') }),
    await overStream(strict.url, { id: 'titles' }),
    await overStream(strict.url, { extensions: hash('titles') }),
    await overStream(free.url, { id: 'titles' }, { 'x-api-key': key }),
  ]) {
    expect(told).not.toContain('PERSISTED_QUERY');
    expect(told).toMatch(/subscription/i);
  }
});

test('a partner is refused a text by an event stream, where everybody else may send any', async () => {
  const asked = { query: 'subscription { anything }' };
  expect(await overStream(free.url, asked, { 'x-api-key': key })).toContain('PERSISTED_QUERY_REQUIRED');
  expect(await overStream(free.url, asked)).not.toContain('PERSISTED_QUERY_REQUIRED');
});

test('a partner is known on a socket by its key, and may ask for what is agreed', async () => {
  const asked = { query: 'subscription { anything }' };
  const byId = { query: '', extensions: hash('titles') };
  const told = await overSocket(free.url, byId, { 'x-api-key': key });
  expect(told).not.toContain('PERSISTED_QUERY');
  expect(told).toMatch(/subscription/i);
  expect(await overSocket(free.url, asked, { 'X-Api-Key': key })).toContain('PERSISTED_QUERY_REQUIRED');
  expect(await overSocket(free.url, byId)).toContain('SHA-256');
  expect(await overSocket(free.url, asked, { 'x-api-key': `${key}x` })).toMatch(/^4403 /);
});

test('what is asked for on a socket counts as a request: of a partner, and of an address', async () => {
  const byId = { query: '', extensions: hash('titles') };
  const asPartner = () => overSocket(free.url, byId, { 'x-api-key': rareKey });
  expect(await asPartner()).not.toContain('RATE_LIMITED');
  expect(await asPartner()).toContain('RATE_LIMITED');
  const asked = () => overSocket(rated.url, { query: 'subscription { anything }' });
  const all = [await asked(), await asked(), await asked()];
  expect(all.map((told) => told.includes('RATE_LIMITED'))).toEqual([false, false, true]);
});
