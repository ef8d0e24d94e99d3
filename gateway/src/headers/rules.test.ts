import { expect, test } from 'vitest';
import type { HeaderRule } from '../configuration/subgraph-settings.ts';
import { createCors, isForgeable } from './cors.ts';
import { headersFor } from './rules.ts';

const forward = (name: string, as = name, fallback: string | null = null): HeaderRule => ({
  kind: 'forward',
  name,
  as,
  fallback,
});

test('without rules nothing of the client reaches a subgraph', () => {
  expect(headersFor([])({ cookie: 'a=b', authorization: 'Bearer x' })).toEqual([]);
});

test('rules are followed one after the other', () => {
  const headers = headersFor([
    forward('accept-language', 'accept-language', 'en'),
    forward('x-a', 'x-b'),
    { kind: 'set', name: 'x-from', value: 'gateway' },
    forward('x-gone'),
    { kind: 'remove', name: 'x-gone' },
    { kind: 'set', name: 'x-b', value: 'ours' },
  ]);
  expect(headers({ 'x-a': '1', 'x-gone': '2' })).toEqual([
    'accept-language',
    'en',
    'x-b',
    'ours',
    'x-from',
    'gateway',
  ]);
  expect(headers({ 'accept-language': 'de' })).toEqual([
    'accept-language',
    'de',
    'x-from',
    'gateway',
    'x-b',
    'ours',
  ]);
});

test('a header that came twice goes on as one, and one that was not sent does not', () => {
  expect(headersFor([forward('x-a'), forward('x-c')])({ 'x-a': ['1', '2'] })).toEqual(['x-a', '1, 2']);
});

test('no value of a client stands where the gateway’s own does', () => {
  const rules = [forward('x-viewer'), forward('x-a', 'x-signature')];
  const headers = headersFor(rules, new Set(['x-viewer', 'x-signature']));
  expect(headers({ 'x-viewer': 'admin', 'x-a': 'forged' })).toEqual([]);
});

test.each(['a\r\nx-viewer: admin', 'a\0b', 'snow \u2603'])(
  '%j is no value of a header and is left out',
  (value) => {
    expect(headersFor([forward('x-a')])({ 'x-a': value })).toEqual([]);
  },
);

test('names that every object inherits are not headers that were sent', () => {
  expect(headersFor([forward('constructor')])({})).toEqual([]);
});

const cors = {
  origins: ['https://shop.example'],
  credentials: true,
  headers: ['content-type'],
  exposes: [],
  maxAge: 600_000,
};

test('a page of the shop may call, as its visitor', () => {
  const { answer, preflight } = createCors(cors);
  expect(answer('https://shop.example')).toEqual([
    'vary',
    'Origin',
    'access-control-allow-origin',
    'https://shop.example',
    'access-control-allow-credentials',
    'true',
  ]);
  expect(preflight('https://shop.example')).toEqual([
    ...answer('https://shop.example'),
    'access-control-allow-methods',
    'GET, POST, OPTIONS',
    'access-control-allow-headers',
    'content-type',
    'access-control-max-age',
    '600',
  ]);
});

test.each([
  'https://evil.example',
  'https://shop.example.evil.example',
  'http://shop.example',
  'null',
  undefined,
])('a page of %s may not, and no cache takes its answer for somebody else’s', (origin) => {
  const { answer, preflight } = createCors(cors);
  expect([answer(origin), preflight(origin)]).toEqual([
    ['vary', 'Origin'],
    ['vary', 'Origin'],
  ]);
});

test('where every page may call the answer is the same for all', () => {
  const { answer } = createCors({ ...cors, origins: ['*'], credentials: false, exposes: ['x-trace-id'] });
  expect(answer('https://any.example')).toEqual([
    'access-control-allow-origin',
    '*',
    'access-control-expose-headers',
    'x-trace-id',
  ]);
});

test.each<[string, string, string | undefined, string[], boolean]>([
  ['a form', 'POST', 'application/x-www-form-urlencoded', [], true],
  ['plain text', 'POST', 'text/plain;charset=UTF-8', [], true],
  ['an upload', 'POST', 'multipart/form-data; boundary=x', [], true],
  ['a post of no type', 'POST', undefined, [], true],
  ['a link', 'GET', undefined, [], true],
  ['JSON', 'POST', 'application/json', [], false],
  ['JSON in capitals', 'POST', 'Application/JSON; charset=utf-8', [], false],
  ['a link with a marker', 'GET', undefined, ['apollo-require-preflight'], false],
  ['an upload with a marker', 'POST', 'multipart/form-data', ['x-apollo-operation-name'], false],
])('%s: whether a foreign page could have sent it', (_what, method, contentType, names, forgeable) => {
  expect(isForgeable({ method, contentType, names: new Set(names) })).toBe(forgeable);
});
