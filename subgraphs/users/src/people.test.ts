import { encodeId, newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eraseCustomer } from './service.ts';
import { openShop, tenantId, visitor } from './testing.ts';

let shop: Awaited<ReturnType<typeof openShop>>;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop?.close());

const label = { recipient: 'Ada', line1: '1 High Street', city: 'London', postcode: 'N1 9GU', country: 'gb' };
const save = (viewer: Parameters<typeof shop.ask>[0], address: object, id?: string) =>
  shop.mutate(
    viewer,
    'saveAddress',
    'SaveAddressInput',
    '... on AddressSaved { address { id recipient line1 line2 city postcode country } user { addresses { id city } } }',
    { id, address: { ...label, ...address } },
  );
const remove = (viewer: Parameters<typeof shop.ask>[0], id: string) =>
  shop.mutate(
    viewer,
    'removeAddress',
    'RemoveAddressInput',
    '... on AddressRemoved { user { addresses { id } } }',
    {
      id,
    },
  );
const entity = (id: string) => ({
  query: `query ($of: [_Any!]!) { _entities(representations: $of) { ... on User { id email displayName roles addresses { city } } } }`,
  of: [{ __typename: 'User', id }],
});

describe('who may see a user', () => {
  test('people see themselves; for others, visitors and made-up ids there is nobody', async () => {
    const [ada, bob] = [await shop.customer(), await shop.customer()];
    const query = 'query ($id: ID!) { me { email } user(id: $id) { email addresses { city } } }';
    expect(await shop.ask(ada.viewer, query, { id: ada.user.id })).toEqual({
      data: { me: { email: ada.email }, user: { email: ada.email, addresses: [] } },
    });
    expect(await shop.ask(bob.viewer, query, { id: ada.user.id })).toEqual({
      data: { me: { email: bob.email }, user: null },
    });
    for (const id of [ada.user.id, encodeId('user', newId())])
      expect(await shop.ask(visitor(), query, { id })).toEqual({ data: { me: null, user: null } });
  });

  test('a malformed id, or one of another kind, is the caller’s mistake', async () => {
    const { viewer } = await shop.customer();
    for (const id of ['', 'usr_1', encodeId('address', newId())]) {
      const { errors } = await shop.ask(viewer, 'query ($id: ID!) { user(id: $id) { id } }', { id });
      expect(errors![0]!.extensions, id).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'id' });
    }
  });

  test('references of other subgraphs follow the same rule, with one statement for all of them', async () => {
    const [ada, bob] = [await shop.customer(), await shop.customer()];
    await save(ada.viewer, { city: 'Leeds' });
    const { query } = entity('');
    const of = [ada.user.id, bob.user.id, 'usr_nonsense', ada.user.id].map((id) => ({
      __typename: 'User',
      id,
    }));
    const before = shop.database.statements();
    const { data } = await shop.ask(ada.viewer, query, { of });
    expect(shop.database.statements() - before).toBe(2);
    const me = { id: ada.user.id, email: ada.email, roles: ['CUSTOMER'], addresses: [{ city: 'Leeds' }] };
    expect(data._entities).toMatchObject([me, null, null, me]);
    const { data: seen } = await shop.ask(shop.staff('users:read'), query, { of });
    expect(seen._entities).toMatchObject([me, { email: bob.email }, null, me]);
    const { data: hidden } = await shop.ask(visitor(), query, { of });
    expect(hidden._entities).toEqual([null, null, null, null]);
  });

  test('staff of another tenant see nobody of ours', async () => {
    const ada = await shop.customer();
    const stranger = { ...shop.staff('users:read'), tenantId: '01900000-0000-7000-8000-000000000002' };
    const query = 'query ($id: ID!) { user(id: $id) { id } users { totalCount edges { node { id } } } }';
    expect((await shop.ask(stranger, query, { id: ada.user.id })).data).toEqual({
      user: null,
      users: { totalCount: 0, edges: [] },
    });
  });
});

