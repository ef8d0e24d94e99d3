import { globSync } from 'node:fs';
import path from 'node:path';

const here = import.meta.dirname;
const modules = path.join(here, '../node_modules');

export const prismaCli = path.join(modules, 'prisma/build/index.js');
export const config = path.join(here, 'prisma.config.ts');

/**
 * Prisma's native schema engine is a download, and every command looks for it first. Where it is neither installed
 * nor asked for (PRISMA_ENGINE=native), a stand-in over Prisma's own WebAssembly build of the engine takes its place.
 */
const engineBinary = (env: NodeJS.ProcessEnv): string | undefined => {
  if (env.PRISMA_SCHEMA_ENGINE_BINARY) return env.PRISMA_SCHEMA_ENGINE_BINARY;
  const installed = globSync('schema-engine-*', { cwd: path.join(modules, '@prisma/engines') });
  if (env.PRISMA_ENGINE === 'native' || installed.length > 0) return undefined;
  return path.join(here, 'engine/schema-engine.mjs');
};

export type PrismaRun = {
  readonly subgraph: string;
  /** Only for commands that speak to a database. */
  readonly databaseUrl?: string | undefined;
  /** Where <subgraph>/schema.prisma stands; default: this folder. */
  readonly folder?: string;
  readonly env: NodeJS.ProcessEnv;
};

/** The environment in which Prisma's command line works on one subgraph. */
export const prismaEnvironment = ({ subgraph, databaseUrl, folder, env }: PrismaRun): NodeJS.ProcessEnv => ({
  ...env,
  // The stand-in is started by its first line, which takes `node` from the PATH: it must be this one.
  PATH: [path.dirname(process.execPath), env.PATH].filter(Boolean).join(path.delimiter),
  PRISMA_SUBGRAPH: subgraph,
  PRISMA_DATABASE_URL: databaseUrl ?? env.PRISMA_DATABASE_URL,
  PRISMA_FOLDER: folder ?? here,
  PRISMA_SCHEMA_ENGINE_BINARY: engineBinary(env),
  PRISMA_HIDE_UPDATE_MESSAGE: '1',
  CHECKPOINT_DISABLE: '1',
});
