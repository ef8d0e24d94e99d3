import { createHash } from 'node:crypto';
import { createLog } from '@orderstream/runtime/log';
import { readManifest } from '@orderstream/runtime/manifest';
import { beforeEach, expect, test } from 'vitest';
import { createLocalWindows } from '../rate/windows.ts';
import { type AutomaticOperations, createAutomaticOperations, type TextStore } from './automatic.ts';
import { budgetOf, createPartners, newKey, type Partner, quotaOf } from './partners.ts';
import { createOperationDoor, requestedIn } from './requested.ts';

const log = createLog('test', 'silent');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const partnerOf = (id: string, manifest: string): Partner & { key: string } => ({
  id,
  name: id,
  ...newKey(),
  scopes: new Set(['orders:read']),
  manifest: readManifest(manifest),
  perMinute: 3,
  perDay: 5,
  costPerMinute: 100,
});
const acme = partnerOf('acme', '{"1":"{acme}"}');
const bolt = partnerOf('bolt', '{"2":"{bolt}"}');
const ours = readManifest('{"9":"{ours}"}');

let texts: Map<string, string>;
let automatic: AutomaticOperations;
const store: TextStore = {
  get: async (key) => texts.get(key) ?? null,
  set: async (key, text) => texts.set(key, text),
};
const openAutomatic = (most = 1_000, of: TextStore | null = store): AutomaticOperations =>
  createAutomaticOperations({ store: of, prefix: 't:', most, forMs: 60_000, log });
beforeEach(() => {
  texts = new Map();
  automatic = openAutomatic();
});

const door = () => createOperationDoor({ manifest: ours, automatic, isRequired: false });
const hashed = (hash: string, query?: string) =>
  requestedIn({ query, extensions: { persistedQuery: { version: 1, sha256Hash: hash } } });
const refusedAs = (code: string) => expect.objectContaining({ code });

test('a partner asks for its own operations by id', () => {
  expect(door().choose(requestedIn({ id: '1' }), acme)).toBe('{acme}');
  expect(door().choose(hashed('1'), acme)).toBe('{acme}');
});

test.each([
  ['a text', { query: '{acme}' }],
  ['a text with its id', { query: '{acme}', id: '1' }],
  ['the id of another partner', { id: '2' }],
  ['an id of our own front ends', { documentId: '9' }],
  ['an id of nobody', { id: '3' }],
  ['nothing', {}],
])('a partner is refused %s, and cannot tell it from any other refusal', (_what, body) => {
  expect(() => door().choose(requestedIn(body), acme)).toThrow(
    expect.objectContaining({
      code: 'PERSISTED_QUERY_REQUIRED',
      message: 'Only operations that were agreed on may be asked for, by their id.',
    }),
  );
});

test('a partner is refused a hash that our own front ends made known', () => {
  automatic.learn(sha256('{a}'), '{a}');
  expect(() => door().choose(hashed(sha256('{a}')), acme)).toThrow(refusedAs('PERSISTED_QUERY_REQUIRED'));
});

test('our own front ends ask by text, by id, and by a hash once they told the text', async () => {
  expect(door().choose(requestedIn({ query: '{a}' }), null)).toBe('{a}');
  expect(door().choose(requestedIn({ id: '9' }), null)).toBe('{ours}');
  await expect(door().choose(hashed(sha256('{a}')), null)).rejects.toMatchObject({
    code: 'PERSISTED_QUERY_NOT_FOUND',
    message: 'PersistedQueryNotFound',
  });
  expect(door().choose(hashed(sha256('{a}'), '{a}'), null)).toBe('{a}');
  expect(door().choose(hashed(sha256('{a}')), null)).toBe('{a}');
});

test('where only what was agreed on may be asked for, our own front ends are no exception', () => {
  const strict = createOperationDoor({ manifest: ours, automatic: null, isRequired: true });
  expect(strict.choose(requestedIn({ id: '9' }), null)).toBe('{ours}');
  expect(() => strict.choose(requestedIn({ query: '{ours}' }), null)).toThrow(
    refusedAs('PERSISTED_QUERY_REQUIRED'),
  );
});

test('a hash of another text is refused, and nothing is learnt from it', async () => {
  expect(() => door().choose(hashed(sha256('{a}'), '{b}'), null)).toThrow(refusedAs('BAD_USER_INPUT'));
  await expect(door().choose(hashed(sha256('{a}')), null)).rejects.toMatchObject({
    code: 'PERSISTED_QUERY_NOT_FOUND',
  });
});

