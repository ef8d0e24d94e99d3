import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';

// PostgreSQL for the schema engine, through Prisma's own driver adapter and with what that adapter lacks for it.

const CHAR = 18;
const TEXT = 25;

// The engine reads catalogue columns of the one-byte type "char", which the adapter refuses. They are passed as text
// and remembered, and get their type back before the engine sees them: plain text would make it panic.
const Result = createRequire(import.meta.url)('pg/lib/result.js');
const { addFields } = Result.prototype;
Result.prototype.addFields = function (fields) {
  const positions = fields.flatMap((field, at) => (field.dataTypeID === CHAR ? [at] : []));
  for (const at of positions) fields[at].dataTypeID = TEXT;
  if (positions.length > 0) this.rows.charColumns = positions;
  return addFields.call(this, fields);
};

const withChars = (queryable) => {
  const queryRaw = queryable.queryRaw.bind(queryable);
  queryable.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const at of result.rows.charColumns ?? []) result.columnTypes[at] = ColumnTypeEnum.Character;
    return result;
  };
  const startTransaction = queryable.startTransaction?.bind(queryable);
  if (startTransaction) {
    queryable.startTransaction = async (...args) => withChars(await startTransaction(...args));
  }
  return queryable;
};

const quoted = (name) => pg.escapeIdentifier(name);

/** @param {string} url */
export const adapterFactory = (url) => {
  // Fields, not a connection string: the string would win over `database` and send the shadow database's work to the
  // real one. The adapter also does not read `?schema=`.
  const config = parseIntoClientConfig(url);
  const schema = new URL(url).searchParams.get('schema') ?? undefined;
  if (schema) config.options = `-c search_path=${schema}`;

  const run = async (statement) => {
    const client = new pg.Client(config);
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };

  const factory = new PrismaPg(config, { schema });
  const connect = factory.connect.bind(factory);
  factory.connect = async () => withChars(await connect());
  factory.connectToShadowDb = async () => {
    const database = `prisma_migrate_shadow_db_${randomUUID()}`;
    await run(`create database ${quoted(database)}`);
    const adapter = withChars(await new PrismaPg({ ...config, database }, { schema }).connect());
    const dispose = adapter.dispose.bind(adapter);
    adapter.dispose = async () => {
      // The pool first: the adapter's own order would drop a database that it is connected to.
      await dispose();
      await run(`drop database ${quoted(database)} with (force)`);
    };
    return adapter;
  };
  return bindMigrationAwareSqlAdapterFactory(factory);
};

/**
 * The engine's second form, `cli can-connect-to-database | create-database | drop-database`.
 *
 * @param {string} url
 * @param {string | undefined} command
 * @returns {Promise<{ code: string, message: string, meta: object } | null>} null when it worked
 */
export const manageDatabase = async (url, command) => {
  const target = new URL(url);
  const database = decodeURIComponent(target.pathname.slice(1));
  const admin = new URL(url);
  if (command !== 'can-connect-to-database') admin.pathname = '/postgres';
  const client = new pg.Client({ connectionString: admin.href });
  try {
    await client.connect();
    if (command === 'create-database') await client.query(`create database ${quoted(database)}`);
    if (command === 'drop-database')
      await client.query(`drop database if exists ${quoted(database)} with (force)`);
    return null;
  } catch (error) {
    if (error.code === '3D000') {
      const message = `Database \`${database}\` does not exist`;
      return { code: 'P1003', message, meta: { database_name: database } };
    }
    const message = `Can't reach database server at ${target.host}: ${error.message}`;
    return {
      code: 'P1001',
      message,
      meta: { database_host: target.hostname, database_port: Number(target.port) },
    };
  } finally {
    await client.end().catch(() => undefined);
  }
};
