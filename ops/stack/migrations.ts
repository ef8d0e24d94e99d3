import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { problems } from './problem.ts';

/** One folder of Prisma's layout: <timestamp>_<name>/migration.sql. */
export type Migration = { readonly name: string; readonly script: string; readonly checksum: string };

export const prismaFolder = path.resolve(import.meta.dirname, '../../prisma');

/** The migrations of a subgraph in the order in which they apply, which is the order of their names. */
export const readMigrations = async (subgraph: string, folder = prismaFolder): Promise<Migration[]> => {
  const home = path.join(folder, subgraph, 'migrations');
  const entries = await readdir(home, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  return Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(path.join(home, name, 'migration.sql')).catch(() => {
        throw problems.emptyMigration(subgraph, name);
      });
      const checksum = createHash('sha256').update(bytes).digest('hex');
      return { name, script: bytes.toString(), checksum };
    }),
  );
};

/** One hash for all of them: a database made from these migrations can be told from one made from others. */
export const fingerprint = (migrations: readonly Migration[]): string =>
  createHash('sha256')
    .update(migrations.map(({ name, checksum }) => `${name} ${checksum}`).join('\n'))
    .digest('hex')
    .slice(0, 12);
