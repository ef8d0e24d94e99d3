// The port to the broker: publish a batch, consume, lag. kafkajs stands behind it and is used nowhere else.
import kafkajs from 'kafkajs';
import { gathering } from './gathering.ts';
import type { Log } from './log.ts';
import type { Topic } from './messages.ts';
import { sleep, within } from './time.ts';

export type Outgoing = { readonly topic: string; readonly key: string; readonly value: string };

export type Incoming = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly value: string;
};

export type Consumption = {
  readonly group: string;
  readonly topics: readonly string[];
  /** Milliseconds that messages may wait for others to be heard with; 0: none is waited for. */
  readonly patienceMs?: number;
  /**
   * Resolves when the whole batch is dealt with; its offsets are committed after that. A batch may be of several topics
   * and partitions; there is one at a time.
   */
  readonly onBatch: (batch: readonly Incoming[], beat: () => Promise<void>) => Promise<void>;
};

export type Bus = {
  /** Creates what is missing; existing topics stay as they are. */
  readonly ensureTopics: (topics: readonly Topic[]) => Promise<void>;
  /** In order per key. Resolves when the broker has them on all its in-sync replicas. */
  readonly publish: (messages: readonly Outgoing[]) => Promise<void>;
  readonly consume: (what: Consumption) => Promise<{ stop: () => Promise<void> }>;
  /** Messages that a group has not yet committed, summed over its topics. */
  readonly lag: (group: string, topics: readonly string[]) => Promise<number>;
  /** @throws when the broker does not answer within two seconds */
  readonly ping: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Protocol answers that kafkajs recovers from by itself but logs as errors. */
const passing =
  /rebalanc|not the leader|coordinator|UNKNOWN_MEMBER|Connection (error|timeout)|ECONNREFUSED|Closed connection|Restarting the consumer/i;

/** What one sender has. */
type Lot = {
  readonly messages: readonly Outgoing[];
  /** together with those of others it could not be sent */
  isAlone: boolean;
};

/** What one partition brings to a batch. */
type Share = {
  readonly messages: readonly Incoming[];
  readonly payload: kafkajs.EachBatchPayload;
};

const isLive = ({ payload: { isRunning, isStale } }: Share): boolean => isRunning() && !isStale();

type Offsets = {
  readonly done: (payload: kafkajs.EachBatchPayload, next: string) => void;
  /** The group begins anew: what it was before says nothing any more. */
  readonly reset: () => void;
  readonly stop: () => Promise<void>;
};

/** milliseconds; how much a receiver may be given again after a crash, which its inbox knows */
const commitEvery = 200;

/**
 * Commits how far a group has come, for all partitions at once and a few times a second: a request for each batch would
 * cost the broker more than the batch. Not by `consumer.commitOffsets`: where the group went on without us in the
 * meantime, that breaks off for good instead of joining again. What is not committed is fetched and passed over once more.
 */
const keepOffsets = (onError: (error: unknown) => void): Offsets => {
  let done = new Map<string, { topic: string; partition: number; offset: string }>();
  let latest: kafkajs.EachBatchPayload | undefined;
  let timer: NodeJS.Timeout | undefined;

  const commit = async (): Promise<void> => {
    timer = undefined;
    const going = [...done.values()];
    done = new Map();
    if (going.length === 0 || !latest?.isRunning()) return;
    const byTopic = Map.groupBy(going, ({ topic }) => topic);
    const topics = [...byTopic].map(([topic, partitions]) => ({ topic, partitions }));
    await latest.commitOffsetsIfNecessary({ topics }).catch(onError);
  };
  return {
    done: (payload, offset) => {
      const { topic, partition } = payload.batch;
      latest = payload;
      done.set(`${topic} ${partition}`, { topic, partition, offset });
      timer ??= setTimeout(() => void commit(), commitEvery);
    },
    reset: () => {
      done = new Map();
    },
    stop: async () => {
      clearTimeout(timer);
      await commit();
    },
  };
};

/** milliseconds that a fetch waits where nothing comes */
const idleMs = 500;
/** bytes that a listener in no hurry is told of at once */
const worthTelling = 256 * 1024;

/** messages of a request; one sender's alone may be more */
const mostSent = 1_000;

/** Messages of a batch; a partition brings so many at most. */
const batchSize = { most: 100, ofPartition: 50 };

type Options = {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly clientId: string;
  readonly log: Log;
};

export const openBus = async ({ brokers, prefix, clientId, log }: Options): Promise<Bus> => {
  const kafka = new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    // Starts again as soon as the broker is back: pauses stay under a second.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 30 },
    logCreator:
      () =>
      ({ level, log: entry }) => {
        const text = `${entry.message} ${entry.error ?? ''}`;
        const write = level <= kafkajs.logLevel.ERROR && !passing.test(text) ? 'error' : 'debug';
        log[write]({ kafka: text.slice(0, 300) }, 'kafka client');
      },
  });
  const admin = kafka.admin();
  // Not idempotent: the client numbers requests by partition and takes a number back when an answer is lost, so the next
  // request may bear the number of one that did arrive. The broker then refuses it for ever, or takes it for a repetition
  // and drops it. Repetitions do no harm here, for receivers know the message's id.
  const producer = kafka.producer({ maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await Promise.all([admin.connect(), producer.connect()]);
  const consumers = new Set<{ stop: () => Promise<void> }>();

  /** The broker makes a topic before it knows it: asked at once, it may say that there is none, and kafkajs believes it. */
  const known = async (names: readonly string[]): Promise<void> => {
    for (const end = performance.now() + 15_000; ; await sleep(50)) {
      try {
        const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
        if (topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))) return;
        if (performance.now() > end) throw new Error('the new topics have no leaders');
      } catch (error) {
        if (performance.now() > end) throw error;
      }
    }
  };

  const ensureTopics: Bus['ensureTopics'] = async (topics) => {
    const have = new Set(await admin.listTopics());
    const missing = topics.filter((topic) => !have.has(prefix + topic.name));
    if (missing.length === 0) return;
    const { brokers: members } = await admin.describeCluster();
    // False where another process was faster with some of them.
    await admin.createTopics({
      waitForLeaders: false,
      topics: missing.map((topic) => ({
        topic: prefix + topic.name,
        numPartitions: topic.partitions,
        replicationFactor: Math.min(3, members.length),
        configEntries: topic.compacted ? [{ name: 'cleanup.policy', value: 'compact' }] : [],
      })),
    });
    await known(missing.map((topic) => prefix + topic.name));
  };

  const sendAll = async (messages: readonly Outgoing[]): Promise<void> => {
    const byTopic = Map.groupBy(messages, (message) => message.topic);
    await producer.sendBatch({
      acks: -1,
      timeout: 10_000,
      topicMessages: [...byTopic].map(([name, list]) => ({
        topic: prefix + name,
        messages: list.map(({ key, value }) => ({ key, value })),
      })),
    });
  };
  // One request at a time; what several senders have meanwhile goes with the next, for a request costs the broker more than
  // the messages in it. Where that fails each sends its own: a message that cannot be sent is its sender's trouble only.
  const sending = gathering<Lot>(mostSent, async (lots) => {
    try {
      await sendAll(lots.flatMap(({ messages }) => messages));
    } catch (error) {
      if (lots.length === 1) throw error;
      for (const lot of lots) lot.isAlone = true;
    }
  });
  const publish: Bus['publish'] = async (messages) => {
    const lot: Lot = { messages, isAlone: false };
    await sending.add(lot, messages.length);
    if (lot.isAlone) await sendAll(messages);
  };

  const run = async (
    consumer: kafkajs.Consumer,
    { topics, onBatch }: Consumption,
    offsets: Offsets,
  ): Promise<void> => {
    await consumer.subscribe({ topics: topics.map((name) => prefix + name), fromBeginning: true });
    offsets.reset();
    // A partition by itself rarely brings more than one message; a transaction for each would cost more than the work in it.
    const { add } = gathering<Share>(batchSize.most, async (shares) => {
      const live = shares.filter(isLive);
      const [first] = live;
      if (!first) return;
      const { heartbeat } = first.payload;
      await onBatch(
        live.flatMap(({ messages }) => messages),
        heartbeat,
      );
      for (const { messages, payload } of live) {
        const { offset } = messages.at(-1)!;
        payload.resolveOffset(offset);
        offsets.done(payload, `${BigInt(offset) + 1n}`);
      }
      await heartbeat();
    });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      // All that one fetch brings; they meet in `add`.
      partitionsConsumedConcurrently: 256,
      eachBatch: async (payload) => {
        const { batch } = payload;
        const messages = batch.messages.map((message) => ({
          topic: batch.topic.slice(prefix.length),
          partition: batch.partition,
          offset: message.offset,
          key: message.key?.toString() ?? '',
          value: message.value?.toString() ?? '',
        }));
        for (let at = 0; at < messages.length; at += batchSize.ofPartition) {
          const share = { messages: messages.slice(at, at + batchSize.ofPartition), payload };
          await add(share, share.messages.length);
          if (!isLive(share)) return;
        }
      },
    });
  };

  const consume: Bus['consume'] = async (what) => {
    const { group } = what;
    let isStopped = false;
    let consumer: kafkajs.Consumer;
    const offsets = keepOffsets((error) => log.debug({ err: error, group }, 'offsets not committed yet'));
    let again: NodeJS.Timeout | undefined;

    const start = async (): Promise<void> => {
      consumer = kafka.consumer({
        groupId: prefix + group,
        sessionTimeout: 6_000,
        heartbeatInterval: 1_000,
        // For so long the group stands still for a member that is gone; one that comes later only joins again.
        rebalanceTimeout: 3_000,
        // The broker answers when there is something, or where nobody is in a hurry, when there is much.
        maxWaitTimeInMs: what.patienceMs || idleMs,
        ...(what.patienceMs && { minBytes: worthTelling }),
        allowAutoTopicCreation: false,
        retry: {
          initialRetryTime: 100,
          maxRetryTime: 1_000,
          retries: 1_000_000,
          restartOnFailure: async () => true,
        },
      });
      // kafkajs starts again by itself after what it takes for passing; after a TypeError, say, it is silent for ever.
      consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
        if (!restart) startAnew(error);
      });
      await consumer.connect();
      await run(consumer, what, offsets);
      if (isStopped) await consumer.disconnect();
    };
    const startAnew = (error: unknown): void => {
      if (isStopped) return;
      log.error({ err: error, group }, 'consumer broke off, starting it anew');
      again = setTimeout(() => start().catch(startAnew), 1_000);
    };
    await start();

    const running = {
      stop: async () => {
        isStopped = true;
        clearTimeout(again);
        consumers.delete(running);
        await offsets.stop();
        await within(8_000, `leaving ${group}`, consumer.disconnect()).catch((error) =>
          log.warn({ err: error }, 'consumer did not leave its group in time'),
        );
      },
    };
    consumers.add(running);
    return running;
  };

  const lag: Bus['lag'] = async (group, topics) => {
    const committed = await admin.fetchOffsets({
      groupId: prefix + group,
      topics: topics.map((name) => prefix + name),
    });
    let behind = 0;
    for (const { topic: name, partitions } of committed) {
      for (const { partition, high, low } of await admin.fetchTopicOffsets(name)) {
        const offset = partitions.find((p) => p.partition === partition)?.offset ?? '-1';
        behind += Number(high) - (offset === '-1' ? Number(low) : Number(offset));
      }
    }
    return behind;
  };

  return {
    ensureTopics,
    publish,
    consume,
    lag,
    ping: async () => {
      await within(2_000, 'asking the broker', admin.describeCluster());
    },
    close: async () => {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      await within(
        3_000,
        'closing the producer',
        Promise.all([producer.disconnect(), admin.disconnect()]),
      ).catch(() => undefined);
    },
  };
};
