import { encodeId, newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createJobs } from './jobs.ts';
import { learn, restock } from './learning-service.ts';
import type { Recommendation, Shelves } from './recommendation.ts';
import { openShop, type Shop } from './testing.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop?.close());
beforeEach(async () => {
  await shop.database.sql`truncate purchase, learning, affinity, interest, tracking, erased_customer`;
  await shop.database.sql`delete from plumbing.outbox`;
});

const list = '{ product { id } score reason strategy }';
type Told = Omit<Recommendation, 'productId'> & { readonly product: { readonly id: string } };
const ids = (told: readonly Told[]): string[] => told.map(({ product }) => product.id);

const companions = async (productId: string): Promise<Told[]> => {
  const { boughtTogether } = await shop.entity(
    shop.visitor('192.0.2.1'),
    'Product',
    shop.productId(productId),
    `boughtTogether ${list}`,
  );
  return boughtTogether;
};

const purchases = () =>
  shop.database.sql<{ order_id: string; customer_id: string | null; cancelled: boolean }>`
    select order_id, customer_id, cancelled from purchase order by order_id, product_id`;

const sell = async (times: number, goods: readonly string[], customerId: string | null = null) => {
  for (let i = 0; i < times; i++) await shop.hear(shop.placed(goods, customerId));
};

describe('learning from orders', () => {
  test('what was ordered together is recommended together, and what is similar and in fashion as well', async () => {
    const [tea, pot, cup] = [newId(), newId(), newId()];
    await sell(4, [tea, pot]);
    await sell(4, [cup, pot]);
    expect(await shop.learnNow()).toBe(1);
    const told = await companions(tea);
    expect(ids(told)).toEqual([shop.productId(pot)]);
    expect(told[0]).toMatchObject({ strategy: 'bought-together', reason: 'Bought together in 4 orders.' });
    const { similar } = await shop.entity(
      shop.visitor('192.0.2.1'),
      'Product',
      shop.productId(tea),
      `similar ${list}`,
    );
    expect(ids(similar)).toEqual([shop.productId(cup)]);
    const { data } = await shop.ask(shop.visitor('192.0.2.1'), `{ trending(first: 2) ${list} }`);
    expect(ids(data.trending)).toEqual([pot, cup].map(shop.productId));
  });

  test('one good on two lines of an order is one good', async () => {
    const [tea, pot] = [newId(), newId()];
    await sell(3, [tea, pot, tea]);
    expect(await purchases()).toHaveLength(6);
    await shop.learnNow();
    expect((await companions(tea))[0]!.reason).toBe('Bought together in 3 orders.');
  });

  test('an order heard twice counts once; a cancelled one does not count, however often it is heard', async () => {
    const [tea, pot, orderId] = [newId(), newId(), newId()];
    await sell(3, [tea, pot]);
    const order = shop.placed([tea, pot], null, orderId);
    await shop.hear(order, order);
    await shop.learnNow();
    expect((await companions(tea))[0]!.reason).toBe('Bought together in 4 orders.');
    await shop.hear(shop.cancelled(orderId), shop.cancelled(orderId), order);
    await shop.learnNow();
    expect((await companions(tea))[0]!.reason).toBe('Bought together in 3 orders.');
  });

  test('orders of one batch cost no more statements than one', async () => {
    const costs: number[] = [];
    for (const orders of [1, 20]) {
      const batch = Array.from({ length: orders }, () => shop.placed([newId(), newId()]));
      const before = shop.database.statements();
      await shop.hearTogether(...batch);
      costs.push(shop.database.statements() - before);
    }
    // With begin and commit.
    expect(costs).toEqual([4, 4]);
    expect(await purchases()).toHaveLength(42);
  });

  test('an order and its cancellation in one batch leave it cancelled, and the others as they are', async () => {
    const [tea, pot] = [newId(), newId()];
    const [gone, early, stays] = [newId(), newId(), newId()].toSorted();
    const ada = shop.customer();
    await shop.hearTogether(
      shop.cancelled(early!),
      shop.placed([tea, pot], null, gone),
      shop.placed([tea, tea], ada.userId, stays),
      shop.cancelled(gone!),
      shop.placed([tea], null, early),
      shop.placed([tea, pot], null, gone),
      shop.cancelled(gone!),
    );
    const row = { customer_id: null, cancelled: true };
    expect(await purchases()).toEqual([
      { ...row, order_id: gone },
      { ...row, order_id: gone },
      { ...row, order_id: early },
      { order_id: stays, customer_id: ada.userId, cancelled: false },
    ]);
  });

  test('when every order is cancelled nothing is recommended any more', async () => {
    const [tea, pot] = [newId(), newId()];
    await sell(3, [tea, pot]);
    await shop.learnNow();
    for (const { order_id } of await purchases()) await shop.hear(shop.cancelled(order_id));
    await shop.learnNow();
    expect(await companions(tea)).toEqual([]);
    expect(await shop.database.sql`select from affinity`).toEqual([]);
  });

  test('only when purchases have changed, by one process at a time, and another one gets it, too', async () => {
    const [tea, pot] = [newId(), newId()];
    await sell(3, [tea, pot]);
    const did = await Promise.all([learn(shop.database), learn(shop.database), learn(shop.database)]);
    expect(did.reduce((a, b) => a + b)).toBe(1);
    expect(await learn(shop.database)).toBe(0);
    const other: Shelves = new Map();
    await restock(shop.database, other, new Map());
    expect(other.get(shop.tenantId)!.ids.toSorted()).toEqual([tea, pot].toSorted());

    // A day later nothing has happened; then somebody buys.
    await shop.database.sql`
      update learning set changed_at = changed_at - interval '1 day', read_at = read_at - interval '12 hours'`;
    expect(await learn(shop.database)).toBe(0);
    await sell(1, [tea]);
    expect(await learn(shop.database)).toBe(1);
  });

  test('a process that starts brings what was learnt before, and learns itself only in its second turn', async () => {
    const turns = () => {
      const shelves: Shelves = new Map();
      const [job] = createJobs(shop, shelves);
      return {
        turn: () => job!.run({ now: new Date(), log: createLog('test', 'silent') }),
        goods: () => shelves.get(shop.tenantId)?.ids.length ?? 0,
      };
    };
    await sell(3, [newId(), newId()]);
    const first = turns();
    expect(await first.turn()).toBe(0);
    expect(first.goods()).toBe(0);
    expect(await first.turn()).toBe(1);
    expect(first.goods()).toBe(2);
    const second = turns();
    expect(await second.turn()).toBe(0);
    expect(second.goods()).toBe(2);
  });

  test('a process that dies while it learns keeps the others waiting for five minutes only', async () => {
    await sell(3, [newId(), newId()]);
    await shop.database.sql`update learning set leased_until = now() + interval '5 minutes'`;
    expect(await learn(shop.database)).toBe(0);
    await shop.database.sql`update learning set leased_until = now() - interval '1 second'`;
    expect(await learn(shop.database)).toBe(1);
  });
});

