import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
// @boundaries-ignore tests share databases and services
import { type TestDatabase, testDatabase } from '../../tests/database.ts';
import { once } from './once.ts';
import { anonymous, type Viewer } from './viewer.ts';

const tenantId = randomUUID();
let db: TestDatabase<undefined>;

beforeAll(async () => {
  db = await testDatabase('fraud');
  await db.database.sql`create table work (key text not null, by uuid not null)`;
});
afterAll(() => db.close());

const somebody = (tenant = tenantId): Viewer & { userId: string } => ({
  ...anonymous(tenant),
  userId: randomUUID(),
});
const contextOf = (viewer: Viewer) => ({
  viewer,
  db: db.database.for({
    tenantId: viewer.tenantId,
    traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    causationId: null,
  }),
});
const place = (viewer: Viewer, key: string, request: unknown = {}, operation = 'checkout') =>
  once(contextOf(viewer), { operation, key, request }, async (tx) => {
    await tx.sql`insert into work (key, by) values (${key}, ${viewer.userId})`;
    return { orderId: randomUUID() };
  });
const timesDone = async (key: string): Promise<number> =>
  (await db.database.sql`select 1 from work where key = ${key}`).length;
const done = (outcome: object): unknown => ('done' in outcome ? outcome.done : outcome);

test('fifty checkouts at once with one key are one order, and all get the same answer', async () => {
  const viewer = somebody();
  const answers = await Promise.all(Array.from({ length: 50 }, () => place(viewer, 'k1')));
  expect(await timesDone('k1')).toBe(1);
  expect(new Set(answers.map((answer) => JSON.stringify(done(answer)))).size).toBe(1);
  expect(answers.filter((answer) => 'replayed' in answer && !answer.replayed)).toHaveLength(1);
});

test('the same request is the same in whatever order its fields came', async () => {
  const viewer = somebody();
  const first = await place(viewer, 'k2', { a: 1, b: { c: [1, 2], d: null } });
  const second = await place(viewer, 'k2', { b: { d: null, c: [1, 2] }, a: 1 });
  expect(second).toEqual({ done: done(first), replayed: true });
});

test.each([
  ['another amount', { a: 2 }],
  ['a list in another order', { a: 1, list: [2, 1] }],
  ['a field less', {}],
])('the key with another request is a conflict: %s', async (name, other) => {
  const viewer = somebody();
  const key = `k3 ${name}`;
  await place(viewer, key, name.startsWith('a list') ? { a: 1, list: [1, 2] } : { a: 1 });
  expect(await place(viewer, key, other)).toEqual({
    error: 'IdempotencyConflict',
    message: expect.any(String),
    path: ['input', 'idempotencyKey'],
  });
  expect(await timesDone(key)).toBe(1);
});

test('another customer, another tenant and another mutation have keys of their own', async () => {
  const viewer = somebody();
  const [neighbour, elsewhere] = [somebody(), { ...viewer, tenantId: randomUUID() }];
  const answers = [
    await place(viewer, 'k4'),
    await place(neighbour, 'k4'),
    await place(elsewhere, 'k4'),
    await place(viewer, 'k4', {}, 'refund'),
  ];
  expect(answers).toMatchObject(Array.from({ length: 4 }, () => ({ replayed: false })));
  expect(new Set(answers.map((answer) => JSON.stringify(done(answer)))).size).toBe(4);
});

test('a refusal leaves nothing behind, and the key may be used again', async () => {
  const viewer = somebody();
  const refused = await once(
    contextOf(viewer),
    { operation: 'checkout', key: 'k5', request: {} },
    async (tx) => {
      await tx.sql`insert into work (key, by) values ('k5', ${viewer.userId})`;
      return { error: 'CartChanged', version: 3 } as const;
    },
  );
  expect(refused).toEqual({ error: 'CartChanged', version: 3 });
  expect(await timesDone('k5')).toBe(0);
  expect(await place(viewer, 'k5', { anything: 'else' })).toMatchObject({ replayed: false });
});

test('work that fails leaves the key unused', async () => {
  const viewer = somebody();
  const failing = once(contextOf(viewer), { operation: 'checkout', key: 'k6', request: {} }, async () => {
    throw new Error('a bug');
  });
  await expect(failing).rejects.toThrow('a bug');
  expect(await place(viewer, 'k6')).toMatchObject({ replayed: false });
});

test.each([
  ['nothing', ''],
  ['201 characters', 'x'.repeat(201)],
  ['NUL', 'k\u00007'],
  ['half a letter', 'k\ud8007'],
])('a key of %s is the caller’s fault', async (_what, key) => {
  await expect(place(somebody(), key)).rejects.toMatchObject({
    extensions: { code: 'BAD_USER_INPUT', argument: 'input.idempotencyKey' },
  });
});

test('nobody who is not signed in has keys', async () => {
  await expect(place(anonymous(tenantId), 'k7')).rejects.toThrow(TypeError);
});
