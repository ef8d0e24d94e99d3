import { afterAll, beforeAll, expect, test } from 'vitest';
import { createJobs } from './jobs.ts';
import { openShop, tenantId, visitor } from './testing.ts';

let shop: Awaited<ReturnType<typeof openShop>>;
beforeAll(async () => {
  shop = await openShop({ registrationsPerHour: 3 });
});
afterAll(() => shop?.close());

test('an address may open only so many accounts in an hour, and its neighbour is not concerned', async () => {
  const place = visitor('203.0.113.60');
  const outcomes = await Promise.all(
    Array.from({ length: 6 }, (_, i) => shop.register({ email: `robot${i}@example.com` }, place)),
  );
  expect(outcomes.filter((outcome) => outcome.__typename === 'SessionStarted')).toHaveLength(3);
  const refused = outcomes.filter((outcome) => outcome.__typename === 'RateLimited');
  expect(refused).toHaveLength(3);
  expect(refused[0].retryAfterMs).toBeGreaterThan(59 * 60_000);
  const neighbour = await shop.register({ email: 'neighbour@example.com' }, visitor('203.0.113.61'));
  expect(neighbour.__typename).toBe('SessionStarted');
});

test('a mistyped form does not count, an address that is taken does', async () => {
  const place = visitor('203.0.113.62');
  for (let i = 0; i < 5; i++)
    expect((await shop.register({ email: 'mistyped' }, place)).__typename).toBe('InvalidInput');
  for (let i = 0; i < 3; i++)
    expect((await shop.register({ email: 'neighbour@example.com' }, place)).__typename).toBe('EmailTaken');
  expect((await shop.register({ email: 'neighbour@example.com' }, place)).__typename).toBe('RateLimited');
});

test('what no rule asks for any more is pruned: old attempts, used tokens, sessions long over', async () => {
  const session = await shop.register({ email: 'pruned@example.com' }, visitor('203.0.113.63'));
  await shop.refresh(session.refreshToken);
  await shop.database.sql`update attempt set at = at - interval '61 minutes' where kind = 'REGISTRATION'`;
  await shop.database.sql`update refresh_token set used_at = used_at - interval '30 days'`;
  await shop.database.sql`
    update session set expires_at = expires_at - interval '61 days'
    where user_id <> (select id from users where email = 'pruned@example.com')`;
  await shop.login({ email: 'pruned@example.com', password: 'wrong password' });

  const [job] = createJobs(shop.database, tenantId);
  const ctx = { now: new Date(), log: shop.contextOf(visitor()).log };
  expect(await job!.run(ctx)).toBeGreaterThan(0);
  expect(await job!.run(ctx)).toBe(0);
  const [left] = await shop.database.sql`
    select (select count(*) from attempt) as attempts, (select count(*) from refresh_token) as tokens,
           (select count(*) from session) as sessions`;
  expect(left).toEqual({ attempts: 1, tokens: 1, sessions: 1 });
});