describe('recommendations for a customer', () => {
  const recommended = (viewer: Parameters<Shop['entity']>[0], userId: string): Promise<Told[] | null> =>
    shop
      .entity(viewer, 'User', encodeId('user', userId), `recommendations ${list}`)
      .then(({ recommendations }) => recommendations);

  test('come from what that customer bought, and are shown to nobody else', async () => {
    const [tea, pot, bag] = [newId(), newId(), newId()];
    await sell(5, [tea, pot]);
    await sell(9, [bag]);
    const ada = shop.customer();
    await sell(1, [tea], ada.userId);
    await shop.learnNow();
    const told = (await recommended(ada, ada.userId!))!;
    expect(ids(told)).toEqual([tea, pot, bag].map(shop.productId));
    expect(told.map(({ strategy }) => strategy)).toEqual(['personal', 'personal', 'popular']);

    const admin = { ...shop.customer(), scopes: new Set(['users:read', 'orders:read']) };
    expect(await recommended(admin, ada.userId!)).toBeNull();
    expect(await recommended(shop.visitor('192.0.2.1'), ada.userId!)).toBeNull();
    expect(await recommended({ ...ada, tenantId: newId() }, ada.userId!)).toEqual([]);
  });

  test('who was erased is forgotten: orders are nobody’s, those heard of later as well', async () => {
    const [tea, pot] = [newId(), newId()];
    const ada = shop.customer();
    const late = shop.placed([tea, pot], ada.userId);
    await sell(3, [tea, pot], ada.userId);
    await track(ada, [{ kind: 'ADD_TO_CART', productId: shop.productId(tea) }]);
    await shop.hear(shop.erased(ada.userId!), shop.erased(ada.userId!));
    await shop.hear(late);
    await track(ada, [{ kind: 'ADD_TO_CART', productId: shop.productId(tea) }]);
    const rows = await purchases();
    expect(rows).toHaveLength(8);
    expect(rows.every(({ customer_id }) => customer_id === null)).toBe(true);
    expect(await shop.database.sql`select from interest`).toEqual([]);
    await shop.learnNow();
    expect(await companions(tea)).toHaveLength(1);
  });

  test('an erasure and an order of the same moment leave no trace of the customer, whoever is first', async () => {
    const customers = Array.from({ length: 20 }, () => newId());
    await Promise.all(
      customers.flatMap((id) => [
        shop.hear(shop.placed([newId()], id)),
        shop.hear(shop.erased(id)),
        shop.hear(shop.placed([newId()], id)),
      ]),
    );
    const rows = await purchases();
    expect(rows).toHaveLength(40);
    expect(rows.filter(({ customer_id }) => customer_id !== null)).toEqual([]);
  });
});

type Item = Record<string, unknown>;
const mutation = `mutation ($input: TrackActivityInput!) { trackActivity(input: $input) {
  __typename
  ... on ActivityAccepted { count }
  ... on InvalidInput { code problems { path message } }
  ... on RateLimited { code retryAfterMs }
} }`;
const track = async (viewer: Parameters<Shop['ask']>[0], items: readonly Item[]) => {
  const input = { items: items.map((item) => ({ at: new Date().toISOString(), ...item })) };
  const { data, ...problem } = await shop.ask(viewer, mutation, { input });
  return { ...problem, ...data?.trackActivity };
};
const views = (count: number): Item[] =>
  Array.from({ length: count }, () => ({ kind: 'VIEW', productId: shop.productId(newId()) }));

