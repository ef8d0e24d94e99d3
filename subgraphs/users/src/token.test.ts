import { ConfigError, readSettings } from '@orderstream/runtime/config';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { users } from './index.ts';
import { newKey } from './testing.ts';
import { hashOf, newRefreshToken, openTokens } from './token.ts';
import { keysDoor } from './webhooks.ts';

const user = {
  id: '01900000-0000-7000-8000-00000000000a',
  tenantId: '01900000-0000-7000-8000-000000000001',
  email: 'ada@example.com',
  displayName: 'Ada',
  roles: ['CUSTOMER' as const, 'FRAUD_REVIEWER' as const],
  version: 1,
  createdAt: new Date(),
};
const sessionId = '01900000-0000-7000-8000-00000000000b';
const rules = { issuer: 'orderstream', audience: 'orderstream', algorithms: ['ES256'] };

test('an access token says who, in which session, with which scopes, for ten minutes, and nothing personal', async () => {
  const now = new Date();
  const tokens = await openTokens(newKey());
  const { accessToken, expiresAt } = await tokens.issue(user, sessionId, now);
  const { payload, protectedHeader } = await jwtVerify(accessToken, createLocalJWKSet(tokens.jwks), rules);
  const issuedAt = Math.floor(now.getTime() / 1000);
  expect(payload).toEqual({
    sub: user.id,
    tid: user.tenantId,
    sid: sessionId,
    roles: ['CUSTOMER', 'FRAUD_REVIEWER'],
    scopes: ['fraud:review', 'orders:read'],
    iss: 'orderstream',
    aud: 'orderstream',
    iat: issuedAt,
    exp: issuedAt + 600,
  });
  expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'JWT', kid: tokens.jwks.keys[0]!.kid });
  expect(expiresAt).toEqual(new Date((issuedAt + 600) * 1000));
});

test('after a change of keys the tokens of the key before are still good, those of a third are not', async () => {
  const [former, current] = [newKey(), newKey()];
  const before = await openTokens(former);
  const after = await openTokens(current, former);
  const stranger = await openTokens(newKey());
  const keys = createLocalJWKSet(after.jwks);
  const now = new Date();
  for (const { issue } of [before, after]) {
    const { accessToken } = await issue(user, sessionId, now);
    await expect(jwtVerify(accessToken, keys, rules)).resolves.toBeDefined();
  }
  const { accessToken } = await stranger.issue(user, sessionId, now);
  await expect(jwtVerify(accessToken, keys, rules)).rejects.toMatchObject({
    code: 'ERR_JWKS_NO_MATCHING_KEY',
  });
});

test('the published keys have no private part and may be kept for five minutes', async () => {
  const tokens = await openTokens(newKey(), newKey());
  const jwks = keysDoor(tokens);
  expect([jwks.method, jwks.path]).toEqual(['GET', 'jwks']);
  const answer = await jwks.handle({} as never);
  expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'public, max-age=300' } });
  const { keys } = answer.body as { keys: object[] };
  expect(keys).toHaveLength(2);
  for (const key of keys)
    expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

test('a refresh token has 256 random bits, and what is kept of it is a hash', () => {
  const token = newRefreshToken();
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(newRefreshToken()).not.toBe(token);
  expect(hashOf(token)).toHaveLength(32);
  expect(hashOf(token).toString('base64url')).not.toBe(token);
});

test('without a key to sign with the subgraph does not start, and says how to make one', () => {
  const read = (env: NodeJS.ProcessEnv) => () => readSettings(env, users.settings);
  expect(read({})).toThrow(/ACCESS_TOKEN_KEY: a private P-256 key .* make one with: node -p/);
  const publicOnly = JSON.stringify({ ...JSON.parse(newKey()), d: undefined });
  for (const ACCESS_TOKEN_KEY of ['secret', '{}', publicOnly])
    expect(read({ ACCESS_TOKEN_KEY }), ACCESS_TOKEN_KEY).toThrow(ConfigError);
  expect(read({ ACCESS_TOKEN_KEY: newKey(), ACCESS_TOKEN_PREVIOUS_KEY: publicOnly })).not.toThrow();
  expect(read({ ACCESS_TOKEN_KEY: newKey(), ACCESS_TOKEN_PREVIOUS_KEY: 'secret' })).toThrow(/PREVIOUS/);
});

test('production takes no key that is marked as generated', () => {
  const marked = JSON.stringify({ ...JSON.parse(newKey()), kid: 'generated-on-this-laptop' });
  const secret = 'one of our own, with thirty-two characters';
  const env = { NODE_ENV: 'production', TENANT_SECRET: secret, GATEWAY_SECRET: secret };
  const read = (key: string) => () => readSettings({ ...env, ACCESS_TOKEN_KEY: key }, users.settings);
  expect(read(marked)).toThrow(/ACCESS_TOKEN_KEY: production needs/);
  expect(read(newKey())).not.toThrow();
});