describe('the list of users', () => {
  const list = `query ($first: Int, $after: String, $search: String) {
    users(first: $first, after: $after, search: $search) {
      totalCount pageInfo { hasNextPage endCursor } edges { node { email } } } }`;

  test('is for staff who may read users', async () => {
    const codeFor = async (viewer: Parameters<typeof shop.ask>[0]) =>
      (await shop.ask(viewer, list)).errors?.[0]?.extensions.code;
    expect(await codeFor(visitor())).toBe('UNAUTHENTICATED');
    expect(await codeFor((await shop.customer()).viewer)).toBe('FORBIDDEN');
    expect(await codeFor(shop.staff('orders:read'))).toBe('FORBIDDEN');
    expect(await codeFor(shop.staff('users:read'))).toBeUndefined();
  });

  test('is read page by page, newest first, each user once', async () => {
    for (let i = 0; i < 7; i++) await shop.customer();
    await shop.database.sql`update users set created_at = date_trunc('second', created_at)`;
    const rows = await shop.database.sql<{ email: string }>`
      select email from users where erased_at is null order by created_at desc, id desc`;
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { data } = await shop.ask(shop.staff('users:read'), list, { first: 3, after });
      expect(data.users.totalCount).toBe(rows.length);
      seen.push(...data.users.edges.map((edge: { node: { email: string } }) => edge.node.email));
      after = data.users.pageInfo.hasNextPage ? data.users.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual(rows.map((row) => row.email));
  });

  test('finds the beginnings of words of name and e-mail address, literally', async () => {
    await shop.register({ email: 'mary.smith+shop@example.org', displayName: 'Mary-Ann O’Neill' });
    await shop.register({ email: 'zoe@example.net', displayName: 'Zoë Müller' });
    const found = async (search: string) => {
      const { data } = await shop.ask(shop.staff('users:read'), list, { search });
      const emails = data.users.edges.map((edge: { node: { email: string } }) => edge.node.email);
      expect(data.users.totalCount).toBe(emails.length);
      return emails;
    };
    for (const search of [
      'mary',
      'ANN',
      'smi',
      'neil',
      'mary smith',
      'mary.smith+shop@example.org',
      'shop mary',
    ])
      expect(await found(search), search).toEqual(['mary.smith+shop@example.org']);
    for (const search of ['zoë', 'Müll', 'example.net'])
      expect(await found(search), search).toEqual(['zoe@example.net']);
    for (const search of ['%', '_', "' or 1=1 --", 'mary zoe', ':* | qq', '\0'])
      expect(await found(search), search).toEqual([]);
  });

  test('takes first from 1 to 100, a cursor of its own and a search of 100 characters', async () => {
    const refused = [
      [{ first: 0 }, 'first'],
      [{ first: 1_000_000 }, 'first'],
      [{ after: 'made-up' }, 'after'],
      [{ search: 'x'.repeat(101) }, 'search'],
    ] as const;
    for (const [variables, argument] of refused) {
      const { errors } = await shop.ask(shop.staff('users:read'), list, variables);
      expect(errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument });
    }
  });
});