test('without automatic persisted queries a hash is not found', () => {
  const plain = createOperationDoor({ manifest: ours, automatic: null, isRequired: false });
  expect(() => plain.choose(hashed(sha256('{a}')), null)).toThrow(refusedAs('PERSISTED_QUERY_NOT_FOUND'));
  expect(() => plain.choose(requestedIn({}), null)).toThrow(refusedAs('BAD_USER_INPUT'));
});

test.each([
  ['a query that is a list', { query: ['{a}'] }],
  ['an empty query', { query: '' }],
  ['an id that is a number', { id: 7 }],
  ['another version', { extensions: { persistedQuery: { version: 2, sha256Hash: 'a' } } }],
  ['a hash that is an object', { extensions: { persistedQuery: { version: 1, sha256Hash: {} } } }],
])('%s is bad input', (_what, body) => {
  expect(() => requestedIn(body)).toThrow(refusedAs('BAD_USER_INPUT'));
});

test('what one gateway learnt another finds in Redis, and believes only if the hash is right', async () => {
  automatic.learn(sha256('{a}'), '{a}');
  const neighbour = openAutomatic();
  expect(neighbour.known(sha256('{a}'))).toBeNull();
  expect(await neighbour.find(sha256('{a}'))).toBe('{a}');
  expect(neighbour.known(sha256('{a}'))).toBe('{a}');
  texts.set(`t:apq:${sha256('{b}')}`, '{changed}');
  await expect(neighbour.find(sha256('{b}'))).rejects.toMatchObject({ code: 'PERSISTED_QUERY_NOT_FOUND' });
  await expect(neighbour.find('../x')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('without Redis a gateway knows what it learnt itself', async () => {
  const broken: TextStore = {
    get: () => Promise.reject(new Error('away')),
    set: () => Promise.reject(new Error('away')),
  };
  for (const alone of [openAutomatic(1_000, null), openAutomatic(1_000, broken)]) {
    alone.learn(sha256('{a}'), '{a}');
    expect(await alone.find(sha256('{a}'))).toBe('{a}');
    await expect(alone.find(sha256('{b}'))).rejects.toMatchObject({ code: 'PERSISTED_QUERY_NOT_FOUND' });
  }
});

test('texts are held up to a size, and what was used last stays', () => {
  const small = openAutomatic(30, null);
  const [a, b, c] = ['{a1234567}', '{b1234567}', '{c1234567}'] as const;
  for (const text of [a, b, c]) small.learn(sha256(text), text);
  small.known(sha256(a));
  small.learn(sha256('{d12345678}'), '{d12345678}');
  expect([a, b, c, '{d12345678}'].map((text) => small.known(sha256(text)) !== null)).toEqual([
    true,
    false,
    false,
    true,
  ]);
  expect(small.size()).toBe(21);
});

test('a key leads to its partner, and any other to nobody', () => {
  const partners = createPartners([acme, bolt]);
  expect(partners.byKey(acme.key)?.id).toBe('acme');
  expect(partners.byKey(bolt.key)?.id).toBe('bolt');
  const swapped = `${acme.keyPrefix}.${bolt.key.split('.')[1]}`;
  const wrong = [
    '',
    '.',
    acme.keyPrefix,
    `${acme.key}x`,
    acme.key.slice(0, -1),
    swapped,
    'key_0.x',
    acme.key + 'x'.repeat(9_999),
  ];
  expect(wrong.map((key) => partners.byKey(key))).toEqual(wrong.map(() => null));
});

test('a key is never held, and a partner whose hash is missing has none', () => {
  expect(
    JSON.stringify(
      createPartners([acme])
        .all()
        .map(({ keyHash, keyPrefix }) => [keyHash, keyPrefix]),
    ),
  ).not.toContain(acme.key);
  const { key, ...rest } = acme;
  expect(createPartners([{ ...rest, keyHash: '' }]).byKey(key)).toBeNull();
  expect(() => createPartners([acme, { ...bolt, keyPrefix: acme.keyPrefix }])).toThrow('begin alike');
});

test('a partner has a quota for the minute and one for the day, and a budget', () => {
  let time = 1_700_000_000_000;
  const windows = createLocalWindows(1, () => time);
  const may = (asks: Parameters<typeof windows.take>[0]): boolean => {
    let told = false;
    windows.take(asks, ({ isAllowed }) => {
      told = isAllowed;
    });
    return told;
  };
  const times = (count: number): boolean[] => Array.from({ length: count }, () => may(quotaOf(acme)));
  expect(times(4)).toEqual([true, true, true, false]);
  expect(may(quotaOf(bolt))).toBe(true);
  time += 120_000;
  expect(times(3)).toEqual([true, true, false]);
  expect([
    may(budgetOf(acme, 90)),
    may(budgetOf(acme, 20)),
    may(budgetOf({ ...acme, costPerMinute: null }, 20_000)),
  ]).toEqual([true, false, true]);
});
