import { encodeId, newId } from '@orderstream/runtime/ids';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, openDesk } from './testing.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.close());

const user = async (viewer: Viewer, userId: string, fields: string) => {
  const query = `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on User { ${fields} } } }`;
  const refs = [{ __typename: 'User', id: encodeId('user', userId) }];
  const { data, code, argument } = await desk.ask(viewer, query, { refs });
  return code ? { code, argument } : data._entities[0];
};

const known = (viewer: Viewer, ids: readonly string[], fields = 'id') =>
  desk.ask(
    viewer,
    `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Notification { ${fields} } } }`,
    { refs: ids.map((id) => ({ __typename: 'Notification', id })) },
  );

const everything = 'notifications { totalCount edges { node { id readAt } } } unreadNotifications';

const mark = async (viewer: Viewer, ids: readonly string[]) => {
  const { data, code, argument } = await desk.ask(
    viewer,
    `mutation ($ids: [ID!]!) { markNotificationsRead(input: { ids: $ids }) {
       __typename ... on NotificationsRead { count } ... on UserError { code path }
       ... on InvalidInput { problems { path message } } } }`,
    { ids },
  );
  return code ? { code, argument } : data.markNotificationsRead;
};

const markUpTo = async (viewer: Viewer, upTo: string) => {
  const { data, code, argument } = await desk.ask(
    viewer,
    `mutation ($upTo: ID!) { markAllNotificationsRead(input: { upTo: $upTo }) {
       __typename ... on NotificationsRead { count } ... on UserError { code path } } }`,
    { upTo },
  );
  return code ? { code, argument } : data.markAllNotificationsRead;
};

const unreadOf = async (viewer: Viewer & { userId: string }): Promise<number> =>
  (await user(viewer, viewer.userId, 'unreadNotifications')).unreadNotifications;

describe('a notification', () => {
  test('has its words, its way, its order and its times', async () => {
    const ada = desk.customer();
    const refund = desk.news(ada.userId, { kind: 'REFUNDED', amountMinor: 495 });
    await desk.hear(refund);
    const fields = 'id kind channel title body readAt createdAt order { id }';
    const { data } = await known(ada, [encodeId('notification', refund.id)], fields);
    expect(data._entities).toEqual([
      {
        id: encodeId('notification', refund.id),
        kind: 'REFUNDED',
        channel: 'IN_APP',
        title: '£4.95 back for order N-2026-0000012',
        body: '£4.95 went back to where it was paid from. It may take some days until you see it.',
        readAt: null,
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        order: { id: encodeId('order', refund.key) },
      },
    ]);
  });

  test('is nothing to another customer, to staff, to a visitor and in another shop', async () => {
    const ada = desk.customer();
    const ids = await desk.tell(ada.userId, 2);
    const staff = { ...desk.customer(), scopes: new Set(['orders:read', 'users:read', 'orders:write']) };
    const elsewhere = { ...ada, tenantId: newId() };
    for (const viewer of [desk.customer(), staff, anonymous(desk.tenantId), elsewhere])
      expect((await known(viewer, ids)).data._entities).toEqual([null, null]);
    for (const viewer of [desk.customer(), staff, anonymous(desk.tenantId)])
      expect(await user(viewer, ada.userId, everything)).toEqual({
        notifications: null,
        unreadNotifications: null,
      });
    expect(await user(elsewhere, ada.userId, everything)).toEqual({
      notifications: { totalCount: 0, edges: [] },
      unreadNotifications: 0,
    });
    expect((await known(ada, [...ids, 'ntf_0', encodeId('order', newId())])).data._entities).toEqual([
      ...ids.map((id) => ({ id })),
      null,
      null,
    ]);
  });
});

describe('the list', () => {
  const page = (viewer: Viewer & { userId: string }, args: string) =>
    user(
      viewer,
      viewer.userId,
      `notifications${args} { totalCount pageInfo { hasNextPage hasPreviousPage endCursor } edges { node { id } } }`,
    );

  test('is read in pages, newest first, and what comes meanwhile shifts nothing', async () => {
    const ada = desk.customer();
    const ids = (await desk.tell(ada.userId, 5)).reverse();
    const seen: string[] = [];
    let after = '';
    for (const size of [2, 2, 1]) {
      const { notifications } = await page(ada, `(first: 2${after})`);
      seen.push(...notifications.edges.map(({ node }: { node: { id: string } }) => node.id));
      expect(notifications.edges).toHaveLength(size);
      expect(notifications.pageInfo.hasNextPage).toBe(size === 2 && seen.length < 5);
      expect(notifications.pageInfo.hasPreviousPage).toBe(after !== '');
      after = `, after: "${notifications.pageInfo.endCursor}"`;
      await desk.tell(ada.userId);
    }
    expect(seen).toEqual(ids);
    expect((await page(ada, '')).notifications.totalCount).toBe(8);
  });

  test.each([
    ['(first: 0)', 'first'],
    ['(first: 101)', 'first'],
    ['(after: "made up")', 'after'],
  ])('with %s is refused', async (args, argument) => {
    expect(await page(desk.customer(), args)).toEqual({ code: 'BAD_USER_INPUT', argument });
  });

  test('and its entries cost as many statements for one as for twenty', async () => {
    const cost = async (count: number) => {
      const ada = desk.customer();
      const ids = await desk.tell(ada.userId, count);
      const before = desk.database.statements();
      const fields = 'notifications(first: 50) { totalCount edges { node { id title order { id } } } }';
      const { notifications } = await user(ada, ada.userId, `${fields} unreadNotifications`);
      expect(notifications.edges).toHaveLength(count);
      const between = desk.database.statements();
      expect((await known(ada, ids, 'id body order { id }')).data._entities).toHaveLength(count);
      return [between - before, desk.database.statements() - between];
    };
    expect(await cost(1)).toEqual([3, 1]);
    expect(await cost(20)).toEqual([3, 1]);
  });
});