describe('the address book', () => {
  test('takes an address, changes it and gives it up, and tells the others that something changed', async () => {
    const { viewer, userId } = await shop.customer();
    const saved = await save(viewer, { line2: '' });
    const { id } = saved.address;
    expect(saved.address).toEqual({ id, ...label, line2: null, country: 'GB' });
    expect((await save(viewer, { city: 'Leeds' }, id)).user.addresses).toEqual([{ id, city: 'Leeds' }]);
    expect((await remove(viewer, id)).user.addresses).toEqual([]);
    const messages = await shop.told(userId);
    expect(messages.map(({ type, version }) => [type, version])).toEqual([
      ['user.registered', 1],
      ['user.address-changed', 2],
      ['user.address-changed', 3],
      ['user.address-changed', 4],
    ]);
    expect(JSON.stringify(messages)).not.toMatch(/Ada|High Street|Leeds|example\.com/);
  });

  test('two changes in one request show the book after each', async () => {
    const { viewer } = await shop.customer();
    const { data } = await shop.ask(
      viewer,
      `mutation ($a: SaveAddressInput!) {
        one: saveAddress(input: $a) { ... on AddressSaved { user { addresses { id } } } }
        two: saveAddress(input: $a) { ... on AddressSaved { user { addresses { id } } } } }`,
      { a: { address: label } },
    );
    expect([data.one.user.addresses.length, data.two.user.addresses.length]).toEqual([1, 2]);
  });

  test('of somebody else does not exist, and stays as it is', async () => {
    const [ada, bob] = [await shop.customer(), await shop.customer()];
    const { id } = (await save(ada.viewer, {})).address;
    const notFound = {
      __typename: 'NotFound',
      code: 'NOT_FOUND',
      message: 'There is no such address.',
      path: ['input', 'id'],
    };
    const admin = { ...(await shop.customer()).viewer, scopes: new Set(['users:read']) };
    expect(await save(bob.viewer, { city: 'Hull' }, id)).toEqual(notFound);
    expect(await remove(bob.viewer, id)).toEqual(notFound);
    expect(await remove(bob.viewer, encodeId('address', newId()))).toEqual(notFound);
    expect(await remove(admin, id)).toEqual(notFound);
    await expect(remove(visitor(), id)).rejects.toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } });
    const { data } = await shop.ask(ada.viewer, '{ me { addresses { id city } } }');
    expect(data.me.addresses).toEqual([{ id, city: 'London' }]);
    expect(await shop.told(bob.userId)).toHaveLength(1);
  });

  test('refuses what is no address, and an id that is none', async () => {
    const { viewer } = await shop.customer();
    const refused = await save(viewer, { postcode: '', country: 'UK' });
    expect(refused).toMatchObject({ __typename: 'InvalidInput' });
    expect(refused.problems.map((problem: { path: string[] }) => problem.path)).toEqual([
      ['input', 'address', 'postcode'],
      ['input', 'address', 'country'],
    ]);
    await expect(save(viewer, {}, 'usr_1')).rejects.toMatchObject({ extensions: { argument: 'input.id' } });
  });

  test('has room for fifty, also when sixty come at once', async () => {
    const { viewer, userId } = await shop.customer();
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => save(viewer, {})));
    expect(outcomes.filter((outcome) => outcome.__typename === 'AddressSaved')).toHaveLength(50);
    expect(outcomes.filter((outcome) => outcome.__typename === 'InvalidInput')).toHaveLength(10);
    const [row] = await shop.database.sql`select count(*) from address where user_id = ${userId}`;
    expect(row!.count).toBe(50);
  });
});

describe('somebody who is erased', () => {
  const erase = (userId: string) =>
    shop.contextOf(visitor()).db.transaction((tx) => eraseCustomer(tx, tenantId, userId, new Date()));

  test('leaves an id and dates, is told to the others once, and is nobody from then on', async () => {
    const ada = await shop.customer();
    await save(ada.viewer, { recipient: 'Ada Erased' });
    await erase(ada.userId);
    await erase(ada.userId);
    const [row] = await shop.database.sql`select * from users where id = ${ada.userId}`;
    expect(row).toMatchObject({ email: null, display_name: null, password_hash: null, roles: ['CUSTOMER'] });
    const [left] = await shop.database.sql`
      select (select count(*) from address where user_id = ${ada.userId}) as addresses,
             (select count(*) from session where user_id = ${ada.userId}) as sessions`;
    expect(left).toEqual({ addresses: 0, sessions: 0 });
    expect((await shop.told(ada.userId)).map(({ type, version }) => [type, version])).toEqual([
      ['user.registered', 1],
      ['user.address-changed', 2],
      ['user.erased', 3],
    ]);

    expect((await shop.ask(ada.viewer, '{ me { id } }')).data).toEqual({ me: null });
    const { query, of } = entity(ada.user.id);
    expect((await shop.ask(shop.staff('users:read'), query, { of })).data._entities).toEqual([null]);
    expect((await shop.login({ email: ada.email })).__typename).toBe('InvalidCredentials');
    expect((await shop.refresh(ada.refreshToken)).__typename).toBe('SessionExpired');
    await expect(save(ada.viewer, {})).rejects.toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } });
    expect((await shop.register({ email: ada.email })).__typename).toBe('SessionStarted');
  });
});
