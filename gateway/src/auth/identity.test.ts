import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@orderstream/runtime/log';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Identities, type IssuerSettings, openIdentities } from './identity.ts';
import { openKeys } from './keys.ts';

const [own, partner, foreign, other] = await Promise.all([
  generateKeyPair('ES256', { extractable: true }),
  generateKeyPair('EdDSA', { extractable: true }),
  generateKeyPair('ES256', { extractable: true }),
  generateKeyPair('ES384', { extractable: true }),
]);
const published = async (pair: typeof own, kid: string, alg: string) => ({
  ...(await exportJWK(pair.publicKey)),
  kid,
  alg,
  use: 'sig',
});
const first = await published(own, 'one', 'ES256');
const log = createLog('test', 'silent');
let keys: unknown[] = [first];
let looks = 0;
const server = createServer((_request, response) => {
  looks += 1;
  response.end(JSON.stringify({ keys }));
});
let folder: string;
let url: string;
let file: string;
let identities: Identities;

const shop: Omit<IssuerSettings, 'keys'> = {
  issuer: 'https://shop.example',
  audiences: ['gateway', 'backup'],
  algorithms: ['ES256'],
  clockToleranceSeconds: 30,
  maxAgeSeconds: 600,
  scopesClaim: 'scope',
  policiesClaim: 'access.policies',
};

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  folder = await mkdtemp(join(tmpdir(), 'keys-'));
  file = join(folder, 'partner.json');
  await writeFile(file, JSON.stringify({ keys: [await published(partner, 'p', 'EdDSA')] }));
  const issuers: IssuerSettings[] = [
    { ...shop, keys: { url } },
    {
      ...shop,
      issuer: 'https://partner.example',
      keys: { file },
      audiences: [],
      algorithms: ['EdDSA'],
      maxAgeSeconds: null,
    },
  ];
  identities = openIdentities({ issuers, scheme: 'Bearer' }, log);
});
afterAll(async () => {
  identities.close();
  server.close();
  await rm(folder, { recursive: true });
});

type Changes = {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly key?: Parameters<SignJWT['sign']>[0];
};

const seconds = (more: number): number => Math.floor(Date.now() / 1000) + more;

const sign = ({ header = {}, claims = {}, key = own.privateKey }: Changes = {}): Promise<string> =>
  new SignJWT({
    sub: 'ada',
    scope: 'orders:read  orders:write',
    access: { policies: ['finance'] },
    iss: shop.issuer,
    aud: 'gateway',
    iat: seconds(0),
    exp: seconds(600),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'one', ...header })
    .sign(key);

const signedByPartner = (claims: Record<string, unknown> = {}): Promise<string> =>
  sign({
    header: { alg: 'EdDSA', kid: 'p' },
    claims: { iss: 'https://partner.example', ...claims },
    key: partner.privateKey,
  });

test('a token tells who asks, what for, and until when', async () => {
  const identity = await identities.read(`Bearer ${await sign()}`);
  expect(identity).toMatchObject({ isSignedIn: true, issuer: shop.issuer, subject: 'ada' });
  expect([...identity.scopes]).toEqual(['orders:read', 'orders:write']);
  expect([...identity.policies]).toEqual(['finance']);
  expect(identity.expiresAt!.getTime()).toBeGreaterThan(Date.now() + 590_000);
});

