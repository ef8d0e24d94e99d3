// `npm run new:subgraph NAME`: a folder of its own and one for its database, and nothing to change elsewhere. It answers
// one query and has a test; hosting, code generation and composition find it by its folder.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

const foldersOf = (name: string, place: string) => ({
  code: path.join(place, 'subgraphs', name),
  database: path.join(place, 'prisma', name),
});

const camelCase = (name: string): string =>
  name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** What is wrong with the name, or null. It becomes a path, a database, a package and, in camelCase, a field. */
const problemWith = (name: string, place: string): string | null => {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40)
    return 'A name is in kebab-case, such as gift-cards: small letters, digits and single hyphens, 40 at most.';
  const { code, database } = foldersOf(name, place);
  const taken = [code, database].find((folder) => existsSync(folder));
  return taken ? `There is already ${path.relative(place, taken)}.` : null;
};

const files = (name: string): Record<string, string> => {
  const field = camelCase(name);
  const { version } = JSON.parse(readFileSync(path.join(root, 'runtime/package.json'), 'utf8'));
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const manifest = {
    name: `@orderstream/${name}`,
    version,
    private: true,
    license: 'MIT',
    type: 'module',
    exports: { '.': './src/index.ts' },
    dependencies: { '@orderstream/runtime': version, zod: dependencies.zod },
  };
  return {
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    'schema.graphql': `type Query {
  "Whether ${name} is there; the first thing to replace."
  ${field}: String! @tag(name: "everyone")
}
`,
    'src/index.ts': `import { subgraph } from '@orderstream/runtime/subgraph';
import { z } from 'zod';
import { createContext } from './context.ts';
import { resolvers } from './resolvers.ts';

export const ${field} = subgraph({
  name: '${name}',
  folder: new URL('../', import.meta.url),
  settings: z.object({}),
  open: (platform) => ({ resolvers, context: createContext(platform) }),
});
`,
    'src/context.ts': `import {
  originOf,
  type Parts,
  type Platform,
  type Context as RuntimeContext,
} from '@orderstream/runtime/subgraph';

/** Loaders are made per request: \`loader(batch)\` of runtime/loaders. */
export type Loaders = Record<string, never>;

export type Context = RuntimeContext<Loaders, undefined>;

export const createContext =
  ({ database }: Platform<unknown, undefined>) =>
  (parts: Parts): Context => ({ ...parts, db: database.for(originOf(parts)), loaders: {} });
`,
    'src/resolvers.ts': `import type { Resolvers } from './generated/resolvers.ts';

export const resolvers: Resolvers = {
  Query: {
    ${field}: () => 'here',
  },
};
`,
    'src/resolvers.test.ts': `import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { graphql } from 'graphql';
import { expect, test } from 'vitest';
import { resolvers } from './resolvers.ts';

test('${name} answers', async () => {
  const schema = subgraphSchema(schemaText(new URL('../', import.meta.url)) ?? '', resolvers);
  expect(await graphql({ schema, source: '{ ${field} }' })).toEqual({ data: { ${field}: 'here' } });
});
`,
  };
};

const prismaSchema = (name: string): string => `generator client {
  provider               = "prisma-client"
  output                 = "../../subgraphs/${name}/src/generated/prisma"
  runtime                = "nodejs"
  moduleFormat           = "esm"
  importFileExtension    = "ts"
  generatedFileExtension = "ts"
}

datasource db {
  provider = "postgresql"
}
`;

/**
 * @param place the folder of subgraphs/ and prisma/; tests have one of their own, so that nobody meets a half-made one
 * @throws Error where the name will not do
 */
export const newSubgraph = (name: string, now: Date, place = root): void => {
  const problem = problemWith(name, place);
  if (problem) throw new Error(problem);
  const { code, database } = foldersOf(name, place);
  for (const [file, text] of Object.entries(files(name))) {
    mkdirSync(path.dirname(path.join(code, file)), { recursive: true });
    writeFileSync(path.join(code, file), text);
  }
  const stamp = now.toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const migration = path.join(database, 'migrations', `${stamp}_plumbing`);
  mkdirSync(migration, { recursive: true });
  copyFileSync(path.join(root, 'runtime/sql/plumbing.sql'), path.join(migration, 'migration.sql'));
  writeFileSync(path.join(database, 'migrations/migration_lock.toml'), 'provider = "postgresql"\n');
  writeFileSync(path.join(database, 'schema.prisma'), prismaSchema(name));
};

if (import.meta.main) {
  const name = process.argv[2] ?? '';
  try {
    newSubgraph(name, new Date());
  } catch (error) {
    console.error(`${(error as Error).message}\nnpm run new:subgraph NAME`);
    process.exit(2);
  }
  console.log(`subgraphs/${name} and prisma/${name} are there. Next, to link it, generate its types and start:

  npm install && npm run compose && npm start
`);
}