describe('activity', () => {
  test('is told to the topic without a word of who it was', async () => {
    const productId = newId();
    const outcome = await track(shop.visitor('192.0.2.50', { deviceId: 'my phone' }), [
      { kind: 'VIEW', productId: shop.productId(productId) },
      { kind: 'SEARCH', query: 'Gift for ada@example.com' },
    ]);
    expect(outcome).toMatchObject({ __typename: 'ActivityAccepted', count: 2 });
    const [row, ...more] = await shop.database.sql<{ topic: string; key: string; message: { data: object } }>`
      select topic, key, message from plumbing.outbox`;
    expect(more).toEqual([]);
    expect(row).toMatchObject({
      topic: 'activity-events',
      message: { data: { customerId: null, visitor: row!.key, items: [{ productId }, { query: null }] } },
    });
    expect(JSON.stringify(row)).not.toMatch(/192\.0\.2|my phone|\bada\b/i);
  });

  test('what a visitor puts into a cart moves what the cart recommends', async () => {
    const [tea, pot, bag] = [newId(), newId(), newId()];
    await sell(5, [tea, pot]);
    await sell(9, [bag]);
    await shop.learnNow();
    const recommended = async (viewer: Parameters<Shop['entity']>[0]): Promise<string[]> => {
      const cart = await shop.entity(viewer, 'Cart', encodeId('cart', newId()), `recommendations ${list}`);
      return ids(cart.recommendations);
    };
    const ada = shop.customer();
    expect((await recommended(ada))[0]).toBe(shop.productId(bag));
    await track(ada, [{ kind: 'ADD_TO_CART', productId: shop.productId(tea) }]);
    expect(await recommended(ada)).toEqual([pot, bag].map(shop.productId));
    expect((await recommended(shop.customer()))[0]).toBe(shop.productId(bag));
  });

  test.each([0, 101, 10_000])(
    '%i items at once are refused with a word on it, and nothing of them is kept',
    async (count) => {
      const outcome = await track(shop.visitor('192.0.2.51'), views(count));
      expect(outcome).toMatchObject({
        __typename: 'InvalidInput',
        code: 'INVALID_INPUT',
        problems: [{ path: ['input', 'items'], message: 'There are 1 to 100 items at a time.' }],
      });
      expect(await shop.database.sql`select from plumbing.outbox`).toEqual([]);
      expect(await shop.database.sql`select from tracking`).toEqual([]);
    },
  );

  test('one item of the day before refuses all of them', async () => {
    const yesterday = new Date(Date.now() - 25 * 3_600_000).toISOString();
    const outcome = await track(shop.customer(), [...views(2), { ...views(1)[0], at: yesterday }]);
    expect(outcome).toMatchObject({
      __typename: 'InvalidInput',
      problems: [{ path: ['input', 'items', '2', 'at'] }],
    });
    expect(await shop.database.sql`select from plumbing.outbox`).toEqual([]);
  });

  test('an id of something else names its place', async () => {
    const outcome = await track(shop.customer(), [{ kind: 'VIEW', productId: encodeId('user', newId()) }]);
    expect(outcome).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'input.items.0.productId' });
  });

  test('from one network come 600 items a minute, also when all are sent at once, and its neighbour has its own', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 9 }, (_, i) =>
        track(shop.visitor('192.0.2.60', { deviceId: `${i}` }), views(100)),
      ),
    );
    const refused = outcomes.filter(({ __typename }) => __typename === 'RateLimited');
    expect(refused).toHaveLength(3);
    for (const { code, retryAfterMs } of refused) {
      expect(code).toBe('RATE_LIMITED');
      expect(retryAfterMs).toBeGreaterThan(40_000);
      expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    }
    expect(await shop.database.sql`select from plumbing.outbox`).toHaveLength(6);
    expect((await track(shop.visitor('192.0.2.61'), views(100))).count).toBe(100);
    expect((await track(shop.customer(), views(100))).count).toBe(100);

    await shop.database.sql`update tracking set at = at - interval '1 minute'`;
    expect((await track(shop.visitor('192.0.2.60'), views(100))).count).toBe(100);
  });
});

test.each(['trending(first: 0)', 'trending(first: 51)'])('%s is no length for a list', async (field) => {
  const { code, argument } = await shop.ask(shop.visitor('192.0.2.1'), `{ ${field} { score } }`);
  expect({ code, argument }).toEqual({ code: 'BAD_USER_INPUT', argument: 'first' });
});

test('a shop that has learnt nothing has empty lists, and an id of something else has none', async () => {
  shop.shelves.clear();
  expect(await companions(newId())).toEqual([]);
  const viewer = shop.visitor('192.0.2.1');
  expect(await shop.entity(viewer, 'Product', encodeId('user', newId()), 'boughtTogether { score }')).toEqual(
    {
      boughtTogether: null,
    },
  );
});
