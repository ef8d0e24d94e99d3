import { randomUUID } from 'node:crypto';
import { decodeId, encodeId, newId } from '@orderstream/runtime/ids';
import type { Viewer } from '@orderstream/runtime/viewer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mostBytes } from './api-client.ts';
import { hearUsage } from './api-client-service.ts';
import { openShop, tenantId, visitor } from './testing.ts';
import { scopesOfAll } from './user.ts';

let shop: Awaited<ReturnType<typeof openShop>>;
let admin: Viewer;
beforeAll(async () => {
  shop = await openShop();
  admin = { ...(await shop.customer()).viewer, scopes: new Set(scopesOfAll(['ADMIN'])) };
});
afterAll(() => shop?.close());

const seen = `client {
  id name keyPrefix scopes perMinute perDay costPerMinute version revokedAt createdBy { id }
  operations { totalCount edges { node { id name body } } } audit { action version actor { id } }
}`;
const create = (input: object = {}, viewer = admin) =>
  shop.mutate(viewer, 'createApiClient', 'CreateApiClientInput', `... on ApiClientCreated { key ${seen} }`, {
    idempotencyKey: randomUUID(),
    name: 'Acme',
    ...input,
  });
const set = (id: string, manifest: unknown, input: object = {}, viewer = admin) =>
  shop.mutate(
    viewer,
    'setApiClientOperations',
    'SetApiClientOperationsInput',
    `... on ApiClientOperationsSet { ${seen} } ... on ApiClientIsRevoked { client { id } }
     ... on VersionConflict { currentVersion }`,
    {
      idempotencyKey: randomUUID(),
      id,
      manifest: typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
      ...input,
    },
  );
const revoke = (id: string, input: object = {}, viewer = admin) =>
  shop.mutate(viewer, 'revokeApiClient', 'RevokeApiClientInput', `... on ApiClientRevoked { ${seen} }`, {
    idempotencyKey: randomUUID(),
    id,
    ...input,
  });

const query = { id: 'a1', name: 'Goods', type: 'query', body: 'query Goods { products { id } }' };
const change = { id: 'b2', name: 'Buy', type: 'mutation', body: 'mutation Buy { buy }' };
const manifestOf = (...operations: object[]) => ({
  format: 'apollo-persisted-query-manifest',
  version: 1,
  operations,
});
const idsOf = ({ client }: { client: { operations: { edges: { node: { id: string } }[] } } }) =>
  client.operations.edges.map(({ node }) => node.id);

