// Types out of schemas: resolver types for each subgraph, and the operations that our own programs send.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { CodegenConfig } from '@graphql-codegen/cli';

const scalars = { DateTime: { input: 'Date', output: 'Date' }, Long: 'number' };

/** A subgraph's package.json names the domain types behind its GraphQL types: `"graphql": { "mappers": { … } }`. */
const mappersOf = (name: string): Record<string, string> => {
  const { graphql } = JSON.parse(readFileSync(`subgraphs/${name}/package.json`, 'utf8'));
  const mappers: [string, string][] = Object.entries({
    Money: '@orderstream/runtime/money#Money',
    ...graphql?.mappers,
  });
  // The domain type often bears the GraphQL type's name, so it is imported under another.
  return Object.fromEntries(mappers.map(([type, source]) => [type, `${source} as ${type}Source`]));
};

const subgraphs = readdirSync('subgraphs', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(`subgraphs/${entry.name}/schema.graphql`))
  .map((entry) => entry.name);

const resolverTypes = (name: string): CodegenConfig['generates'] => ({
  [`subgraphs/${name}/src/generated/resolvers.ts`]: {
    schema: ['runtime/schema.graphql', `subgraphs/${name}/schema.graphql`],
    plugins: ['typescript', 'typescript-resolvers'],
    config: {
      federation: true,
      contextType: '../context.ts#Context',
      mappers: mappersOf(name),
      scalars,
      useTypeImports: true,
      enumsAsTypes: true,
      optionalResolveType: true,
      resolversNonOptionalTypename: { unionMember: true },
      defaultScalarType: 'unknown',
    },
  },
});

/** Operations of the demo and the tests, typed against what the gateway offers; dates arrive as text. */
const operations: CodegenConfig['generates'] = existsSync('gateway/api.graphql')
  ? {
      'ops/operations/generated/': {
        schema: 'gateway/api.graphql',
        documents: 'ops/operations/*.graphql',
        preset: 'client',
        presetConfig: { fragmentMasking: false },
        config: {
          scalars: { DateTime: 'string', Long: 'number' },
          useTypeImports: true,
          enumsAsTypes: true,
          documentMode: 'string',
          defaultScalarType: 'unknown',
        },
      },
    }
  : {};

const config: CodegenConfig = {
  silent: true,
  emitLegacyCommonJSImports: false,
  importExtension: '.ts',
  generates: Object.assign({}, ...subgraphs.map(resolverTypes), operations),
};

export default config;
