// Reservations on a real database: what is promised once is never promised twice, whoever asks in whatever order.
import { VariantChanged } from '@orderstream/catalog/messages';
import { newId } from '@orderstream/runtime/ids';
import { newTrace } from '@orderstream/runtime/trace';
import { anonymous } from '@orderstream/runtime/viewer';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// @boundaries-ignore tests share databases and services
import { type TestDatabase, testDatabase } from '../../../tests/database.ts';
import { sweep } from './jobs.ts';
import { AllocateStock, ExtendHold, ReleaseStock, ReserveStock } from './messages.ts';
import { adjustStock } from './service.ts';
import { type Goods, hear, openShop, type Shop, stockUp, told, wrongs } from './test-shop.ts';

let db: TestDatabase<undefined>;
let shop: Shop;

beforeAll(async () => {
  db = await testDatabase('inventory', { size: 8 });
  shop = await openShop(db.database);
});
afterAll(() => db?.close());

const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
const reserve = (orderId: string, lines: readonly (readonly [Goods, number])[], holdUntil = inMinutes(30)) =>
  ReserveStock({
    orderId,
    lines: lines.map(([{ variantId, sku }, quantity]) => ({ variantId, sku, quantity })),
    holdUntil,
  });
const allocate = (orderId: string) => AllocateStock({ orderId });
const release = (orderId: string) => ReleaseStock({ orderId });
const now = (...messages: Parameters<typeof hear>[2][]) => hear(db.database, shop, ...messages);
const answers = async (orderId: string) =>
  (await told(db.database, orderId)).map(({ type, data }) =>
    type === 'inventory.refused' ? `${data.reason} ${data.skus}`.trim() : type,
  );
const levels = async ({ variantId }: Goods) =>
  (await told(db.database, variantId)).map(
    ({ version, data }) => `${version}: ${data.available} ${data.state}`,
  );
const stateOf = async (orderId: string) =>
  (await db.database.sql<{ state: string }>`select state from reservation where order_id = ${orderId}`)[0]
    ?.state;

