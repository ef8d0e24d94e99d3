// Goods are known to the gateway for a while, and forgotten as soon as the shop changes them.
import { Redis } from 'ioredis';
import { afterAll, expect, inject, test, vi } from 'vitest';
import { shelf } from './books.ts';
import { changeGood } from './clerk.ts';
import { graphqlUrl, newPerson, putIntoCart } from './customer.ts';

const { gatewayUrl } = inject('product');
const redis = new Redis(inject('services').redisUrl);
afterAll(() => redis.disconnect());

/** Variants of the catalogue that were found in the gateway's cache so far. */
const found = async (): Promise<number> => {
  const page = await (await fetch(`${gatewayUrl}/metrics`)).text();
  const [, count = '0'] =
    /^gateway_entity_cache_entities_total\{subgraph="catalog",type="Variant",outcome="hit"\} (\d+)/m.exec(
      page,
    ) ?? [];
  return Number(count);
};

test('what was looked at twice is asked for once, and a new price is there within a moment', async () => {
  const [[good], { token, ...person }] = await Promise.all([shelf(14), newPerson()]);
  await putIntoCart({ token, ...person }, good!, 1);
  const price = async (): Promise<number> => {
    const response = await fetch(graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: '{ cart { lines { variant { name listPrice { amountMinor } } } } }' }),
    });
    const { data } = (await response.json()) as {
      data: { cart: { lines: { variant: { listPrice: { amountMinor: number } } }[] } };
    };
    return data.cart.lines[0]!.variant.listPrice.amountMinor;
  };

  // It is put away behind the answer, and a Redis that is busy is not waited for.
  await vi.waitFor(
    async () => {
      expect(await price()).toBe(good!.price);
      expect(await redis.keys(`*gateway:e:catalog:*${good!.id}*`)).not.toHaveLength(0);
      const before = await found();
      expect(await price()).toBe(good!.price);
      expect(await found()).toBeGreaterThan(before);
    },
    { timeout: 10_000, interval: 100 },
  );

  await changeGood(good!, { price: good!.price + 7 });
  // Some tenths of a second where there is nothing else to do; a minute if nobody had told.
  await vi.waitFor(async () => expect(await price()).toBe(good!.price + 7), {
    timeout: 20_000,
    interval: 50,
  });
  expect(await price()).toBe(good!.price + 7);
});

test('the shop window may be kept for a moment, and what is somebody’s own may not', async () => {
  const get = (query: string, headers: Record<string, string> = {}) =>
    fetch(`${graphqlUrl}?${new URLSearchParams({ query })}`, { headers });
  const window = '{ products(first: 3) { edges { node { name variants { listPrice { amountMinor } } } } } }';
  const first = await get(window);
  expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'public, max-age=10']);
  const again = await get(window, { 'if-none-match': first.headers.get('etag')! });
  expect(again.status).toBe(304);
  for (const query of [
    '{ me { id } }',
    '{ cart { id } }',
    '{ products(first: 3) { edges { node { variants { availability } } } } }',
  ])
    expect((await get(query)).headers.get('cache-control')).toBe('no-store');
});
