// Hears messages: a batch is one transaction of inbox rows and effects, committed before its offsets are. What cannot be
// handled is parked together with everything later of its key, so that one bad message never stops the others.
import type { Bus, Incoming } from './bus.ts';
import type { Database } from './database.ts';
import type { Log } from './log.ts';
import { type Envelope, envelope } from './messages.ts';
import type { Handler } from './subgraph.ts';
import { sleep } from './time.ts';

type Options = {
  readonly name: string;
  readonly bus: Bus;
  readonly database: Database;
  readonly handlers: readonly Handler[];
  readonly log: Log;
  /** milliseconds that messages may wait for others to be heard with */
  readonly patienceMs?: number;
  /** told after a commit which types were heard */
  readonly onHeard: (types: ReadonlySet<string>) => void;
  /** milliseconds before each repetition of a message that fails by itself; then it is parked */
  readonly pauses?: readonly number[];
};

type Heard = { readonly incoming: Incoming; readonly message: Envelope<never>; readonly handler: Handler };

/** Whose order matters: later messages of the same place wait behind a parked one. */
const placeOf = ({ topic, key }: Pick<Incoming, 'topic' | 'key'>): string => `${topic} ${key}`;

/** Some of a batch have to wait behind parked ones; nothing was done yet. */
class Parked extends Error {}

/** The message itself is at fault; repeating it cannot help. */
class Unreadable extends Error {}

/** Null for what cannot be read. */
const envelopeOf = (incoming: Incoming): Envelope | null => {
  try {
    return envelope.parse(JSON.parse(incoming.value)) as Envelope;
  } catch {
    return null;
  }
};

const serverGone = /^(08|53|57|58)|^(55P03|40001|40P01|25006)$/;

/** The world is at fault (server gone, lock, time-out): wait for as long as it takes and never skip. */
const isPassing = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && (serverGone.test(code) || /^E[A-Z]+$/.test(code))) return true;
  return /timeout|Connection terminated|connection.*(lost|ended|closed)|Client has encountered a connection error/i.test(
    error.message,
  );
};

