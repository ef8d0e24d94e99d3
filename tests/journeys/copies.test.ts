// Subgraphs keep copies of what others own. A copy may lag for a moment; it is never ahead, never different at the same
// version, and it gets there.
import { encodeId } from '@orderstream/runtime/ids';
import { beforeAll, expect, test, vi } from 'vitest';
import { AdjustStockDocument } from '../../ops/operations/generated/graphql.ts';
import { bookOf, type Good, shelf } from './books.ts';
import { changeGood } from './clerk.ts';
import { copies, copyNames, type Row } from './copies.ts';
import { buy, newCustomer, settled, signIn } from './customer.ts';

const byId = (rows: readonly Row[]): Map<string, Row> => new Map(rows.map((row) => [row.id, row]));

let goods: Good[];

beforeAll(async () => {
  const [customer, admin, some] = await Promise.all([newCustomer(), signIn('admin'), shelf(7)]);
  goods = some;
  const [dearer, gone, back, more] = goods as [Good, Good, Good, Good];
  await changeGood(dearer, { price: dearer.price + 1 });
  await changeGood(dearer, { price: dearer.price + 2 });
  await changeGood(gone, { active: false });
  await changeGood(back, { active: false });
  await changeGood(back, { active: true });
  const [warehouse] = await bookOf('inventory')<{ id: string }>`
    select warehouse_id as id from stock where variant_id = ${more.uuid} limit 1`;
  const adjustment = {
    variantId: more.id,
    warehouseId: encodeId('warehouse', warehouse!.id),
    reason: 'found',
  };
  await admin.client.send(AdjustStockDocument, {
    input: { idempotencyKey: `found ${more.sku}`, adjustments: [{ ...adjustment, delta: 11 }] },
  });
  await settled(customer, (await buy(customer, goods[4]!, 3)).id);
});

test.each(copyNames)('%s as their owner has them, every one', async (name) => {
  const { readOwner, readCopy } = copies[name];
  const asked = await readOwner();
  expect(asked.length).toBeGreaterThan(3_000);
  expect(
    asked.find(({ id }) => id === goods[name.endsWith('levels') ? 3 : 0]!.uuid)!.version,
  ).toBeGreaterThan(1);
  const copy = await vi.waitFor(
    async () => {
      const rows = byId(await readCopy());
      const late = asked.filter(({ id, version }) => (rows.get(id)?.version ?? 0) < version);
      expect(late).toEqual([]);
      return rows;
    },
    { timeout: 10_000, interval: 200 },
  );
  // The owner may have gone on meanwhile, by journeys under way beside this one.
  const owner = byId(await readOwner());
  expect([...copy.keys()].sort()).toEqual([...owner.keys()].sort());
  const ahead = [...copy.values()].filter(({ id, version }) => version > owner.get(id)!.version);
  expect(ahead).toEqual([]);
  const settledOnes = [...copy.values()].filter(({ id, version }) => version === owner.get(id)!.version);
  expect(settledOnes.length).toBeGreaterThan(3_000);
  expect(settledOnes).toEqual(settledOnes.map(({ id }) => owner.get(id)));
});
