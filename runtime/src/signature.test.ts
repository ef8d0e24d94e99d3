import { expect, test } from 'vitest';
import { sign, signingKey, subscriptionBody, verify } from './signature.ts';
import { anonymous, type Viewer, viewerToText } from './viewer.ts';

const key = signingKey('k'.repeat(40));
const now = new Date('2026-11-21T10:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const viewer: Viewer = {
  ...anonymous('01900000-0000-7000-8000-000000000001'),
  userId: '01900000-0000-7000-8000-000000000002',
  scopes: new Set(['orders:read']),
};
const path = '/orders/graphql';
const body = '{"query":"{ me { id } }"}';
const signed = sign(key, 'POST', path, viewer, body, now);
const [time, digest] = signed.signature.split('.') as [string, string];

test('what the gateway signed is believed, scopes included', () => {
  expect(verify(key, 'POST', path, signed, body, now)).toEqual(viewer);
  expect(verify(key, 'POST', path, signed, Buffer.from(body), now)).toEqual(viewer);
});

test('a signature is good for half a minute before and after', () => {
  for (const ms of [-30_000, 30_000])
    expect(verify(key, 'POST', path, signed, body, later(ms))).toEqual(viewer);
});

const forged = viewerToText({ ...viewer, scopes: new Set(['refunds:write']) });

test.each([
  ['a request without headers', { given: {} }],
  ['a request without a signature', { given: { viewer: signed.viewer } }],
  ['a request without a viewer', { given: { signature: signed.signature } }],
  ['a header sent twice', { given: { ...signed, signature: [signed.signature, signed.signature] } }],
  ['an empty signature', { given: { ...signed, signature: '' } }],
  ['a time without a digest', { given: { ...signed, signature: `${time}.` } }],
  ['a digest without a time', { given: { ...signed, signature: `.${digest}` } }],
  ['a third part', { given: { ...signed, signature: `${signed.signature}.x` } }],
  ['a shortened digest', { given: { ...signed, signature: `${time}.${digest.slice(0, 20)}` } }],
  ['a time that is no number', { given: { ...signed, signature: `soon.${digest}` } }],
  ['a time that was made younger', { given: { ...signed, signature: `${Number(time) + 1}.${digest}` } }],
  ['a viewer with more scopes', { given: { ...signed, viewer: forged } }],
  ['another body', { body: '{"query":"{ orders { id } }"}' }],
  ['a body with a blank at its end', { body: `${body} ` }],
  ['another path', { path: '/payments/graphql' }],
  ['a path with a query', { path: `${path}?x=1` }],
  ['another method', { method: 'SUBSCRIBE' }],
  ['another key', { key: signingKey('x'.repeat(40)) }],
  ['a signature of half a minute ago', { now: later(30_001) }],
  ['a signature from the future', { now: later(-30_001) }],
] as const)('%s is not believed', (_, other) => {
  const request = { key, method: 'POST', path, given: signed, body, now, ...other };
  expect(
    verify(request.key, request.method, request.path, request.given, request.body, request.now),
  ).toBeNull();
});

test('a subscription is signed with its variables', () => {
  const text = subscriptionBody('subscription { x }', { id: 'a' });
  const given = sign(key, 'SUBSCRIBE', path, viewer, text, now);
  expect(verify(key, 'SUBSCRIBE', path, given, text, now)).toEqual(viewer);
  const other = subscriptionBody('subscription { x }', { id: 'b' });
  expect(verify(key, 'SUBSCRIBE', path, given, other, now)).toBeNull();
  expect(subscriptionBody('subscription { x }', null)).toBe(subscriptionBody('subscription { x }', {}));
});
