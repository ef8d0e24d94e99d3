import argon2 from '@node-rs/argon2';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openShop, password, visitor } from './testing.ts';

let shop: Awaited<ReturnType<typeof openShop>>;
let verified = 0;

beforeAll(async () => {
  shop = await openShop({
    argon: {
      hash: argon2.hash,
      verify: (hash, text) => {
        verified += 1;
        return argon2.verify(hash, text);
      },
    },
  });
});
afterAll(() => shop?.close());

const later = (sessionId: string, seconds: number) => shop.database.sql`
  update refresh_token set used_at = used_at - ${seconds} * interval '1 second' where session_id = ${sessionId}`;
const endOf = async (sessionId: string) => {
  const [row] = await shop.database.sql`select ended_because as why from session where id = ${sessionId}`;
  return row!.why;
};

describe('opening an account', () => {
  test('signs in, as a customer, with tokens that the published keys confirm', async () => {
    const session = await shop.register({ email: ' Grace@Example.com', displayName: ' Grace Hopper ' });
    expect(session).toMatchObject({
      __typename: 'SessionStarted',
      user: { email: 'grace@example.com', displayName: 'Grace Hopper', roles: ['CUSTOMER'], addresses: [] },
    });
    const { payload } = await jwtVerify(session.accessToken, createLocalJWKSet(shop.vault.tokens.jwks), {
      issuer: 'orderstream',
      audience: 'orderstream',
    });
    expect(payload.scopes).toEqual([]);
    expect(new Date(session.expiresAt).getTime()).toBe(payload.exp! * 1000);
    expect(await shop.told(payload.sub!)).toMatchObject([
      { type: 'user.registered', version: 1, data: { userId: payload.sub } },
    ]);
  });

  test('keeps password and refresh token as hashes only', async () => {
    const { userId, refreshToken } = await shop.customer();
    const [row] = await shop.database.sql<{ text: string }>`
      select concat((select u::text from users u where id = ${userId}),
                    (select string_agg(t::text, ' ') from refresh_token t)) as text`;
    expect(row!.text).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    expect(row!.text).not.toContain(password);
    expect(row!.text).not.toContain(refreshToken);
  });

  test('is possible once per e-mail address, however it is written and however many try at once', async () => {
    const twins = ['twin@example.com', 'TWIN@example.com', 'ｔwin@example.com', ' twin@EXAMPLE.com '];
    const outcomes = await Promise.all(twins.map((email) => shop.register({ email })));
    expect(outcomes.map((outcome) => outcome.__typename).sort()).toEqual([
      'EmailTaken',
      'EmailTaken',
      'EmailTaken',
      'SessionStarted',
    ]);
    expect(await shop.register({ email: 'twin@example.com' })).toEqual({
      __typename: 'EmailTaken',
      code: 'EMAIL_TAKEN',
      message: 'There is an account with this e-mail address.',
      path: ['input', 'email'],
    });
  });

  test('lists everything that is wrong', async () => {
    const refused = await shop.register({ email: 'x', password: 'y', displayName: '\0' });
    expect(refused).toMatchObject({ __typename: 'InvalidInput', code: 'INVALID_INPUT' });
    expect(refused.problems.map((problem: { path: string[] }) => problem.path[1])).toEqual([
      'email',
      'password',
      'displayName',
    ]);
  });
});