describe('a key', () => {
  test('is shown once, and neither it nor its secret is in any row', async () => {
    const idempotencyKey = randomUUID();
    const made = await create({ idempotencyKey, scopes: ['stock:read', 'orders:read', 'orders:read'] });
    expect(made.key).toMatch(/^osk_[0-9a-f]{12}_[\w-]{43}$/);
    expect(made.client).toMatchObject({
      name: 'Acme',
      keyPrefix: made.key.slice(0, 16),
      scopes: ['orders:read', 'stock:read'],
      perMinute: 600,
      perDay: 100_000,
      costPerMinute: null,
      version: 1,
      revokedAt: null,
      createdBy: { id: encodeId('user', admin.userId!) },
      operations: { totalCount: 0, edges: [] },
      audit: [{ action: 'CREATED', version: 1, actor: { id: encodeId('user', admin.userId!) } }],
    });
    const again = await create({ idempotencyKey, scopes: ['orders:read', 'stock:read'] });
    expect(again).toEqual({ ...made, key: null });
    const rows = await shop.database.sql<{ text: string }>`
      select to_json(c)::text as text from api_client c union all select to_json(i)::text from plumbing.idempotency i
      union all select to_json(a)::text from api_client_audit a`;
    const secret = made.key.slice(17);
    expect(rows.filter(({ text }) => text.includes(secret))).toEqual([]);
    expect(rows.filter(({ text }) => text.includes(made.client.keyPrefix))).toHaveLength(1);
  });

  test('made with a word that was used for another one is refused', async () => {
    const idempotencyKey = randomUUID();
    await create({ idempotencyKey });
    expect(await create({ idempotencyKey, name: 'Bolt' })).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  test('is made once by many who ask at the same moment', async () => {
    const idempotencyKey = randomUUID();
    const made = await Promise.all(Array.from({ length: 8 }, () => create({ idempotencyKey })));
    expect(new Set(made.map(({ client }) => client.id)).size).toBe(1);
    expect(made.filter(({ key }) => key !== null)).toHaveLength(1);
  });

  test('has limits, a name, and no scope that its maker has not or that is not for programs', async () => {
    const made = await create({
      name: ' ',
      scopes: ['orders:read', 'clients:write', 'root'],
      perMinute: 0,
      perDay: -1,
      costPerMinute: 0,
    });
    expect(made.code).toBe('INVALID_INPUT');
    expect(made.problems.map(({ path }: { path: string[] }) => path.join('.'))).toEqual([
      'input.name',
      'input.scopes.1',
      'input.scopes.2',
      'input.perMinute',
      'input.perDay',
      'input.costPerMinute',
    ]);
    const many = await create({ scopes: Array.from({ length: 1_000 }, () => 'orders:read') });
    expect(many.problems).toHaveLength(1);
    const clerk = { ...admin, scopes: new Set(['clients:write']) };
    expect(await create({ scopes: ['orders:read'] }, clerk)).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await create({}, clerk)).toMatchObject({ client: { scopes: [] } });
  });

  test('is for staff to make, to change and to end, and for nobody else to see', async () => {
    const { client } = await create();
    const customer = (await shop.customer()).viewer;
    const reader = { ...admin, scopes: new Set(['clients:read']) };
    const refusals: [Viewer, string][] = [
      [visitor(), 'UNAUTHENTICATED'],
      [customer, 'FORBIDDEN'],
      [reader, 'FORBIDDEN'],
      [shop.staff('users:read', 'orders:write'), 'FORBIDDEN'],
    ];
    for (const [viewer, code] of refusals) {
      const asked = [
        () => create({}, viewer),
        () => set(client.id, manifestOf(query), {}, viewer),
        () => revoke(client.id, {}, viewer),
      ];
      for (const ask of asked) await expect(ask()).rejects.toMatchObject({ extensions: { code } });
    }
    const read = '{ apiClients { edges { node { id } } } }';
    expect((await shop.ask(customer, read)).errors![0]!.extensions.code).toBe('FORBIDDEN');
    const entity = 'query ($of: [_Any!]!) { _entities(representations: $of) { ... on ApiClient { name } } }';
    const of = { of: [{ __typename: 'ApiClient', id: client.id }] };
    expect((await shop.ask(customer, entity, of)).data).toEqual({ _entities: [null] });
    expect((await shop.ask(reader, entity, of)).data).toEqual({ _entities: [{ name: 'Acme' }] });
    const elsewhere = { ...admin, tenantId: '01900000-0000-7000-8000-000000000002' };
    expect(await revoke(client.id, {}, elsewhere)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await set(client.id, manifestOf(query), {}, elsewhere)).toMatchObject({ code: 'NOT_FOUND' });
    expect((await shop.ask(elsewhere, read)).data).toEqual({ apiClients: { edges: [] } });
  });
});

describe('the operations of a client', () => {
  test('are replaced, or added to; each change is written down', async () => {
    const { client } = await create();
    const both = await set(client.id, manifestOf(query, change));
    expect(both.client).toMatchObject({
      version: 2,
      operations: {
        totalCount: 2,
        edges: [{ node: { id: 'a1', body: query.body } }, { node: { id: 'b2' } }],
      },
    });
    const third = { ...query, id: 'c3', name: undefined };
    const added = await set(client.id, manifestOf(third, { ...query, body: 'query Goods { shelf }' }), {
      adds: true,
      expectedVersion: 2,
    });
    expect(idsOf(added)).toEqual(['a1', 'b2', 'c3']);
    expect(added.client.operations.edges[0].node.body).toBe('query Goods { shelf }');
    const replaced = await set(client.id, '{"d4":"{ shelf }"}');
    expect(idsOf(replaced)).toEqual(['d4']);
    expect(
      replaced.client.audit.map(({ action, version }: { action: string; version: number }) => [
        action,
        version,
      ]),
    ).toEqual([
      ['OPERATIONS_SET', 4],
      ['OPERATIONS_SET', 3],
      ['OPERATIONS_SET', 2],
      ['CREATED', 1],
    ]);
  });

  test('change once for one idempotency key, and not at all where another was faster', async () => {
    const { client } = await create();
    const idempotencyKey = randomUUID();
    await set(client.id, manifestOf(query), { idempotencyKey });
    const again = await set(client.id, manifestOf(query), { idempotencyKey });
    expect(again.client.version).toBe(2);
    expect(await set(client.id, manifestOf(change), { idempotencyKey })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    expect(await set(client.id, manifestOf(change), { expectedVersion: 1 })).toMatchObject({
      code: 'VERSION_CONFLICT',
      currentVersion: 2,
    });
  });

  test.each<[string, unknown, string]>([
    ['no JSON', '{"format"', 'JSON'],
    ['another format', { format: 'relay', version: 1, operations: [] }, 'format'],
    ['text that does not parse', manifestOf(query, { ...change, body: 'mutation {' }), 'b2: Syntax Error'],
    [
      'no operation',
      manifestOf({ ...query, body: 'fragment F on Query { a }' }),
      'a1: There are 0 operations',
    ],
    [
      'two operations in one',
      manifestOf({ ...query, body: 'query A { a } query B { b }' }),
      'a1: There are 2',
    ],
    ['NUL', manifestOf({ ...query, body: '# \0\n{ a }' }), 'a1: '],
    ['half a letter', manifestOf({ ...query, body: '# \ud800\n{ a }' }), 'a1: The text has characters'],
    ['an id on two lines', manifestOf({ ...query, id: 'a\nb' }), 'characters that cannot be printed'],
    ['a name that is too long', manifestOf({ ...query, name: 'n'.repeat(201) }), 'A name has 200'],
    ['a text without an end', manifestOf({ ...query, body: `{ ${'a '.repeat(20_000)} }` }), 'a1: '],
  ])('are not taken with %s', async (_what, manifest, message) => {
    const { client } = await create();
    const told = await set(client.id, manifest);
    expect(told).toMatchObject({ code: 'INVALID_INPUT', problems: [{ path: ['input', 'manifest'] }] });
    expect(told.problems[0].message).toContain(message);
  });

  test('are a thousand and a mebibyte at most, however they come', async () => {
    const { client } = await create();
    const many = (from: number, count: number, text = '{ a }') =>
      manifestOf(...Array.from({ length: count }, (_, i) => ({ ...query, id: `${from + i}`, body: text })));
    expect(await set(client.id, many(0, 1_001))).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await set(client.id, many(0, 1_000))).toMatchObject({ client: { version: 2 } });
    expect(await set(client.id, many(1_000, 1), { adds: true })).toMatchObject({ code: 'INVALID_INPUT' });
    const half = `{ a } #${'x'.repeat(mostBytes / 2)}`;
    expect(await set(client.id, many(0, 1, half))).toMatchObject({ client: { version: 3 } });
    const full = await set(client.id, many(1, 1, half), { adds: true });
    expect(full).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ message: expect.stringContaining('bytes') }],
    });
    const { data } = await shop.ask(
      admin,
      'query ($id: ID!) { apiClient(id: $id) { version operations { totalCount } } }',
      {
        id: client.id,
      },
    );
    expect(data.apiClient).toEqual({ version: 3, operations: { totalCount: 1 } });
  });

  test('are read page by page', async () => {
    const { client } = await create();
    await set(client.id, Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`o${i}`, '{ a }'])));
    const page = `query ($id: ID!, $after: String) { apiClient(id: $id) {
      operations(first: 3, after: $after) { pageInfo { hasNextPage endCursor } edges { node { id } } } } }`;
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const { data } = await shop.ask(admin, page, { id: client.id, after });
      ids.push(...idsOf({ client: data.apiClient }));
      const { hasNextPage, endCursor } = data.apiClient.operations.pageInfo;
      after = hasNextPage ? endCursor : null;
    } while (after);
    expect(ids).toEqual(['o0', 'o1', 'o2', 'o3', 'o4', 'o5', 'o6']);
  });
});

