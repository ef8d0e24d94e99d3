// What is left when all journeys are over: everything adds up, and nobody's name lies about.
import { randomUUID } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as catalog from '@orderstream/catalog/messages';
import * as fraud from '@orderstream/fraud/messages';
import * as inventory from '@orderstream/inventory/messages';
import * as notifications from '@orderstream/notifications/messages';
import * as orders from '@orderstream/orders/messages';
import * as payments from '@orderstream/payments/messages';
import * as recommendations from '@orderstream/recommendations/messages';
import { openBus } from '@orderstream/runtime/bus';
import { createLog } from '@orderstream/runtime/log';
import * as shipping from '@orderstream/shipping/messages';
import * as users from '@orderstream/users/messages';
import { Redis } from 'ioredis';
import { beforeAll, expect, inject, test, vi } from 'vitest';
import { checkInvariants } from '../invariants.ts';
import { readBook } from '../provider-book.ts';
import { bookOf, shelf } from './books.ts';
import { copies, copyNames } from './copies.ts';
import { buy, newCustomer, settled } from './customer.ts';

const { databases, logs, secrets, simulatorUrl } = inject('product');
const { kafkaBrokers, redisUrl } = inject('services');

// There is something to look at even when this file runs alone.
beforeAll(async () => {
  const [customer, goods] = await Promise.all([newCustomer(), shelf(8)]);
  await settled(customer, (await buy(customer, goods[0]!)).id);
});

test('goods, money, orders and messages add up, here and at the provider', () =>
  vi.waitFor(
    async () => {
      const book = await readBook(simulatorUrl, secrets.control);
      expect(await checkInvariants(databases, book)).toEqual([]);
    },
    { timeout: 18_000, interval: 500 },
  ));

test.each(copyNames)('%s exactly as their owner has them', async (name) => {
  const { readOwner, readCopy } = copies[name];
  await vi.waitFor(async () => expect(await readCopy()).toEqual(await readOwner()), 10_000);
});

const linesOfLogs = (): string[] =>
  globSync('*.log', { cwd: logs }).flatMap((file) => readFileSync(join(logs, file), 'utf8').split('\n'));

test('whatever people sent, no request ended in a fault of ours', () => {
  expect(linesOfLogs().filter((line) => /request failed|job failed|INTERNAL/.test(line))).toEqual([]);
});

const topics = [
  ...new Set(
    [catalog, fraud, inventory, notifications, orders, payments, recommendations, shipping, users]
      .flatMap((messages) => Object.values(messages))
      .flatMap((value) => (typeof value === 'function' && 'topic' in value ? [value.topic.name] : [])),
  ),
];

/** Names, addresses, passwords and tokens as the journeys' people have them. */
const personal =
  /journey-[0-9a-f]|Jo Journey|Bell Lane|LS\d{1,2} \d[A-Z]{2}|@example\.com|pass-[0-9a-f]{8}-|eyJ[\w-]{10,}\./;

const withPersonal = (texts: readonly string[]): string[] =>
  texts.filter((text) => personal.test(text)).map((text) => text.slice(0, 200));

test('the journeys’ people are known by name to users, and on their orders', async () => {
  const [person] = await bookOf('users')<{ told: string }>`
    select display_name || ' ' || email as told from users where email like 'journey-%' limit 1`;
  const [order] = await bookOf('orders')<{ told: string }>`
    select line1 || ' ' || postcode as told from orders 
    where line1 = '12 Bell Lane' limit 1`;
  for (const row of [person, order]) expect(row?.told).toMatch(personal);
});

test('nothing personal stands in a log', () => {
  expect(withPersonal(linesOfLogs())).toEqual([]);
});

test('nothing personal stands in the cache', async () => {
  const redis = new Redis(redisUrl);
  const keys = await redis.keys('os:*');
  const values = await Promise.all(keys.map((key) => redis.dump(key)));
  redis.disconnect();
  expect(withPersonal([...keys, ...values.map(String)])).toEqual([]);
});

test('nothing personal was ever said in a message', async () => {
  const log = createLog('aftermath', 'silent');
  const bus = await openBus({ brokers: kafkaBrokers, prefix: '', clientId: 'aftermath', log });
  const said: string[] = [];
  const group = `aftermath-${randomUUID()}`;
  const reader = await bus.consume({
    group,
    topics,
    onBatch: async (batch) => {
      said.push(...batch.map(({ key, value }) => `${key} ${value}`));
    },
  });
  await vi.waitFor(async () => expect(await bus.lag(group, topics)).toBe(0), {
    timeout: 15_000,
    interval: 200,
  });
  await reader.stop();
  await bus.close();
  const speakers = new Set(said.map((text) => /"type":"([a-z]+)\./.exec(text)?.[1]));
  for (const speaker of [
    'fraud',
    'inventory',
    'notification',
    'order',
    'payment',
    'shipment',
    'shipping',
    'stock',
    'user',
  ])
    expect([...speakers]).toContain(speaker);
  expect(withPersonal(said)).toEqual([]);
});
