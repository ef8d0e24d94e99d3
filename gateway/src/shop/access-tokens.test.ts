import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLog } from '@orderstream/runtime/log';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Identities, type Identity, openIdentities } from '../auth/identity.ts';
import { acceptsClaims, ourIssuer, viewerOf } from './access-tokens.ts';
import { ada, bob, tenantId } from './fixture-shop.ts';

const [own, foreign, other] = await Promise.all([
  generateKeyPair('ES256', { extractable: true }),
  generateKeyPair('ES256', { extractable: true }),
  generateKeyPair('ES384', { extractable: true }),
]);
const jwk = { ...(await exportJWK(own.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
const log = createLog('test', 'silent');
let published: unknown[] = [jwk];
let looks = 0;
const server = createServer((_request, response) => {
  looks += 1;
  response.end(JSON.stringify({ keys: published }));
});
let tokens: Identities;
let url: string;

const open = (): Identities =>
  openIdentities({ issuers: [ourIssuer(url)], scheme: 'Bearer' }, log, acceptsClaims);

const asViewer = (identity: Identity, headers: Record<string, string> = {}) =>
  viewerOf({ identity, address: '203.0.113.9', headers }, tenantId);

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/users/jwks`;
  tokens = open();
});
afterAll(() => {
  tokens.close();
  server.close();
});

type Changes = {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly key?: Parameters<SignJWT['sign']>[0];
};

const sign = ({ header = {}, claims = {}, key = own.privateKey }: Changes = {}): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    sub: ada,
    tid: tenantId,
    sid: bob,
    scopes: ['orders:read'],
    iss: 'orderstream',
    aud: 'orderstream',
    iat: now,
    exp: now + 600,
    ...claims,
  };
  return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'one', ...header }).sign(key);
};

const seconds = (more: number): number => Math.floor(Date.now() / 1000) + more;
const replaced = (text: string, part: number, by: string): string =>
  text
    .split('.')
    .map((each, index) => (index === part ? by : each))
    .join('.');

test('a token of ours tells who asks and until when', async () => {
  const identity = await tokens.read(`Bearer ${await sign()}`);
  const viewer = asViewer(identity);
  expect(viewer).toMatchObject({ userId: ada, tenantId, sessionId: bob, service: null });
  expect([...viewer.scopes]).toEqual(['orders:read']);
  expect(identity.expiresAt!.getTime()).toBeGreaterThan(Date.now() + 590_000);
});

test('no header means nobody in particular, of the default tenant', async () => {
  const identity = await tokens.read(undefined);
  const viewer = asViewer(identity);
  expect(viewer).toMatchObject({ userId: null, tenantId });
  expect(viewer.scopes.size).toBe(0);
  expect(identity.expiresAt).toBeNull();
});

test('a clock that is 20 seconds off does not matter', async () => {
  const { subject } = await tokens.read(`Bearer ${await sign({ claims: { exp: seconds(-20) } })}`);
  expect(subject).toBe(ada);
});

const publicPem = new TextEncoder().encode(await exportSPKI(own.publicKey));
const publicBytes = new TextEncoder().encode(JSON.stringify(jwk));

const wrong: [string, () => Promise<string> | string][] = [
  [
    'without a signature (alg none)',
    () =>
      `Bearer ${new UnsecuredJWT({ sub: ada, tid: tenantId, sid: bob, scopes: [] }).setIssuer('orderstream').setAudience('orderstream').setExpirationTime('10m').encode()}`,
  ],
  [
    'signed as HS256 with the public key as PEM',
    async () => `Bearer ${await sign({ header: { alg: 'HS256' }, key: publicPem })}`,
  ],
  [
    'signed as HS256 with the published key',
    async () => `Bearer ${await sign({ header: { alg: 'HS256' }, key: publicBytes })}`,
  ],
  [
    'signed as ES384',
    async () => `Bearer ${await sign({ header: { alg: 'ES384' }, key: other.privateKey })}`,
  ],
  [
    'of an unknown kid',
    async () => `Bearer ${await sign({ header: { kid: 'two' }, key: foreign.privateKey })}`,
  ],
  ['of a kid that is a path', async () => `Bearer ${await sign({ header: { kid: '../../etc/passwd' } })}`],
  ['of our kid by a foreign key', async () => `Bearer ${await sign({ key: foreign.privateKey })}`],
  ['that expired a minute ago', async () => `Bearer ${await sign({ claims: { exp: seconds(-60) } })}`],
  ['that never expires', async () => `Bearer ${await sign({ claims: { exp: undefined } })}`],
  [
    'that was made in an hour from now',
    async () => `Bearer ${await sign({ claims: { iat: seconds(3600) } })}`,
  ],
  ['made an hour ago, for a day', async () => `Bearer ${await sign({ claims: { iat: seconds(-3600) } })}`],
  ['that starts in an hour', async () => `Bearer ${await sign({ claims: { nbf: seconds(3600) } })}`],
  ['for another audience', async () => `Bearer ${await sign({ claims: { aud: 'partner' } })}`],
  ['by another issuer', async () => `Bearer ${await sign({ claims: { iss: 'elsewhere' } })}`],
  ['of nobody', async () => `Bearer ${await sign({ claims: { sub: undefined } })}`],
  ['whose user is no uuid', async () => `Bearer ${await sign({ claims: { sub: "' or 1=1" } })}`],
  ['whose scopes are text', async () => `Bearer ${await sign({ claims: { scopes: 'orders:read' } })}`],
  ['without a tenant', async () => `Bearer ${await sign({ claims: { tid: undefined } })}`],
  [
    'with other claims than were signed',
    async () =>
      `Bearer ${replaced(await sign(), 1, Buffer.from(JSON.stringify({ sub: bob, tid: tenantId, sid: bob, scopes: [], iss: 'orderstream', aud: 'orderstream', exp: seconds(600) })).toString('base64url'))}`,
  ],
  ['cut short', async () => `Bearer ${(await sign()).slice(0, -4)}`],
  ['that is empty', () => 'Bearer '],
  ['that is no token', () => 'Bearer a.b.c'],
  ['of another scheme', () => 'Basic YWRhOnNlY3JldA=='],
];

test.each(wrong)('a token %s is refused', async (_name, make) => {
  await expect(tokens.read(await make())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('made-up kids do not make us ask for the keys each time', async () => {
  const before = looks;
  for (let i = 0; i < 20; i++) {
    const token = await sign({ header: { kid: `made-up-${i}` }, key: foreign.privateKey });
    await expect(tokens.read(`Bearer ${token}`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  }
  expect(looks - before).toBeLessThanOrEqual(1);
});

test('known keys stay good while they cannot be asked for, and a first sign-in waits for them', async () => {
  published = ['not a key'];
  await expect(tokens.check()).rejects.toThrow();
  expect((await tokens.read(`Bearer ${await sign()}`)).subject).toBe(ada);
  const fresh = open();
  const token = await sign();
  await expect(fresh.read(`Bearer ${token}`)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  published = [jwk];
  expect((await fresh.read(`Bearer ${token}`)).subject).toBe(ada);
  fresh.close();
});