describe('the number of unread ones', () => {
  test('falls with each that is read, once', async () => {
    const ada = desk.customer();
    const [first, second, third] = (await desk.tell(ada.userId, 3)) as [string, string, string];
    expect(await unreadOf(ada)).toBe(3);
    expect(await mark(ada, [first, first, third])).toEqual({ __typename: 'NotificationsRead', count: 2 });
    const readAt = async () => (await known(ada, [first], 'readAt')).data._entities[0].readAt;
    const at = await readAt();
    expect(at).toEqual(expect.any(String));
    expect(await unreadOf(ada)).toBe(1);
    expect(await mark(ada, [first, third])).toEqual({ __typename: 'NotificationsRead', count: 0 });
    expect(await readAt()).toBe(at);
    const both = await Promise.all([mark(ada, [first, second]), mark(ada, [second, first])]);
    expect(both.map(({ count }) => count).sort()).toEqual([0, 1]);
    expect(await unreadOf(ada)).toBe(0);
  });

  test('is counted up to a thousand', async () => {
    const ada = desk.customer();
    await desk.tell(ada.userId);
    await desk.database.sql`
      insert into notification (id, tenant_id, customer_id, seq, order_id, number, kind, currency)
      select gen_random_uuid(), ${desk.tenantId}, ${ada.userId}, seq, gen_random_uuid(), 'N-1', 'REFUNDED', 'GBP'
      from generate_series(2, 999) seq`;
    expect(await unreadOf(ada)).toBe(999);
    await desk.tell(desk.customer().userId);
    await desk.database.sql`update mailbox set last_seq = 999 where customer_id = ${ada.userId}`;
    await desk.tell(ada.userId, 2);
    expect(await unreadOf(ada)).toBe(1000);
  });
});

describe('marking as read', () => {
  test('with another customer’s or an unknown one among them is refused whole', async () => {
    const ada = desk.customer();
    const ids = await desk.tell(ada.userId, 2);
    const grace = desk.customer();
    const foreign = await desk.tell(grace.userId);
    const refused = { __typename: 'NotFound', code: 'NOT_FOUND', path: ['input', 'ids'] };
    expect(await mark(ada, [...ids, ...foreign])).toEqual(refused);
    expect(await mark(ada, [encodeId('notification', newId()), ...ids])).toEqual(refused);
    expect([await unreadOf(ada), await unreadOf(grace)]).toEqual([2, 1]);
  });

  test('takes 100 and refuses 101, before it looks what they are', async () => {
    const ada = desk.customer();
    const ids = await desk.tell(ada.userId, 101);
    const refused = {
      __typename: 'InvalidInput',
      code: 'INVALID_INPUT',
      path: null,
      problems: [{ path: ['input', 'ids'], message: 'At most 100 are marked at once.' }],
    };
    expect(await mark(ada, ids)).toEqual(refused);
    expect(
      await mark(
        ada,
        Array.from({ length: 10_000 }, () => 'nonsense'),
      ),
    ).toEqual(refused);
    expect(await unreadOf(ada)).toBe(101);
    expect((await mark(ada, ids.slice(1))).count).toBe(100);
    expect(await mark(ada, [])).toEqual({ __typename: 'NotificationsRead', count: 0 });
    expect(await unreadOf(ada)).toBe(1);
  });

  test('names the id that is none, and wants somebody signed in', async () => {
    const ada = desk.customer();
    const [id] = await desk.tell(ada.userId);
    expect(await mark(ada, [id!, encodeId('order', newId())])).toEqual({
      code: 'BAD_USER_INPUT',
      argument: 'input.ids.1',
    });
    expect(await markUpTo(ada, 'ntf_')).toEqual({ code: 'BAD_USER_INPUT', argument: 'input.upTo' });
    const refused = { code: 'UNAUTHENTICATED', argument: undefined };
    expect(await mark(anonymous(desk.tenantId), [id!])).toEqual(refused);
    expect(await markUpTo(anonymous(desk.tenantId), id!)).toEqual(refused);
  });

  test('up to the newest one seen leaves what came after it and what is other people’s', async () => {
    const ada = desk.customer();
    const grace = desk.customer();
    const [foreign] = await desk.tell(grace.userId);
    const [, second] = (await desk.tell(ada.userId, 3)) as [string, string, string];
    expect(await markUpTo(ada, second)).toEqual({ __typename: 'NotificationsRead', count: 2 });
    expect(await markUpTo(ada, second)).toEqual({ __typename: 'NotificationsRead', count: 0 });
    expect([await unreadOf(ada), await unreadOf(grace)]).toEqual([1, 1]);
    expect(await markUpTo(ada, foreign!)).toEqual({
      __typename: 'NotFound',
      code: 'NOT_FOUND',
      path: ['input', 'upTo'],
    });
    expect([await unreadOf(ada), await unreadOf(grace)]).toEqual([1, 1]);
  });
});
