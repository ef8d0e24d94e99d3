// PostgreSQL. Transactions are `tx.sql`, `tx.write` and `tx.send`, nothing else; ordinary reads may go through Prisma on the same pool.
import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import pg from 'pg';
import { RequestError } from './errors.ts';
import { newId } from './ids.ts';
import type { Envelope, Message } from './messages.ts';

export type Sql = <Row extends object = Record<string, unknown>>(
  strings: TemplateStringsArray,
  ...values: unknown[]
) => Promise<Row[]>;

export type Tx = {
  readonly sql: Sql;
  /**
   * A statement whose rows nobody needs. It is sent at once and not waited for: what follows finds its effect, and where it
   * fails the transaction fails by its error in the end.
   */
  readonly write: (strings: TemplateStringsArray, ...values: unknown[]) => void;
  /** Goes to the outbox with this transaction, in the order of sending. There is no other way to publish. */
  readonly send: (...messages: readonly Message[]) => Promise<void>;
};

/** On whose behalf something is written; goes into the envelope of every message. */
export type Origin = {
  readonly tenantId: string;
  readonly traceparent: string;
  readonly causationId: string | null;
  /** performance.now() from which on nobody waits for what comes of it: no statement is begun any more */
  readonly deadline?: number;
};

export type Db<P = unknown> = {
  readonly sql: Sql;
  readonly prisma: P;
  /** Runs `work` in one transaction; deadlocks and serialization failures run it again, so it must not touch the outside. */
  readonly transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
};

export type Database<P = unknown> = {
  /** The database as seen by one request or message. */
  readonly for: (origin: Origin) => Db<P>;
  /** One transaction for several messages, each with an origin of its own. */
  readonly transaction: <T>(work: (begin: (origin: Origin) => Tx) => Promise<T>) => Promise<T>;
  readonly sql: Sql;
  readonly pool: pg.Pool;
  /** statements sent since the start, by pg and Prisma alike; for tests of fan-out */
  readonly statements: () => number;
  /** called after each commit that wrote messages */
  readonly onSent: (listener: () => void) => void;
  readonly close: () => Promise<void>;
};

/** A piece of a statement with values of its own, for conditions that are there only when asked for. */
export class Part {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];
  constructor(strings: readonly string[], values: readonly unknown[]) {
    this.strings = strings;
    this.values = values;
  }
}

export const part = (strings: TemplateStringsArray, ...values: unknown[]): Part => new Part(strings, values);

/** Text that goes into a statement as it is, for closed lists such as sort orders. Never built from input. */
export const raw = (text: string): Part => new Part([text], []);

export const joined = (parts: readonly Part[]): Part => new Part(['', ...parts.map(() => ' ')], parts);

type Statement = { readonly name: string; readonly text: string };

const known = new WeakMap<TemplateStringsArray, Statement>();

const write = (strings: readonly string[], values: readonly unknown[], params: unknown[]): string => {
  let text = strings[0]!;
  for (const [index, value] of values.entries()) {
    text += value instanceof Part ? write(value.strings, value.values, params) : `$${params.push(value)}`;
    text += strings[index + 1];
  }
  return text;
};

/** Every statement is prepared under a name made from its text: planning it costs more than running it. */
const statementOf = (strings: TemplateStringsArray, values: unknown[]): Statement & { values: unknown[] } => {
  const isFixed = !values.some((value) => value instanceof Part);
  const cached = isFixed ? known.get(strings) : undefined;
  if (cached) return { ...cached, values };
  const params: unknown[] = [];
  const text = write(strings, values, params);
  const statement = { text, name: createHash('sha1').update(text).digest('base64url') };
  if (isFixed) known.set(strings, statement);
  return { ...statement, values: params };
};

const sqlOn =
  (target: pg.Pool | pg.ClientBase): Sql =>
  async (strings, ...values) =>
    (await target.query(statementOf(strings, values))).rows as never;

