import { type Database, openDatabase } from '@orderstream/runtime/database';
import type pg from 'pg';
import { inject } from 'vitest';
import { testDatabase as copyDatabase } from '../ops/stack/migrate.ts';

export type TestDatabase<P> = {
  readonly url: string;
  readonly database: Database<P>;
  readonly close: () => Promise<void>;
};

/** A migrated database of its own, for one test file. */
export const testDatabase = async <P = undefined>(
  subgraph: string,
  options: { readonly prisma?: (pool: pg.Pool) => P; readonly size?: number } = {},
): Promise<TestDatabase<P>> => {
  const { url, drop } = await copyDatabase({ serverUrl: inject('services').databaseUrl, subgraph });
  const database = openDatabase<P>({ url, applicationName: `test ${subgraph}`, ...options });
  return {
    url,
    database,
    close: async () => {
      await database.close();
      await drop();
    },
  };
};
