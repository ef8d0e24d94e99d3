// Carries the outbox to Kafka. A shard has one relay at a time (an advisory lock on a session of its own) and is sent in
// the order of ids, which is the order of commits per key; rows go when the broker has them. A crash in between sends
// twice, never out of order and never not at all; receivers know the message's id.
import pg from 'pg';
import type { Bus } from './bus.ts';
import { type Database, sentTogether } from './database.ts';
import type { Hints } from './hints.ts';
import type { Log } from './log.ts';
import { loop } from './time.ts';

type Row = { id: string; topic: string; key: string; hinted: boolean; message: string };

const namespace = 0x6f73; // 'os'
/** the channel on which a process says that it wrote what another one's relay has to send */
const channel = 'outbox';
/** milliseconds; who writes says so, and only what was left behind by one that died waits for the next look */
const idleMs = 1_000;
const shards = Array.from({ length: 16 }, (_, shard) => shard);

const columns = 'id, topic, key, hinted, message::text';

/** Who has all shards reads along the primary key, which is cheaper than putting sixteen ranges into one order. */
const unsentOf = (held: readonly number[]): pg.QueryConfig =>
  held.length === shards.length
    ? { name: 'all unsent', text: `select ${columns} from plumbing.outbox order by id limit 500` }
    : {
        name: 'unsent',
        text: `select ${columns} from plumbing.outbox where shard = any($1) order by id limit 500`,
        values: [held],
      };

/** https://node-postgres.com/features/pipeline */
type Pipelined = pg.Client & { pipeline?: boolean };

type Options = {
  readonly url: string;
  readonly database: Database;
  readonly bus: Bus;
  readonly hints: Hints;
  readonly log: Log;
  readonly name: string;
};

export type Relay = { readonly stop: () => Promise<void>; readonly oldestUnsentMs: () => Promise<number> };

export const startRelay = ({ url, database, bus, hints, log, name }: Options): Relay => {
  let session: pg.Client | null = null;
  let held: number[] = [];
  let lookedAt = 0;
  let hasWritten = false;
  /** what the broker has and the outbox still holds */
  let told: string[] = [];
  /** sends what is asked in this turn in one piece */
  let hold: (() => void) | undefined;

  /** The session that holds the locks; a server that misses it for ten seconds gives them to somebody else. */
  const connect = async (): Promise<pg.Client> => {
    const client: Pipelined = new pg.Client({
      connectionString: url,
      application_name: `${name} relay`,
      connectionTimeoutMillis: 3_000,
      query_timeout: 5_000,
    });
    const lost = () => {
      if (session !== client) return;
      session = null;
      held = [];
      told = [];
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', () => running.wake());
    await client.connect();
    // What was sent and is still there after a power cut is sent twice: no reason to wait for the disk.
    await client.query(`set idle_session_timeout = '10s'; set synchronous_commit = off; listen ${channel}`);
    client.pipeline = true;
    hold = sentTogether(client);
    return client;
  };

  /** A session that fails to answer may never do so again, and its socket would not tell for a quarter of an hour. */
  const leave = async (client: pg.Client): Promise<void> => {
    if (session !== client) return;
    session = null;
    held = [];
    told = [];
    await client.end().catch(() => undefined);
  };

  const takeShards = async (client: pg.Client): Promise<void> => {
    const missing = shards.filter((shard) => !held.includes(shard));
    lookedAt = performance.now();
    if (missing.length === 0) return;
    const { rows } = await client.query<{ shard: number }>(
      'select shard from unnest($1::int[]) shard where pg_try_advisory_lock($2, shard)',
      [missing, namespace],
    );
    held = [...held, ...rows.map((row) => row.shard)];
  };

  const forget = async (client: pg.Client): Promise<void> => {
    if (told.length === 0) return;
    const values = [told];
    told = [];
    await client.query({
      name: 'sent',
      text: 'delete from plumbing.outbox where id = any($1::bigint[])',
      values,
    });
  };

  /** @returns how many messages were sent */
  const send = async (client: pg.Client): Promise<number> => {
    if (held.length < shards.length) {
      if (performance.now() - lookedAt > 2_000) await takeShards(client);
      if (hasWritten) {
        hasWritten = false;
        await client.query(`notify ${channel}`);
      }
    }
    if (held.length === 0) return 0;
    // One way to the server for both: what was sent goes, and the next is read.
    hold?.();
    const [, { rows }] = await Promise.all([forget(client), client.query<Row>(unsentOf(held))]);
    if (rows.length === 0) return 0;
    for (const row of rows) if (row.hinted) hints.tell(row.topic, row.key, JSON.parse(row.message).version);
    await bus.publish(rows.map((row) => ({ topic: row.topic, key: row.key, value: row.message })));
    told = rows.map((row) => row.id);
    return rows.length;
  };

  const turn = async (): Promise<number> => {
    session ??= await connect();
    const client = session;
    try {
      return await send(client);
    } catch (error) {
      // Whatever failed: a relay that cannot reach the broker leaves its shards to one that can.
      void leave(client);
      throw error;
    }
  };

  const running = loop(turn, {
    idleMs,
    onError: (error) => log.warn({ err: error }, 'relay: will try again'),
  });
  database.onSent(() => {
    hasWritten = true;
    running.wake();
  });

  return {
    stop: async () => {
      await running.stop();
      if (session) await forget(session).catch(() => undefined);
      await session?.end().catch(() => undefined);
    },
    oldestUnsentMs: async () => {
      const [row] = await database.sql<{ ms: number | null }>`
        select extract(epoch from now() - min(created_at)) * 1000 as ms from plumbing.outbox`;
      return Number(row?.ms ?? 0);
    },
  };
};