describe('a revoked client', () => {
  test('stays revoked, and takes no operations', async () => {
    const { client } = await create();
    const ended = await revoke(client.id);
    expect(ended.client).toMatchObject({ version: 2, revokedAt: expect.any(String) });
    expect((await revoke(client.id)).client).toEqual(ended.client);
    expect(await set(client.id, manifestOf(query))).toMatchObject({
      code: 'API_CLIENT_IS_REVOKED',
      client: { id: client.id },
    });
    expect(await revoke(encodeId('apiClient', newId()))).toMatchObject({
      code: 'NOT_FOUND',
      path: ['input', 'id'],
    });
    await expect(revoke(admin.userId!)).rejects.toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
  });

  test('cannot be unwritten: what was done to clients stays', async () => {
    await create();
    for (const attempt of [
      () => shop.database.sql`delete from api_client_audit`,
      () => shop.database.sql`update api_client_audit set actor = ${newId()}`,
      () => shop.database.sql`truncate api_client_audit`,
    ])
      await expect(attempt()).rejects.toThrow('append-only');
  });
});

describe('what clients asked', () => {
  const hear = (batch: string, usage: Parameters<typeof hearUsage>[3], tenant = tenantId) =>
    shop.database.transaction((begin) =>
      hearUsage(begin({ tenantId: tenant, traceparent: '', causationId: null }), tenant, batch, usage),
    );
  const today = new Date().toISOString().slice(0, 10);
  const usageQuery =
    'query ($id: ID!, $days: Int) { apiClient(id: $id) { usage(lastDays: $days) { day requests refused cost } } }';
  const usageOf = async (id: string, days?: number) =>
    (await shop.ask(admin, usageQuery, { id, days })).data.apiClient.usage;

  test('is added up by day, each batch once, and unknown clients are passed over', async () => {
    const { client } = await create();
    const clientId = decodeId('apiClient', client.id);
    const one = { clientId, day: today, requests: 5, refused: 1, cost: 70 };
    const batch = randomUUID();
    const usage = [one, { ...one, day: '2020-01-01' }, { ...one, clientId: newId() }, one];
    expect(await hear(batch, usage)).toBe(true);
    expect(await hear(batch, usage)).toBe(false);
    expect(await hear(randomUUID(), [{ ...one, refused: 0 }])).toBe(true);
    expect(await hear(randomUUID(), [one], '01900000-0000-7000-8000-000000000002')).toBe(true);
    expect(await hear(randomUUID(), [])).toBe(true);
    expect(await usageOf(client.id)).toEqual([{ day: today, requests: 15, refused: 2, cost: 210 }]);
  });

  test('is shown for 1 to 90 days, the newest first', async () => {
    const { client } = await create();
    const clientId = decodeId('apiClient', client.id);
    const dayBefore = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
    const days = [0, 1, 2, 89, 90].map(dayBefore);
    await hear(
      randomUUID(),
      days.map((day) => ({ clientId, day, requests: 1, refused: 0, cost: 1 })),
    );
    const daysOf = async (last?: number) =>
      (await usageOf(client.id, last)).map(({ day }: { day: string }) => day);
    expect(await daysOf(1)).toEqual(days.slice(0, 1));
    expect(await daysOf()).toEqual(days.slice(0, 3));
    expect(await daysOf(90)).toEqual(days.slice(0, 4));
    for (const wrong of [0, 91]) {
      const { errors } = await shop.ask(admin, usageQuery, { id: client.id, days: wrong });
      expect(errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'lastDays' });
    }
  });

  test('is shown with a list of clients, newest first, by a number of statements that does not grow', async () => {
    for (let i = 0; i < 3; i++)
      await set((await create({ name: `Partner ${i}` })).client.id, manifestOf(query));
    const list = `query ($first: Int, $after: String) { apiClients(first: $first, after: $after) {
      totalCount pageInfo { hasNextPage endCursor }
      edges { node { name createdBy { id } audit { action } usage { day } operations { totalCount edges { node { id } } } } } } }`;
    const statements = async (first: number) => {
      const before = shop.database.statements();
      const { data } = await shop.ask(admin, list, { first });
      expect(data.apiClients.edges).toHaveLength(first);
      return { data, count: shop.database.statements() - before };
    };
    const [one, three] = [await statements(1), await statements(3)];
    expect(three.count).toBe(one.count);
    expect(three.data.apiClients.edges.map(({ node }: { node: { name: string } }) => node.name)).toEqual([
      'Partner 2',
      'Partner 1',
      'Partner 0',
    ]);
    const { endCursor } = one.data.apiClients.pageInfo;
    const { data } = await shop.ask(admin, list, { first: 1, after: endCursor });
    expect(data.apiClients.edges[0].node.name).toBe('Partner 1');
  });
});
