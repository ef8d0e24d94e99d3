// A subgraph's schema: the shared types, its own, and its resolvers.
import { existsSync, readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, parse } from 'graphql';
import { sharedResolvers } from '../scalars.ts';
import type { Resolvers } from '../subgraph.ts';
import { guardFields } from './guards.ts';
import { batchEntities } from './references.ts';

const sharedPath = new URL('../../schema.graphql', import.meta.url);

/** The subgraph's document as composition and the host see it; null for a subgraph that only listens. */
export const schemaText = (folder: URL): string | null => {
  const path = new URL('schema.graphql', folder);
  return existsSync(path) ? `${readFileSync(sharedPath, 'utf8')}\n${readFileSync(path, 'utf8')}` : null;
};

/** @throws TypeError for resolvers of what is not there, and for rules that could not be held */
export const subgraphSchema = (text: string, resolvers: Resolvers = {}): GraphQLSchema => {
  const merged: Resolvers = { ...sharedResolvers, ...resolvers };
  const typeDefs = parse(text);
  const defined = new Set(typeDefs.definitions.flatMap((d) => ('name' in d && d.name ? [d.name.value] : [])));
  for (const name of Object.keys(merged))
    if (!defined.has(name)) throw new TypeError(`there are resolvers for ${name}, which the schema lacks`);
  const schema = buildSubgraphSchema([{ typeDefs, resolvers: merged }]);
  batchEntities(schema);
  guardFields(schema, typeDefs);
  return schema;
};
