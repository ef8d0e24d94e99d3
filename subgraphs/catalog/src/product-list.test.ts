import { encodeId, newId } from '@orderstream/runtime/ids';
import { expect, test } from 'vitest';
import { inShopOrder } from './category.ts';
import { facets } from './product-list.ts';

test('facets show the fullest category and the cheapest band first', () => {
  const [mugs, bags] = [newId(), newId()];
  const counted = facets({
    total: 12,
    byCategory: [
      { categoryId: mugs, count: 4 },
      { categoryId: bags, count: 8 },
    ],
    byPrice: [
      { band: 4, count: 1 },
      { band: 0, count: 9 },
      { band: 1, count: 2 },
    ],
  });
  expect(counted).toEqual([
    {
      name: 'category',
      values: [
        { value: encodeId('category', bags), count: 8 },
        { value: encodeId('category', mugs), count: 4 },
      ],
    },
    {
      name: 'price',
      values: [
        { value: '0-499', count: 9 },
        { value: '500-999', count: 2 },
        { value: '5000-', count: 1 },
      ],
    },
  ]);
});

test('departments stand by name, each with its shelves behind it', () => {
  const of = (id: string, parentId: string | null, name: string) => ({
    tenantId: 't',
    id,
    parentId,
    name,
    slug: id,
  });
  const mixed = [
    of('b1', 'b', 'Y'),
    of('a', null, 'Home'),
    of('b', null, 'Garden'),
    of('b2', 'b', 'X'),
    of('a1', 'a', 'Z'),
  ];
  expect(inShopOrder(mixed).map((category) => category.id)).toEqual(['b', 'b2', 'b1', 'a', 'a1']);
});
