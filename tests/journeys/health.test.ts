import { expect, inject, test } from 'vitest';

const { gatewayUrl, subgraphsUrl } = inject('product');

test.each([
  ['the gateway', gatewayUrl],
  ['the subgraphs', subgraphsUrl],
])('%s tells that it is up, and of each thing it needs that it is there', async (_who, url) => {
  const up = await fetch(`${url}/health`);
  expect([up.status, await up.json()]).toEqual([200, { status: 'up' }]);
  const ready = await fetch(`${url}/health/ready`);
  const health = (await ready.json()) as { ready: boolean; dependencies: Record<string, { ok: boolean }> };
  expect([ready.status, health.ready]).toEqual([200, true]);
  const needed = Object.entries(health.dependencies);
  expect(needed.length).toBeGreaterThan(3);
  expect(needed.filter(([, { ok }]) => !ok)).toEqual([]);
});
