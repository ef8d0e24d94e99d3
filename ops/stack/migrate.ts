import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { fingerprint, type Migration, prismaFolder, readMigrations } from './migrations.ts';
import { problems } from './problem.ts';

// Applies migrations as `prisma migrate deploy` would, with Prisma's own table, so that either can go on where the
// other stopped; without its command line, which costs 1.5 s of CPU for each database to say that nothing is to do.

export type MigrateOptions = {
  /** A server on which we may create databases; the database that it names is only used to do that. */
  readonly serverUrl: string;
  readonly subgraph: string;
  /** Default: orderstream_<subgraph>. */
  readonly database?: string;
  /** Where <subgraph>/migrations stands; default: prisma/. */
  readonly folder?: string;
};

export const databaseUrl = (serverUrl: string, database: string): string => {
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
};

/** `<SUBGRAPH>_DATABASE_URL` where it is set (it names server and database), else one database per subgraph on the server. */
export const databaseOf = (
  subgraph: string,
  serverUrl: string,
  env: NodeJS.ProcessEnv,
): { readonly serverUrl: string; readonly database: string; readonly url: string } => {
  const own = env[`${subgraph.toUpperCase().replaceAll('-', '_')}_DATABASE_URL`];
  const standard = `orderstream_${subgraph.replaceAll('-', '_')}`;
  if (!own) return { serverUrl, database: standard, url: databaseUrl(serverUrl, standard) };
  const database = decodeURIComponent(new URL(own).pathname.slice(1)) || standard;
  return { serverUrl: databaseUrl(own, 'postgres'), database, url: databaseUrl(own, database) };
};

type Row = {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
  readonly logs: string | null;
};

const TABLE = `
  create table if not exists _prisma_migrations (
    id varchar(36) primary key not null,
    checksum varchar(64) not null,
    finished_at timestamptz,
    migration_name varchar(255) not null,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz not null default now(),
    applied_steps_count integer not null default 0
  )`;

// The number under which Prisma's own engine locks: neither runs while the other does.
const LOCK = 72_707_369;

/** Creates the database when it is missing and brings it up to date. One query when nothing is to do. */
export const migrate = async (options: MigrateOptions): Promise<{ applied: string[] }> => {
  const { serverUrl, subgraph, folder = prismaFolder } = options;
  const database = options.database ?? databaseOf(subgraph, serverUrl, {}).database;
  const migrations = await readMigrations(subgraph, folder);
  const client = await connectOrCreate(serverUrl, database);
  try {
    const rows = await readRows(client);
    // One that is not finished may be under way in another process, which then holds the lock.
    const isSettled = rows.every((row) => row.finished_at !== null);
    if (isSettled && pending(subgraph, migrations, rows).length === 0) return { applied: [] };
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await client.query(TABLE);
    // Read again: while we waited for the lock, another may have done it.
    const todo = pending(subgraph, migrations, await readRows(client));
    for (const migration of todo) await apply(client, subgraph, migration);
    return { applied: todo.map(({ name }) => name) };
  } finally {
    await client.end();
  }
};

const connect = async (connectionString: string): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  await client.connect();
  return client;
};

const quoted = (name: string): string => pg.escapeIdentifier(name);
const codeOf = (error: unknown): string | undefined => (error as { code?: string } | null)?.code;
const ABSENT = '3D000';

const connectOrCreate = async (serverUrl: string, database: string): Promise<pg.Client> => {
  const url = databaseUrl(serverUrl, database);
  try {
    return await connect(url);
  } catch (error) {
    if (codeOf(error) !== ABSENT) throw error;
  }
  const server = await connect(serverUrl);
  try {
    await server.query(`create database ${quoted(database)}`);
  } catch (error) {
    // Two starters: the second finds the name, or the entry of the first in the catalogue's index.
    if (codeOf(error) !== '42P04' && codeOf(error) !== '23505') throw error;
  } finally {
    await server.end();
  }
  return connect(url);
};

