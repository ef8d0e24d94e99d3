// What people decided becomes a network, and the network only looks on.

import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Facts, featuresOf, nothingUsual, withAmount } from './feature.ts';
import { shadow, train } from './learning-service.ts';
import { rulesVersion, score } from './rules.ts';
import { openStudy, type Study } from './study.ts';
import { type Desk, openDesk } from './testing.ts';

let desk: Desk;
let study: Study;
beforeAll(async () => {
  desk = await openDesk();
  study = openStudy();
});
afterAll(async () => {
  await study?.close();
  await desk?.close();
});

const shop = Array.from({ length: 50 }, (_, index) => 1_000 + 50 * index).reduce(withAmount, nothingUsual);
const facts = (index: number, isFraud: boolean): Facts => ({
  amountMinor: 1_000 + ((index * 7_919) % 4_000),
  customer: nothingUsual,
  shop,
  accountAgeHours: isFraud ? 1 : 5_000,
  addressChangedHours: null,
  ordersLastHour: index % 2,
  ordersLastDay: index % 3,
  accountsOnAddress: 0,
  accountsOnDevice: isFraud ? 4 : 0,
  accountsOnNetwork: index % 5,
  ordersFromNetwork: index % 4,
  isNewAddress: false,
  isNewDevice: index % 6 === 0,
  rejectedOnAddress: 0,
  rejectedOnDevice: 0,
  rejectedOnNetwork: 0,
  goodsAbuse: 0,
  declines: 0,
});

/** Decided reviews, as the service leaves them. */
const decided = async (count: number): Promise<void> => {
  for (let index = 0; index < count; index++) {
    const isFraud = index % 5 === 2;
    const features = featuresOf(facts(index, isFraud));
    const { score: points } = score(features, 'GBP');
    await desk.database.sql`
      insert into assessment (id, tenant_id, order_id, amount_minor, currency, score, rank, features, rules_version,
        review, decided_by, decided_at)
      values (${newId()}, ${desk.tenantId}, ${newId()}, 1000, 'GBP', ${points}, ${points},
        ${JSON.stringify(features)}, ${rulesVersion}, ${isFraud ? 'REJECTED' : 'APPROVED'}, ${newId()}, now())`;
  }
};

const scores = () =>
  desk.database.sql<{ score: number; factors: unknown }>`select score, factors from assessment order by id`;
const models = `{ fraudModels { version trainedOn testedOn testedFrauds net { precision recall } rules { precision recall } } }`;

test('too few decisions teach nothing, and nothing is scored in the shadow', async () => {
  await decided(50);
  expect(await train(desk.database, study)).toBe(0);
  expect(await shadow(desk.database, study)).toBe(0);
  expect((await desk.ask(desk.reviewer, models)).data.fraudModels).toEqual([]);
});

test('enough of them make a network, whose quality on unseen ones is told beside the rules', async () => {
  await decided(150);
  expect(await train(desk.database, study)).toBe(1);
  expect(await train(desk.database, study)).toBe(0);
  const { data } = await desk.ask(desk.admin, models);
  expect(data.fraudModels).toEqual([
    {
      version: 'net-1',
      trainedOn: 160,
      testedOn: 40,
      testedFrauds: 8,
      net: { precision: 1, recall: 1 },
      // A shared device and a new account are 63 points: not enough for the rules.
      rules: { precision: null, recall: 0 },
    },
  ]);
  expect((await desk.ask(desk.shopper, models)).code).toBe('FORBIDDEN');
});

test('it scores what it has not looked at, with its version, and the score that decides stays', async () => {
  const before = await scores();
  expect(await shadow(desk.database, study)).toBe(200);
  expect(await shadow(desk.database, study)).toBe(0);
  expect(await scores()).toEqual(before);
  const fraud = desk.order();
  const shared = { deviceHash: fraud.deviceHash };
  for (let account = 0; account < 4; account++) await desk.assess(desk.order(shared));
  await desk.assess(fraud);
  const [sent] = await desk.told(fraud.orderId);
  expect(await shadow(desk.database, study)).toBe(5);
  const { data } = await desk.ask(
    desk.reviewer,
    'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on FraudAssessment { score shadow { score modelVersion } } } }',
    { refs: [{ __typename: 'FraudAssessment', id: await desk.idOf(fraud.orderId) }] },
  );
  const [{ score: decisive, shadow: looked }] = data._entities;
  expect(decisive).toBe(sent!.data.score);
  expect(looked.modelVersion).toBe('net-1');
  expect(looked.score).toBeGreaterThanOrEqual(0);
  expect(await desk.told(fraud.orderId)).toHaveLength(1);
});

test('an hour later and with a fifth more decisions it learns again', async () => {
  await decided(60);
  expect(await train(desk.database, study)).toBe(0);
  await desk.database.sql`update training set tried_at = now() - interval '2 hours'`;
  expect(await train(desk.database, study)).toBe(1);
  expect((await desk.ask(desk.reviewer, models)).data.fraudModels[0].version).toBe('net-2');
});