test('several issuers are told apart, each with keys and rules of its own', async () => {
  const { issuer } = await identities.read(
    `Bearer ${await signedByPartner({ iat: seconds(-9_000), aud: 'any' })}`,
  );
  expect(issuer).toBe('https://partner.example');
  const borrowed = await signedByPartner({ iss: shop.issuer });
  await expect(identities.read(`Bearer ${borrowed}`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('no header means nobody in particular', async () => {
  expect(await identities.read(undefined)).toMatchObject({ isSignedIn: false, subject: null });
});

test('scopes may be a list, and what is neither list nor text gives none', async () => {
  const scopesOf = async (scope: unknown) => [
    ...(await identities.read(`Bearer ${await sign({ claims: { scope } })}`)).scopes,
  ];
  expect(await scopesOf(['a', 7, 'b'])).toEqual(['a', 'b']);
  expect(await scopesOf({ admin: true })).toEqual([]);
  expect(await scopesOf(undefined)).toEqual([]);
});

test('a token that was read a moment ago is known without waiting, until it expires', async () => {
  const header = `Bearer ${await sign({ claims: { exp: seconds(20) } })}`;
  expect(identities.known(header, Date.now())).toBeNull();
  const identity = await identities.read(header);
  expect(identities.known(header, Date.now())).toBe(identity);
  expect(identities.known(header, Date.now() + 20_000)).toBeNull();
  expect(identities.known(undefined, Date.now())?.isSignedIn).toBe(false);
});

test('a token known by one scheme is not known by another', async () => {
  const token = await sign();
  await identities.read(`Bearer ${token}`);
  expect(identities.known(`bearer ${token}`, Date.now())).not.toBeNull();
  expect(identities.known(`Secret ${token}`, Date.now())).toBeNull();
  expect(identities.known(token, Date.now())).toBeNull();
});

const publicPem = new TextEncoder().encode(await exportSPKI(own.publicKey));
const publicBytes = new TextEncoder().encode(JSON.stringify(first));

const wrong: [what: string, make: () => Promise<string> | string][] = [
  [
    'without a signature (alg none)',
    () =>
      `Bearer ${new UnsecuredJWT({ sub: 'ada' }).setIssuer(shop.issuer).setAudience('gateway').setExpirationTime('10m').encode()}`,
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
  ['made in an hour from now', async () => `Bearer ${await sign({ claims: { iat: seconds(3_600) } })}`],
  ['made an hour ago, for a day', async () => `Bearer ${await sign({ claims: { iat: seconds(-3_600) } })}`],
  ['that starts in an hour', async () => `Bearer ${await sign({ claims: { nbf: seconds(3_600) } })}`],
  ['for another audience', async () => `Bearer ${await sign({ claims: { aud: 'partner' } })}`],
  [
    'by an unknown issuer',
    async () => `Bearer ${await sign({ claims: { iss: 'https://elsewhere.example' } })}`,
  ],
  ['by an issuer that is a list', async () => `Bearer ${await sign({ claims: { iss: [shop.issuer] } })}`],
  ['of no issuer', async () => `Bearer ${await sign({ claims: { iss: undefined } })}`],
  ['cut short', async () => `Bearer ${(await sign()).slice(0, -4)}`],
  ['that is empty', () => 'Bearer '],
  ['that is no token', () => 'Bearer a.b.c'],
  ['of another scheme', () => 'Basic YWRhOnNlY3JldA=='],
  ['without its scheme', async () => await sign()],
];

test.each(wrong)('a token %s is refused', async (_what, make) => {
  await expect(identities.read(await make())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('made-up kids do not make us ask for the keys each time', async () => {
  const before = looks;
  for (let i = 0; i < 20; i++) {
    const token = await sign({ header: { kid: `made-up-${i}` }, key: foreign.privateKey });
    await expect(identities.read(`Bearer ${token}`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  }
  expect(looks - before).toBeLessThanOrEqual(1);
});

const headerOf = async (kid: string) => ({ alg: 'ES256', kid });
const signature = { payload: '', signature: '' };

test('a key that is published anew is found, at an address as in a file', async () => {
  const rotated = join(folder, 'rotated.json');
  for (const source of [{ url }, { file: rotated }]) {
    keys = [first];
    await writeFile(rotated, JSON.stringify({ keys }));
    const found = openKeys(source, log, 0);
    await found.check();
    await expect(found.get(await headerOf('next'), signature)).rejects.toThrow('no applicable key');
    keys = [first, { ...first, kid: 'next' }];
    await writeFile(rotated, JSON.stringify({ keys }));
    await vi.waitFor(async () => {
      const next = await found.get(await headerOf('next'), signature);
      expect(next).toBeDefined();
    });
    found.close();
  }
  keys = [first];
});

test('a file that is half written leaves the keys that were there', async () => {
  const half = join(folder, 'half.json');
  await writeFile(half, JSON.stringify({ keys: [first] }));
  const found = openKeys({ file: half }, log, 0);
  await found.check();
  await writeFile(half, '{"keys":[{');
  await expect(found.get(await headerOf('next'), signature)).rejects.toThrow('no applicable key');
  expect(await found.get(await headerOf('one'), signature)).toBeDefined();
  await expect(found.check()).rejects.toThrow();
  found.close();
});

test('known keys stay good while they cannot be asked for, and a first sign-in waits for them', async () => {
  keys = ['not a key'];
  await expect(identities.check()).rejects.toThrow();
  const token = await sign();
  expect((await identities.read(`Bearer ${token}`)).subject).toBe('ada');
  const fresh = openIdentities({ issuers: [{ ...shop, keys: { url } }], scheme: 'Bearer' }, log);
  await expect(fresh.read(`Bearer ${token}`)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  keys = [first];
  expect((await fresh.read(`Bearer ${token}`)).subject).toBe('ada');
  fresh.close();
  const nowhere = { ...shop, keys: { file: join(folder, 'nowhere.json') } };
  const lost = openIdentities({ issuers: [nowhere], scheme: 'Bearer' }, log);
  await expect(lost.read(`Bearer ${token}`)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  lost.close();
});