const readRows = async (client: pg.Client): Promise<Row[]> => {
  try {
    const { rows } = await client.query<Row>(
      `select migration_name, checksum, finished_at, logs from _prisma_migrations
       where rolled_back_at is null order by started_at`,
    );
    return rows;
  } catch (error) {
    if (codeOf(error) === '42P01') return [];
    throw error;
  }
};

/** What is still to apply. A migration that failed, or whose file changed after it ran, stops everything: both need a person. */
const pending = (subgraph: string, migrations: readonly Migration[], rows: readonly Row[]): Migration[] => {
  const done = new Map(rows.map((row) => [row.migration_name, row]));
  const failed = rows.find((row) => row.finished_at === null);
  if (failed) {
    const why = failed.logs?.split('\n')[0] || 'it was interrupted';
    throw problems.failedMigration(subgraph, failed.migration_name, why);
  }
  return migrations.filter(({ name, checksum }) => {
    const row = done.get(name);
    if (row && row.checksum !== checksum) throw problems.editedMigration(subgraph, name);
    return !row;
  });
};

const apply = async (
  client: pg.Client,
  subgraph: string,
  { name, checksum, script }: Migration,
): Promise<void> => {
  const id = randomUUID();
  await client.query('insert into _prisma_migrations (id, checksum, migration_name) values ($1, $2, $3)', [
    id,
    checksum,
    name,
  ]);
  try {
    // In one message, and therefore in one transaction, as Prisma sends it.
    await client.query(script);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // A script with a transaction of its own may have left it open and broken.
    await client.query('rollback');
    await client.query('update _prisma_migrations set logs = $2 where id = $1', [id, why]);
    throw problems.failedMigration(subgraph, name, why);
  }
  await client.query('reset all; reset session authorization');
  await client.query(
    'update _prisma_migrations set finished_at = now(), applied_steps_count = 1 where id = $1',
    [id],
  );
};

export type TestDatabase = { readonly url: string; drop(): Promise<void> };

/**
 * A database of its own for a test file, as a copy of one that is migrated once per server and set of migrations:
 * a copy takes some 30 ms whatever the migrations do.
 */
export const testDatabase = async (options: Omit<MigrateOptions, 'database'>): Promise<TestDatabase> => {
  const { serverUrl, subgraph, folder = prismaFolder } = options;
  const name = subgraph.replaceAll('-', '_');
  const template = `template_${name}_${fingerprint(await readMigrations(subgraph, folder))}`;
  const database = `test_${name}_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const server = await connect(serverUrl);
  const copy = () => server.query(`create database ${quoted(database)} template ${quoted(template)}`);
  try {
    try {
      await copy();
    } catch (error) {
      if (codeOf(error) !== ABSENT) throw error;
      await makeTemplate(server, template, { ...options, folder });
      await copy();
    }
  } finally {
    await server.end();
  }
  return {
    url: databaseUrl(serverUrl, database),
    drop: async () => {
      const client = await connect(serverUrl);
      try {
        await client.query(`drop database if exists ${quoted(database)} with (force)`);
      } finally {
        await client.end();
      }
    },
  };
};

/** Made under another name first: the template's name appears only when it is complete and nobody is connected to it. */
const makeTemplate = async (server: pg.Client, template: string, options: MigrateOptions): Promise<void> => {
  await server.query('select pg_advisory_lock($1)', [LOCK]);
  try {
    const { rowCount } = await server.query('select from pg_database where datname = $1', [template]);
    if (rowCount) return;
    const half = `${template}_half`;
    await server.query(`drop database if exists ${quoted(half)} with (force)`);
    await migrate({ ...options, database: half });
    await server.query(`alter database ${quoted(half)} rename to ${quoted(template)}`);
  } finally {
    await server.query('select pg_advisory_unlock($1)', [LOCK]);
  }
};
