// One graph twice: four subgraphs composed into a supergraph, and the same as one schema without federation.
import { readFileSync } from 'node:fs';
import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { buildSchema, type GraphQLSchema, isAbstractType, isObjectType, parse, printSchema } from 'graphql';
import { entityOf, resolverOf, typeOf, withBrought } from './world.ts';

export const subgraphNames = ['catalog', 'parcels', 'people', 'reviews', 'stock'] as const;

const typeDefsOf = (name: string) =>
  parse(readFileSync(new URL(`schemas/${name}.graphql`, import.meta.url), 'utf8'));

const composed = composeServices(
  subgraphNames.map((name) => ({ name, url: `http://${name}.test/graphql`, typeDefs: typeDefsOf(name) })),
);
if (composed.supergraphSdl === undefined)
  throw new Error(`The oracle's subgraphs do not compose: ${composed.errors}`);

export const supergraphSdl: string = composed.supergraphSdl;

const bare = /^_|^(String|Int|Float|Boolean|ID)$/;

/** The same facts behind every field, whoever serves it. */
const teach = (schema: GraphQLSchema): GraphQLSchema => {
  for (const type of Object.values(schema.getTypeMap())) {
    if (bare.test(type.name)) continue;
    if (isAbstractType(type)) type.resolveType = (source: unknown) => typeOf(source);
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields()))
      if (!field.name.startsWith('_')) field.resolve = resolverOf(type.name, field.name, field.type);
  }
  return schema;
};

export const monolith: GraphQLSchema = teach(
  buildSchema(printSchema(Supergraph.build(supergraphSdl).apiSchema().toGraphQLJSSchema())),
);

const subgraph = (name: string): GraphQLSchema => {
  const typeDefs = typeDefsOf(name);
  const references = Object.fromEntries(
    ['Product', 'Maker', 'Person', 'Review', 'Warehouse', 'Bin', 'Media', 'Book', 'Film'].map((type) => [
      type,
      {
        __resolveReference: (representation: Record<string, unknown>) => {
          const entity = entityOf(type, representation);
          if (entity === null) return null;
          const known = name === 'parcels' ? withBrought(entity, representation) : entity;
          // An interface object is all that its subgraph knows of it.
          return type === 'Media' && name === 'reviews' ? { ...known, __typename: 'Media' } : known;
        },
      },
    ]),
  );
  const declared = new Set(
    typeDefs.definitions.flatMap((one) => ('name' in one && one.name ? [one.name.value] : [])),
  );
  const resolvers = Object.fromEntries(Object.entries(references).filter(([type]) => declared.has(type)));
  return teach(buildSubgraphSchema([{ typeDefs, resolvers: resolvers as never }]));
};

export const subgraphs: ReadonlyMap<string, GraphQLSchema> = new Map(
  subgraphNames.map((name) => [name, subgraph(name)]),
);