/** Whoever asked has given up: what was not begun is left, and what was is rolled back. */
const checkTime = (deadline: number): void => {
  if (performance.now() > deadline) throw new RequestError('DEADLINE_EXCEEDED');
};

const before = (deadline: number | undefined, sql: Sql): Sql =>
  deadline === undefined
    ? sql
    : async (strings, ...values) => {
        checkTime(deadline);
        return sql(strings, ...values);
      };

const txBefore = (deadline: number | undefined, tx: Tx): Tx =>
  deadline === undefined
    ? tx
    : {
        ...tx,
        sql: before(deadline, tx.sql),
        write: (strings, ...values) => {
          checkTime(deadline);
          tx.write(strings, ...values);
        },
      };

/** int8: amounts and counters; beyond 2^53 is a bug, not a rounding. */
const readInt8 = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond the safe integers`);
  return value;
};

const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === 20 && format !== 'binary' ? readInt8 : pg.types.getTypeParser(oid as never, format as never),
};

const shards = 16;

/** Messages of one key are always of one shard, and a shard has one sender at a time, so their order holds. */
export const shardOf = (key: string): number =>
  createHash('sha1').update(key).digest().readUInt16BE(0) % shards;

export const toEnvelope = (message: Message, origin: Origin, now: Date): Envelope => ({
  id: newId(now),
  type: message.type,
  v: message.v,
  tenantId: origin.tenantId,
  key: message.key,
  version: message.version,
  occurredAt: now.toISOString(),
  causationId: origin.causationId,
  traceparent: origin.traceparent,
  data: message.data,
});

/**
 * As JSON that PostgreSQL can read. Half a letter and NUL are no text to it: one of them in the outbox would be an error
 * to whoever looks into it, and stop the sender for all.
 */
const toSoundJson = (value: unknown): string => {
  const text = JSON.stringify(value);
  if (!/\\u(d[89a-f]|0000)/.test(text)) return text;
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'string' ? part.toWellFormed().replaceAll('\0', '\ufffd') : part,
  );
};

type Unsent = { readonly message: Message; readonly tenantId: string; readonly text: string };

/**
 * All messages of a transaction in one statement, at its end. Their numbers are drawn while the rows they speak of are
 * still locked, so those of one key follow the order of commits.
 */
const intoOutbox = (sql: Sql, unsent: readonly Unsent[]) => sql`
  insert into plumbing.outbox (tenant_id, shard, topic, key, hinted, message)
  select * from unnest(${unsent.map((u) => u.tenantId)}::uuid[],
    ${unsent.map((u) => shardOf(u.message.key))}::smallint[], ${unsent.map((u) => u.message.topic.name)}::text[],
    ${unsent.map((u) => u.message.key)}::text[], ${unsent.map((u) => u.message.topic.hinted)}::boolean[],
    ${unsent.map((u) => u.text)}::json[])`;

const isWorthRepeating = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01');

/** What every statement after the first that failed is told: in_failed_sql_transaction. */
const isEcho = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '25P02';

/**
 * What is asked in one turn leaves in one piece: each write to a socket wakes the server by itself, which costs both sides
 * more than most statements do. Nothing waits for it, as nothing is answered within a turn.
 */
export const sentTogether = (client: pg.ClientBase): (() => void) => {
  const { stream } = (client as unknown as Wired).connection;
  let isHeld = false;
  const letGo = (): void => {
    isHeld = false;
    stream.uncork();
  };
  return () => {
    if (isHeld) return;
    isHeld = true;
    stream.cork();
    process.nextTick(letGo);
  };
};

/** https://node-postgres.com/features/pipeline; a setting of the connection, which its statements read one by one. */
type Pipelined = pg.PoolClient & { pipeline: boolean };

/** The types of pg say nothing of its socket. */
type Wired = { readonly connection: { readonly stream: Writable } };

type Options<P> = {
  readonly url: string;
  /** connections; with the relay's own it stays within four per process and database */
  readonly size?: number;
  readonly applicationName: string;
  readonly prisma?: (pool: pg.Pool) => P;
};

export const openDatabase = <P = undefined>(options: Options<P>): Database<P> => {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.size ?? 3,
    application_name: options.applicationName,
    connectionTimeoutMillis: 3_000,
    query_timeout: 10_000,
    statement_timeout: 8_000,
    idle_in_transaction_session_timeout: 10_000,
    types,
  });
  let statements = 0;
  const listeners: (() => void)[] = [];
  // A connection lost while idle is replaced by the pool; the next query tells if the server is gone.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    // The pool listens while a connection is idle only: one that is lost between two statements of a transaction would
    // end the process. The next statement is told.
    client.on('error', () => undefined);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const hold = sentTogether(client);
    client.query = ((...args: unknown[]) => {
      statements += 1;
      hold();
      return query(...args);
    }) as typeof client.query;
  });
  const prisma = options.prisma?.(pool) as P;

  const once = async <T>(work: (begin: (origin: Origin) => Tx) => Promise<T>): Promise<T> => {
    // Statements that do not wait for each other are sent together; others who use the pool know nothing of that.
    const client = (await pool.connect()) as Pipelined;
    client.pipeline = true;
    const unsent: Unsent[] = [];
    const unheard: Promise<unknown>[] = [];
    const hearLater = (answer: Promise<unknown>): void => {
      answer.catch(() => undefined);
      unheard.push(answer);
    };
    let broken: Error | undefined;
    try {
      // Short statements, each run thousands of times: a plan made once is as good as a plan made for the values at hand,
      // and making one costs more than running it. Lists, whose values matter, are read outside of transactions.
      // What follows is sent right after it: a transaction does not begin only where its connection is gone.
      hearLater(client.query('begin; set local plan_cache_mode = force_generic_plan'));
      const sql = sqlOn(client);
      const write: Tx['write'] = (strings, ...values) => hearLater(sql(strings, ...values));
      const result = await work((origin) => ({
        sql,
        write,
        send: async (...messages) => {
          const now = new Date();
          for (const message of messages)
            unsent.push({
              message,
              tenantId: origin.tenantId,
              text: toSoundJson(toEnvelope(message, origin, now)),
            });
        },
      }));
      // Sent together with the commit, which is none where the writing fails.
      if (unsent.length > 0) hearLater(intoOutbox(sql, unsent));
      const committed = client.query('commit');
      hearLater(committed);
      // One after the other: the first that failed is why the others did.
      for (const answer of unheard) await answer;
      const { command } = await committed;
      // Work that caught the error of a statement went on in a transaction that can only be rolled back.
      if (command !== 'COMMIT')
        throw new Error('the transaction was rolled back: an error in it was swallowed');
      return result;
    } catch (error) {
      await client.query('rollback').catch((lost: Error) => {
        broken = lost;
      });
      unsent.length = 0;
      // A write that failed before is why this did; one that only found the transaction failed is not.
      const answers = await Promise.allSettled(unheard);
      const causes = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
      throw causes.find((cause) => !isEcho(cause)) ?? error;
    } finally {
      client.pipeline = false;
      client.release(broken);
      if (unsent.length > 0) for (const listener of listeners) listener();
    }
  };

  const transaction = async <T>(work: (begin: (origin: Origin) => Tx) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(work);
      } catch (error) {
        if (attempt >= 4 || !isWorthRepeating(error)) throw error;
      }
    }
  };

  const sql = sqlOn(pool);
  return {
    for: (origin) => {
      const { deadline } = origin;
      return {
        sql: before(deadline, sql),
        prisma,
        transaction: (work) => transaction((begin) => work(txBefore(deadline, begin(origin)))),
      };
    },
    transaction,
    sql,
    pool,
    statements: () => statements,
    onSent: (listener) => listeners.push(listener),
    close: () => pool.end(),
  };
};