describe('an order', () => {
  test('that is allocated keeps its goods, and both events name the warehouses', async () => {
    const cup = await stockUp(db.database, shop, 'CUP', [3, 20]);
    const order = newId();
    await now(reserve(order, [[cup, 5]]));
    await now(allocate(order));
    const [reserved, allocated] = await told(db.database, order);
    const parts = [{ ...cup, warehouseId: shop.warehouses[1], quantity: 5 }];
    expect(reserved).toMatchObject({ type: 'inventory.reserved', version: 1, data: { parts } });
    expect(allocated).toMatchObject({ type: 'inventory.allocated', version: 2, data: { parts } });
    expect(await levels(cup)).toEqual(['2: 18 IN_STOCK']);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('that cannot be had whole gets nothing and is told what is short', async () => {
    const cup = await stockUp(db.database, shop, 'CUP2', [4]);
    const tin = await stockUp(db.database, shop, 'TIN2', [1]);
    const order = newId();
    await now(
      reserve(order, [
        [cup, 2],
        [tin, 2],
      ]),
    );
    expect(await answers(order)).toEqual(['OUT_OF_STOCK TIN2']);
    expect(await levels(cup)).toEqual([]);
    await now(
      reserve(order, [
        [cup, 2],
        [tin, 2],
      ]),
    );
    expect(await answers(order)).toEqual(['OUT_OF_STOCK TIN2', 'OUT_OF_STOCK TIN2']);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('for more than anybody ever had, or for something unknown, is out of stock', async () => {
    const cup = await stockUp(db.database, shop, 'CUP3', [4]);
    const order = newId();
    await now(
      reserve(order, [
        [cup, 1_000_000_000],
        [{ variantId: newId(), sku: 'NO-SUCH' }, 1],
      ]),
    );
    expect(await answers(order)).toEqual(['OUT_OF_STOCK CUP3,NO-SUCH']);
  });

  test('with the same thing on two lines needs both together', async () => {
    const cup = await stockUp(db.database, shop, 'CUP4', [5]);
    const [tooMuch, enough] = [newId(), newId()];
    await now(
      reserve(tooMuch, [
        [cup, 3],
        [cup, 3],
      ]),
    );
    expect(await answers(tooMuch)).toEqual(['OUT_OF_STOCK CUP4']);
    await now(
      reserve(enough, [
        [cup, 3],
        [cup, 2],
      ]),
    );
    expect(await answers(enough)).toEqual(['inventory.reserved']);
    expect(await levels(cup)).toEqual(['2: 0 OUT_OF_STOCK']);
  });

  test('that is reserved three times holds its goods once and hears the same each time', async () => {
    const cup = await stockUp(db.database, shop, 'CUP5', [9]);
    const order = newId();
    await now(reserve(order, [[cup, 2]]), reserve(order, [[cup, 2]]));
    await now(reserve(order, [[cup, 2]]));
    const [first, ...others] = await told(db.database, order);
    expect(others).toEqual([first, first]);
    expect(await levels(cup)).toEqual(['2: 7 LOW_STOCK']);
    await now(allocate(order), allocate(order));
    await now(release(order), release(order));
    expect((await answers(order)).slice(3)).toEqual([
      'inventory.allocated',
      'inventory.allocated',
      'inventory.released',
      'inventory.released',
    ]);
    expect((await levels(cup)).at(-1)).toBe('3: 9 LOW_STOCK');
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('that was released before it was reserved gets nothing any more', async () => {
    const cup = await stockUp(db.database, shop, 'CUP6', [9]);
    const order = newId();
    await now(release(order));
    await now(reserve(order, [[cup, 2]]), allocate(order));
    expect(await answers(order)).toEqual(['inventory.released', 'HOLD_GONE', 'HOLD_GONE']);
    expect(await levels(cup)).toEqual([]);
  });

  test('that nobody reserved cannot be allocated', async () => {
    const order = newId();
    await now(allocate(order));
    expect(await answers(order)).toEqual(['HOLD_GONE']);
  });
});

describe('a hold', () => {
  test('whose time has come is given back and can be neither allocated nor extended', async () => {
    const cup = await stockUp(db.database, shop, 'CUP7', [2]);
    const order = newId();
    await now(reserve(order, [[cup, 2]], inMinutes(-1)));
    expect(await sweep(db.database)).toBe(1);
    await now(allocate(order), ExtendHold({ orderId: order, holdUntil: inMinutes(5) }), release(order));
    expect(await answers(order)).toEqual([
      'inventory.reserved',
      'inventory.expired',
      'HOLD_GONE',
      'inventory.released',
    ]);
    expect(await levels(cup)).toEqual(['2: 0 OUT_OF_STOCK', '3: 2 LOW_STOCK']);
    expect(await sweep(db.database)).toBe(0);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('that is extended outlives its first deadline, and an older extension does not shorten it', async () => {
    const cup = await stockUp(db.database, shop, 'CUP8', [2]);
    const order = newId();
    const later = inMinutes(60);
    await now(reserve(order, [[cup, 2]], inMinutes(-1)), ExtendHold({ orderId: order, holdUntil: later }));
    await now(ExtendHold({ orderId: order, holdUntil: inMinutes(-1) }));
    expect(await sweep(db.database)).toBe(0);
    const extensions = (await told(db.database, order))
      .slice(1)
      .map(({ type, data }) => [type, data.holdUntil]);
    expect(extensions).toEqual([
      ['inventory.extended', later],
      ['inventory.extended', later],
    ]);
    await now(release(order));
  });
});

describe('the catalogue’s word on a variant', () => {
  const word = (variantId: string, name: string, version: number) =>
    VariantChanged(
      {
        variantId,
        productId: newId(),
        sku: `WORD-${variantId}`,
        name,
        priceMinor: 250,
        currency: 'GBP',
        weightGrams: null,
        active: true,
      },
      version,
    );
  const known = async (variantId: string) =>
    (
      await db.database.sql<{ name: string; version: number }>`
        select name, version from catalog_variant where variant_id = ${variantId}`
    )[0];

  test('is kept unless it is older than what is known, and a new variant is told to be out of stock', async () => {
    const variantId = newId();
    await now(word(variantId, 'Cup', 2), word(variantId, 'Old cup', 1), word(variantId, 'Cup again', 2));
    expect(await known(variantId)).toEqual({ name: 'Cup', version: 2 });
    await now(word(variantId, 'Better cup', 3));
    expect(await known(variantId)).toEqual({ name: 'Better cup', version: 3 });
    expect(await levels({ variantId, sku: '' })).toEqual(['1: 0 OUT_OF_STOCK']);
  });

  test('from another shop changes nothing', async () => {
    const cup = await stockUp(db.database, shop, 'OURS', [1]);
    await hear(db.database, await openShop(db.database), word(cup.variantId, 'Theirs', 9));
    expect(await known(cup.variantId)).toEqual({ name: 'OURS of the shop', version: 1 });
  });
});

describe('many at once', () => {
  test('64 parallel orders for 10 units sell exactly 10', async () => {
    const cup = await stockUp(db.database, shop, 'HOT', [4, 3, 3]);
    const orders = Array.from({ length: 64 }, () => newId());
    await Promise.all(orders.map((order) => now(reserve(order, [[cup, 1]]))));
    const heard = (await Promise.all(orders.map(answers))).flat();
    expect(heard.filter((each) => each === 'inventory.reserved')).toHaveLength(10);
    expect(heard.filter((each) => each === 'OUT_OF_STOCK HOT')).toHaveLength(54);
    expect((await levels(cup)).at(-1)).toBe('11: 0 OUT_OF_STOCK');
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('batches of 50 over the same goods in opposite order do not stop each other', async () => {
    const goods: Goods[] = [];
    for (let i = 0; i < 10; i++) goods.push(await stockUp(db.database, shop, `B${i}`, [200, 200]));
    const batch = (backwards: boolean) =>
      Array.from({ length: 50 }, (_, i) =>
        reserve(newId(), [[goods[backwards ? 9 - (i % 10) : i % 10]!, 1]]),
      );
    const deadlocks = async () => {
      await db.database.sql`select pg_stat_force_next_flush()`;
      return (
        await db.database.sql<{ deadlocks: number }>`
        select deadlocks from pg_stat_database where datname = current_database()`
      )[0]!.deadlocks;
    };
    const before = await deadlocks();
    await Promise.all(Array.from({ length: 6 }, (_, i) => now(...batch(i % 2 === 1))));
    expect(await deadlocks()).toBe(before);
    const [row] = await db.database.sql<{ held: number }>`
      select sum(held) as held from stock where variant_id = any(${goods.map((g) => g.variantId)}::uuid[])`;
    expect(row?.held).toBe(300);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('two sweepers against allocations leave each hold with one end, and one event about it', async () => {
    const cup = await stockUp(db.database, shop, 'DUE', [150, 150]);
    const orders = Array.from({ length: 150 }, () => newId());
    await now(...orders.map((order) => reserve(order, [[cup, 2]], inMinutes(-1))));
    const sweeper = async () => {
      while ((await sweep(db.database)) > 0);
    };
    const allocator = async (from: number) => {
      for (let i = from; i < orders.length; i += 20) await now(...orders.slice(i, i + 5).map(allocate));
    };
    // A few are first, or sweepers that are fast leave nothing to compete for; every fourth group nobody allocates.
    await now(...orders.slice(0, 5).map(allocate));
    await Promise.all([allocator(20), sweeper(), allocator(5), sweeper(), allocator(10)]);
    const ends = await Promise.all(
      orders.map(async (order) => {
        const events = (await answers(order)).filter((each) => !each.startsWith('HOLD_GONE'));
        return `${await stateOf(order)}: ${events.slice(1)}`;
      }),
    );
    const counts = Map.groupBy(ends, (end) => end);
    expect([...counts.keys()].sort()).toEqual([
      'ALLOCATED: inventory.allocated',
      'EXPIRED: inventory.expired',
    ]);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });
});

describe('whatever happens in whatever order', () => {
  const kinds = [
    'reserve',
    'reserve',
    'reserve',
    'extend',
    'allocate',
    'allocate',
    'release',
    'sweep',
    'repeat',
    'adjust',
  ] as const;
  const step = fc.record({
    kind: fc.constantFrom(...kinds),
    delta: fc.integer({ min: -6, max: 6 }).filter((delta) => delta !== 0),
    order: fc.nat(19),
    lines: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 3 }),
    isDue: fc.boolean(),
  });
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
  const worker = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 });
  const happened = new Set<string>();

  test('the books are right at the end of every transaction of four parallel workers', async () => {
    const run = fc.asyncProperty(
      fc.tuple(worker, worker, worker, worker),
      fc.array(fc.nat(12), { minLength: 9, maxLength: 9 }),
      async (workers, units) => {
        const own = await openShop(db.database);
        const goods: Goods[] = [];
        for (let i = 0; i < 3; i++)
          goods.push(await stockUp(db.database, own, `${'ABC'[i]}`, units.slice(i * 3, i * 3 + 3)));
        const orders = Array.from({ length: 20 }, () => newId());
        const toMessages = ({ kind, order, lines, isDue }: Step) => {
          const orderId = orders[order]!;
          const wanted = lines.map(([which, quantity]) => [goods[which]!, quantity] as const);
          const asked = reserve(orderId, wanted, inMinutes(isDue ? -1 : 30));
          if (kind === 'reserve') return [asked];
          if (kind === 'repeat') return [asked, asked];
          if (kind === 'extend') return [ExtendHold({ orderId, holdUntil: inMinutes(5) })];
          return kind === 'allocate' ? [allocate(orderId)] : [release(orderId)];
        };
        const viewer = { ...anonymous(own.tenantId), userId: newId() };
        const shelf = db.database.for({ tenantId: own.tenantId, ...newTrace(), causationId: null });
        const adjust = async ({ lines, order, delta }: Step) => {
          const at = { variantId: goods[lines[0]![0]]!.variantId, warehouseId: own.warehouses[order % 3]! };
          const adjustment = { ...at, delta, reason: 'counted', expectedVersion: null };
          const answer = await adjustStock({ db: shelf, viewer }, newId(), [adjustment]);
          if ('done' in answer) happened.add('error' in answer.done[0]! ? answer.done[0].error : 'adjusted');
        };
        await Promise.all(
          workers.map(async (batches) => {
            for (const batch of batches) {
              if (batch[0]!.kind === 'adjust') await adjust(batch[0]!);
              if (batch[0]!.kind === 'sweep') await sweep(db.database);
              const messages = batch
                .filter(({ kind }) => kind !== 'sweep' && kind !== 'adjust')
                .flatMap(toMessages);
              if (messages.length > 0) await hear(db.database, own, ...messages);
              expect(await wrongs(db.database, own)).toEqual([]);
            }
          }),
        );
        for (const order of orders)
          for (const answer of await answers(order)) happened.add(answer.split(' ')[0]!);
      },
    );
    await fc.assert(run, { numRuns: 20, seed: 20_261_121, endOnFailure: true });
    // A run in which nothing was ever refused or ran out would have proved little.
    expect([...happened].sort()).toEqual([
      'HOLD_GONE',
      'OUT_OF_STOCK',
      'StockBelowCommitted',
      'adjusted',
      'inventory.allocated',
      'inventory.expired',
      'inventory.extended',
      'inventory.released',
      'inventory.reserved',
    ]);
  });
});
