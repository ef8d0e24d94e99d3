import { sleep } from '@orderstream/runtime/time';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Hall, openHall } from './fixture-hall.ts';
import { until, visit } from './fixture-visit.ts';

let hall: Hall;
beforeEach(async () => {
  hall = await openHall();
});
afterEach(async () => {
  await hall.close();
});

const updates = 'subscription ($id: ID!) {orderUpdated(id: $id) {version note customer {name}}}';

test('a subscription that still fits goes on through a new supergraph, unnoticed by client and subgraph', async () => {
  hall.put({ id: 'o1', version: 1, note: 'a' });
  const one = await visit(hall);
  one.subscribe(updates, { id: 'o1' });
  one.subscribe('subscription {ticket}', {}, '2');
  await until(() => one.events().length === 1 && hall.ears() === 2);
  await hall.reload('note: String!', 'note: String! remark: String');
  hall.put({ id: 'o1', version: 2, note: 'b' });
  hall.ticket('x');
  await until(() => one.heard.length === 4);
  expect(one.events()).toMatchObject([{}, { data: { orderUpdated: { version: 2 } } }]);
  expect(hall.upstream.opened).toBe(2);
  const remarks = await visit(hall);
  remarks.subscribe('subscription {orderUpdated(id: "o1") {remark}}');
  await until(() => remarks.events().length === 1);
});

test('one that does not fit any more is told so and completed, and others go on', async () => {
  const one = await visit(hall);
  one.subscribe(updates, { id: 'o1' });
  one.subscribe('subscription {ticket}', {}, '2');
  await until(() => hall.upstream.open === 2);
  await hall.reload('  ticket: String\n', '');
  await until(() => one.heard.length === 3);
  expect(one.heard.slice(1)).toEqual([
    {
      id: '2',
      type: 'next',
      payload: {
        data: null,
        errors: [
          {
            message: expect.any(String),
            extensions: { code: 'SUBSCRIPTION_SCHEMA_RELOAD', retryable: true },
          },
        ],
      },
    },
    { id: '2', type: 'complete' },
  ]);
  hall.put({ id: 'o1', version: 7, note: 'b' });
  await until(() => one.events().length === 1);
  expect([hall.upstream.open, hall.upstream.opened]).toEqual([1, 2]);
});

test('one that another subgraph serves now goes on there', async () => {
  const one = await visit(hall);
  one.subscribe('subscription {ticket}');
  await until(() => hall.ears() === 1);
  await hall.moveTickets();
  await until(() => hall.upstream.open === 0 && hall.otherUpstream.open === 1);
  await until(() => hall.ears() === 1);
  hall.ticket('from elsewhere');
  await until(() => one.heard.length === 2);
  expect(one.events()).toEqual([{ data: { ticket: 'from elsewhere' } }]);
});

test('reloads under load lose no event of what is kept', async () => {
  const clients = await Promise.all(Array.from({ length: 10 }, () => visit(hall)));
  for (const client of clients) client.subscribe('subscription {orderFeed {id version customer {name}}}');
  await until(() => hall.ears() === 1 && hall.subscriptions.state().subscriptions === 10);
  const reloads = (async () => {
    for (let i = 0; i < 5; i++) await hall.reload('note: String!', `note: String! remark${i}: String`);
  })();
  for (let version = 1; version <= 100; version++) {
    hall.put({ id: `o${version}`, version, note: 'x' });
    await sleep(3);
  }
  await reloads;
  await until(() => clients.every((client) => client.events().length === 100));
  for (const client of clients) {
    const ids = client
      .events()
      .map((event) => (event as { data: { orderFeed: { id: string } } }).data.orderFeed.id);
    expect(ids).toEqual(Array.from({ length: 100 }, (_, index) => `o${index + 1}`));
  }
});
