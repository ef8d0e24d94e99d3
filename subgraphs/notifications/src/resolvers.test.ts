import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { graphql } from 'graphql';
import { expect, test } from 'vitest';
import { resolvers } from './resolvers.ts';

test('notifications answers', async () => {
  const schema = subgraphSchema(schemaText(new URL('../', import.meta.url)) ?? '', resolvers);
  expect(await graphql({ schema, source: '{ notifications }' })).toEqual({ data: { notifications: 'here' } });
});