describe('signing in', () => {
  test('works with the address in any letter case, and again and again', async () => {
    const { email, userId } = await shop.customer();
    const [one, other] = await Promise.all([
      shop.login({ email: email.toUpperCase() }),
      shop.login({ email: ` ${email} ` }),
    ]);
    expect([one.__typename, other.__typename]).toEqual(['SessionStarted', 'SessionStarted']);
    expect(one.refreshToken).not.toBe(other.refreshToken);
    const sessions = await shop.database.sql`select 1 from session where user_id = ${userId}`;
    expect(sessions).toHaveLength(3);
  });

  test('tells an unknown address from a wrong password neither by text nor by work', async () => {
    const { email } = await shop.customer();
    await shop.database.sql`
      insert into users (id, tenant_id, email, display_name, roles)
      values ('01900000-0000-7000-8000-0000000000aa', '01900000-0000-7000-8000-000000000001',
              'no-password@example.com', 'Seeded', '{CUSTOMER}')`;
    const place = visitor('203.0.113.20');
    const outcomes = [];
    for (const input of [
      { email, password: 'a wrong password' },
      { email: 'nobody@example.com' },
      { email: 'no-password@example.com' },
      { email: 'not an address\0' },
    ]) {
      const before = verified;
      outcomes.push({ ...(await shop.login(input, place)), checks: verified - before });
    }
    for (const outcome of outcomes)
      expect(outcome).toEqual({
        __typename: 'InvalidCredentials',
        code: 'INVALID_CREDENTIALS',
        message: 'The e-mail address or the password is wrong.',
        path: null,
        checks: 1,
      });
  });

  test('does not hash a megabyte', async () => {
    const { email } = await shop.customer();
    const before = verified;
    const outcome = await shop.login({ email, password: 'x'.repeat(1_000_000) }, visitor('203.0.113.21'));
    expect(outcome.__typename).toBe('InvalidCredentials');
    expect(verified).toBe(before);
  });

  test('is refused after five wrong passwords, right or wrong, and only from that place', async () => {
    const { email } = await shop.customer();
    const place = visitor('203.0.113.30');
    for (let i = 0; i < 5; i++)
      expect((await shop.login({ email, password: 'wrong password' }, place)).__typename).toBe(
        'InvalidCredentials',
      );
    const refused = await shop.login({ email }, place);
    expect(refused).toMatchObject({ __typename: 'RateLimited', code: 'RATE_LIMITED' });
    expect(refused.retryAfterMs).toBeGreaterThan(14 * 60_000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(15 * 60_000);
    expect((await shop.login({ email }, visitor('203.0.113.31'))).__typename).toBe('SessionStarted');

    await shop.database.sql`update attempt set at = at - interval '16 minutes'`;
    expect((await shop.login({ email }, place)).__typename).toBe('SessionStarted');
  });

  test('forgets the wrong passwords once the right one has come', async () => {
    const { email } = await shop.customer();
    const place = visitor('203.0.113.40');
    const wrongly = async (times: number) => {
      for (let i = 0; i < times; i++) await shop.login({ email, password: 'wrong password' }, place);
    };
    await wrongly(4);
    expect((await shop.login({ email }, place)).__typename).toBe('SessionStarted');
    await wrongly(4);
    expect((await shop.login({ email }, place)).__typename).toBe('SessionStarted');
  });

  test('lets no more than five guesses through when thirty come at once', async () => {
    const { email } = await shop.customer();
    const place = visitor('203.0.113.50');
    const before = verified;
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, i) => shop.login({ email, password: `guess number ${i}` }, place)),
    );
    expect(verified - before).toBe(5);
    expect(outcomes.filter((outcome) => outcome.__typename === 'RateLimited')).toHaveLength(25);
  });

  test('is refused from a place with twenty failures, whichever accounts they were for', async () => {
    const { email } = await shop.customer();
    const place = visitor('2001:db8:0:1::1');
    for (let i = 0; i < 20; i++) await shop.login({ email: `guess${i}@example.com` }, place);
    expect((await shop.login({ email }, visitor('2001:db8:0:1:ffff::2'))).__typename).toBe('RateLimited');
    expect((await shop.login({ email }, visitor('2001:db8:0:2::1'))).__typename).toBe('SessionStarted');
  });

  test('keeps neither the e-mail nor the client address of an attempt', async () => {
    await shop.login({ email: 'secret-person@example.com' }, visitor('198.51.100.77'));
    const rows = await shop.database.sql<{ text: string }>`select encode(address, 'escape') || ' ' ||
      encode(account, 'escape') as text from attempt where kind = 'LOGIN'`;
    expect(rows.length).toBeGreaterThan(0);
    for (const { text } of rows) expect(text).not.toMatch(/secret-person|198\.51/);
  });
});

