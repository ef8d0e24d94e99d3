// What visitors looked at and did, as the shop lets itself be told.
import { encodeId, newId } from '@orderstream/runtime/ids';
import { expect, test } from 'vitest';
import { TrackActivityDocument } from '../../ops/operations/generated/graphql.ts';
import { visitor } from './customer.ts';
import { caller, codes } from './wire.ts';

const view = () => ({
  kind: 'VIEW' as const,
  at: new Date().toISOString(),
  productId: encodeId('product', newId()),
});
const views = (count: number) => Array.from({ length: count }, view);

const track = async (count: number) =>
  (await visitor().send(TrackActivityDocument, { input: { items: views(count) } })).trackActivity;

test('a hundred things at once are taken, one more and none of them is', async () => {
  expect(await track(100)).toEqual({ __typename: 'ActivityAccepted', count: 100 });
  for (const count of [0, 101, 500])
    expect(await track(count)).toMatchObject({
      __typename: 'InvalidInput',
      problems: [{ path: ['input', 'items'] }],
    });
});

test('ten thousand things are refused, however they are written', async () => {
  const query = TrackActivityDocument.toString();
  const tooLong = await caller().ask(query, { input: { items: views(10_000) } });
  expect([tooLong.status, codes(tooLong)]).toEqual([413, ['PAYLOAD_TOO_LARGE']]);
  const bare = `{"query":"mutation($i:TrackActivityInput!){trackActivity(input:$i){__typename ... on UserError{code path}}}","variables":{"i":{"items":[${Array(10_000).fill('{}').join()}]}}}`;
  expect(bare.length).toBeLessThan(100_000);
  const incomplete = await caller().post(bare);
  expect(new Set(codes(incomplete))).toEqual(new Set(['BAD_USER_INPUT']));
});