export const startConsumer = async ({
  name,
  bus,
  database,
  handlers,
  log,
  patienceMs = 0,
  onHeard,
  pauses = [100, 500, 2_000],
}: Options) => {
  const byType = new Map(
    handlers.map((handler) => [`${handler.message.type} ${handler.message.v}`, handler]),
  );
  const topics = [...new Set(handlers.map((handler) => handler.message.topic.name))];

  /** @returns null for types and versions that this subgraph does not listen to */
  const read = (incoming: Incoming): Heard | null => {
    let json: unknown;
    try {
      json = JSON.parse(incoming.value);
    } catch (cause) {
      throw new Unreadable('not JSON', { cause });
    }
    const parsed = envelope.safeParse(json);
    if (!parsed.success) throw new Unreadable(`not an envelope: ${parsed.error.issues[0]?.path.join('.')}`);
    const handler = byType.get(`${parsed.data.type} ${parsed.data.v}`);
    if (!handler) return null;
    const data = handler.message.schema.safeParse(parsed.data.data);
    if (!data.success)
      throw new Unreadable(
        `${parsed.data.type}: ${data.error.issues.map((i) => `${i.path.join('.')} ${i.message}`).join('; ')}`,
      );
    if (parsed.data.key !== incoming.key) throw new Unreadable('the key is not the record’s');
    return { incoming, message: { ...parsed.data, data: data.data as never }, handler };
  };

  const parkedAmong = async (batch: readonly Incoming[], sql = database.sql): Promise<Set<string>> => {
    const rows = await sql<{ topic: string; key: string }>`
      select topic, key from plumbing.parked_key where (topic, key) in (
        select * from unnest(${batch.map(({ topic }) => topic)}::text[], ${batch.map(({ key }) => key)}::text[]))`;
    return new Set(rows.map(placeOf));
  };

  const park = async (incoming: Incoming, error: unknown, attempts: number): Promise<void> => {
    const text =
      error instanceof Error ? `${error.name}: ${error.message}` : error === null ? null : String(error);
    const { type, tenantId } = envelopeOf(incoming) ?? { type: null, tenantId: null };
    await database.transaction(async (begin) => {
      const { sql } = begin({ tenantId: '', traceparent: '', causationId: null });
      await sql`
        insert into plumbing.parked_key (tenant_id, topic, key)
        values (${tenantId}, ${incoming.topic}, ${incoming.key}) on conflict do nothing`;
      await sql`
        insert into plumbing.parked_message
          (tenant_id, topic, partition, "offset", key, type, payload, error, attempts)
        values (${tenantId}, ${incoming.topic}, ${incoming.partition}, ${incoming.offset}, ${incoming.key}, ${type},
          ${incoming.value.replaceAll('\0', '\u2400')}, ${text}, ${attempts})
        on conflict do nothing`;
    });
    if (error !== null)
      log.error(
        { err: error, topic: incoming.topic, key: incoming.key, offset: incoming.offset },
        'message parked',
      );
  };

  /** A message of a parked key waits behind it, unless it is a redelivery of one that was handled before. */
  const queueBehind = async (incoming: Incoming): Promise<void> => {
    const known = envelopeOf(incoming);
    if (known) {
      const handled = await database.sql`select 1 from plumbing.inbox where message_id = ${known.id}`;
      if (handled.length > 0) return;
    }
    await park(incoming, null, 0);
  };

  /**
   * Inbox and effects in one transaction.
   * @throws Parked where one of them has to wait behind parked ones
   */
  const apply = async (heard: readonly Heard[]): Promise<void> => {
    const now = new Date();
    await database.transaction(async (begin) => {
      const { sql } = begin({ tenantId: '', traceparent: '', causationId: null });
      const looking = parkedAmong(
        heard.map(({ incoming }) => incoming),
        sql,
      );
      const inserting = sql<{ message_id: string }>`
        insert into plumbing.inbox (message_id, tenant_id)
        select distinct * from unnest(${heard.map(({ message }) => message.id)}::uuid[],
          ${heard.map(({ message }) => message.tenantId)}::uuid[])
        on conflict do nothing returning message_id`;
      const [parked, fresh] = await Promise.all([looking, inserting]);
      if (parked.size > 0) throw new Parked('some wait behind parked ones');
      const unheard = new Set(fresh.map((row) => row.message_id));
      // The same message may stand twice in one batch.
      const toHandle = heard.filter(({ message }) => unheard.delete(message.id));
      const groups = Map.groupBy(toHandle, (one) => (one.handler.isForMany ? one.handler.handle : one));
      for (const group of groups.values()) {
        const all = group.map(({ message }) => {
          const { tenantId, traceparent, id: causationId } = message;
          return { tx: begin({ tenantId, traceparent, causationId }), message };
        });
        await group[0]!.handler.handle(all, { now, log });
      }
    });
    onHeard(new Set(heard.map(({ message }) => message.type)));
  };

  const untilItPasses = async (work: () => Promise<void>, beat: () => Promise<void>): Promise<void> => {
    for (let pause = 100; ; pause = Math.min(pause * 2, 5_000)) {
      try {
        return await work();
      } catch (error) {
        if (!isPassing(error)) throw error;
        log.warn({ err: error }, 'waiting for a service to come back');
        // Shorter than the session, so that the partition stays ours while we wait.
        await sleep(pause * (0.5 + Math.random() / 2));
        await beat();
      }
    }
  };

  /** One message by itself, for batches in which something went wrong. */
  const applyAlone = async (heard: Heard, beat: () => Promise<void>): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await untilItPasses(() => apply([heard]), beat);
      } catch (error) {
        const pause = pauses[attempt - 1];
        if (pause === undefined) return untilItPasses(() => park(heard.incoming, error, attempt), beat);
        log.warn({ err: error, type: heard.message.type, attempt }, 'message failed, will try again');
        await sleep(pause);
        await beat();
      }
    }
  };

  /** What can be handled: what cannot be read is parked, and what belongs behind parked ones is put there. */
  const sifted = async (batch: readonly Incoming[], beat: () => Promise<void>): Promise<Heard[]> => {
    let parked = new Set<string>();
    await untilItPasses(async () => {
      parked = await parkedAmong(batch);
    }, beat);
    const good: Heard[] = [];
    for (const incoming of batch) {
      if (parked.has(placeOf(incoming))) {
        await untilItPasses(() => queueBehind(incoming), beat);
        continue;
      }
      try {
        const heard = read(incoming);
        if (heard) good.push(heard);
      } catch (error) {
        parked.add(placeOf(incoming));
        await untilItPasses(() => park(incoming, error, 0), beat);
      }
    }
    return good;
  };

  /** Null where one of them cannot be read. */
  const readAll = (batch: readonly Incoming[]): Heard[] | null => {
    try {
      return batch.flatMap((incoming) => read(incoming) ?? []);
    } catch {
      return null;
    }
  };

  const onBatch = async (batch: readonly Incoming[], beat: () => Promise<void>): Promise<void> => {
    let good = readAll(batch) ?? (await sifted(batch, beat));
    if (good.length === 0) return;
    try {
      return await untilItPasses(() => apply(good), beat);
    } catch (error) {
      // Mostly nothing is parked, so it is looked for with the work and not before it.
      if (error instanceof Parked) good = await sifted(batch, beat);
    }
    for (const heard of good) {
      if ((await parkedAmong([heard.incoming])).size > 0) await queueBehind(heard.incoming);
      else await applyAlone(heard, beat);
    }
  };

  const consumption = await bus.consume({ group: name, topics, patienceMs, onBatch });
  return { topics, stop: consumption.stop };
};