describe('refreshing a session', () => {
  test('gives new tokens of the same session, and once more with those', async () => {
    const { refreshToken, viewer } = await shop.customer();
    const second = await shop.refresh(refreshToken);
    const third = await shop.refresh(second.refreshToken);
    const { payload } = await jwtVerify(third.accessToken, createLocalJWKSet(shop.vault.tokens.jwks));
    expect(payload).toMatchObject({ sub: viewer.userId, sid: viewer.sessionId });
    expect(new Set([refreshToken, second.refreshToken, third.refreshToken]).size).toBe(3);
  });

  test('brings the roles of today', async () => {
    const { refreshToken, userId } = await shop.customer();
    await shop.database.sql`update users set roles = '{CUSTOMER,FRAUD_REVIEWER}' where id = ${userId}`;
    const { accessToken, user } = await shop.refresh(refreshToken);
    const { payload } = await jwtVerify(accessToken, createLocalJWKSet(shop.vault.tokens.jwks));
    expect(payload.scopes).toEqual(['fraud:review', 'orders:read']);
    expect(user.roles).toEqual(['CUSTOMER', 'FRAUD_REVIEWER']);
  });

  test('succeeds exactly once when one token comes ten times at once, and the session lives on', async () => {
    const { refreshToken } = await shop.customer();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => shop.refresh(refreshToken)));
    const good = outcomes.filter((outcome) => outcome.__typename === 'SessionStarted');
    expect(good).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.__typename === 'SessionExpired')).toHaveLength(9);
    expect((await shop.refresh(good[0].refreshToken)).__typename).toBe('SessionStarted');
  });

  test('with a token used long ago ends the whole family', async () => {
    const { refreshToken, viewer, email } = await shop.customer();
    const second = await shop.refresh(refreshToken);
    const third = await shop.refresh(second.refreshToken);
    const elsewhere = await shop.login({ email });
    await later(viewer.sessionId!, 11);
    expect(await shop.refresh(refreshToken)).toEqual({
      __typename: 'SessionExpired',
      code: 'SESSION_EXPIRED',
      message: 'The session is over. Sign in again.',
      path: null,
    });
    expect((await shop.refresh(third.refreshToken)).__typename).toBe('SessionExpired');
    expect(await endOf(viewer.sessionId!)).toBe('REUSE');
    expect((await shop.refresh(elsewhere.refreshToken)).__typename).toBe('SessionStarted');
  });

  test('is over after thirty days without use', async () => {
    const { refreshToken, viewer } = await shop.customer();
    const [row] = await shop.database.sql<{ days: string }>`
      select extract(day from expires_at - started_at) as days from session where id = ${viewer.sessionId}`;
    expect(Number(row!.days)).toBe(30);
    await shop.database.sql`
      update session set expires_at = expires_at - interval '30 days' where id = ${viewer.sessionId}`;
    expect((await shop.refresh(refreshToken)).__typename).toBe('SessionExpired');
  });

  test('knows no token that was made up, is empty, or belongs to another tenant', async () => {
    const { refreshToken } = await shop.customer();
    const stranger = { ...visitor(), tenantId: '01900000-0000-7000-8000-000000000002' };
    const outcomes = await Promise.all([
      shop.refresh('made-up'),
      shop.refresh(''),
      shop.refresh('\0'),
      shop.mutate(stranger, 'refreshSession', 'RefreshSessionInput', '', { refreshToken }),
    ]);
    for (const outcome of outcomes) expect(outcome.__typename).toBe('SessionExpired');
    expect((await shop.refresh(refreshToken)).__typename).toBe('SessionStarted');
  });
});

describe('signing out', () => {
  test('ends this session and no other', async () => {
    const here = await shop.customer();
    const there = await shop.login({ email: here.email });
    expect(await shop.logout(here.refreshToken)).toMatchObject({ __typename: 'SessionEnded' });
    expect((await shop.refresh(here.refreshToken)).__typename).toBe('SessionExpired');
    expect((await shop.logout(here.refreshToken)).__typename).toBe('SessionExpired');
    expect((await shop.refresh(there.refreshToken)).__typename).toBe('SessionStarted');
  });

  test('everywhere ends all of them, and nobody else’s', async () => {
    const [here, stranger] = [await shop.customer(), await shop.customer()];
    const there = await shop.login({ email: here.email });
    expect((await shop.logout(here.refreshToken, true)).__typename).toBe('SessionEnded');
    expect((await shop.refresh(there.refreshToken)).__typename).toBe('SessionExpired');
    expect(await endOf(here.viewer.sessionId!)).toBe('EVERYWHERE');
    expect((await shop.refresh(stranger.refreshToken)).__typename).toBe('SessionStarted');
  });

  test('works with a token that was exchanged a moment ago; one used long ago ends its own session only', async () => {
    const raced = await shop.customer();
    await shop.refresh(raced.refreshToken);
    expect((await shop.logout(raced.refreshToken)).__typename).toBe('SessionEnded');

    const stolen = await shop.customer();
    const elsewhere = await shop.login({ email: stolen.email });
    await shop.refresh(stolen.refreshToken);
    await later(stolen.viewer.sessionId!, 11);
    expect((await shop.logout(stolen.refreshToken, true)).__typename).toBe('SessionExpired');
    expect(await endOf(stolen.viewer.sessionId!)).toBe('REUSE');
    expect((await shop.refresh(elsewhere.refreshToken)).__typename).toBe('SessionStarted');
  });
});
