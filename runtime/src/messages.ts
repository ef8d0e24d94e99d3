// Commands and events between subgraphs. The owner's messages.ts holds their schemas; this is what they are made with.
import { z } from 'zod';

export type Topic = {
  readonly name: string;
  /** the field of `data` whose order matters */
  readonly key: string;
  readonly partitions: number;
  /** Kafka keeps the last message of each key for ever */
  readonly compacted: boolean;
  /** the relay also tells Redis that something happened to a key, for subscriptions */
  readonly hinted: boolean;
};

type TopicOptions = { readonly partitions?: number; readonly compacted?: boolean; readonly hinted?: boolean };

export const topic = (name: string, key: string, options: TopicOptions = {}): Topic => ({
  name,
  key,
  partitions: options.partitions ?? 6,
  compacted: options.compacted ?? false,
  hinted: options.hinted ?? false,
});

/** What is given to `tx.send`. */
export type Message<T = unknown> = {
  readonly topic: Topic;
  readonly type: string;
  readonly v: number;
  readonly key: string;
  /** of the aggregate the message speaks of; receivers ignore what is older than what they know */
  readonly version: number;
  readonly data: T;
};

export type MessageType<T = unknown> = {
  (data: T, version?: number): Message<T>;
  readonly topic: Topic;
  readonly type: string;
  readonly v: number;
  readonly schema: z.ZodType<T>;
};

/**
 * `message(inventoryCommands, 'inventory.reserve', z.object({ … }))`. Fields may be added as optional ones freely;
 * a changed meaning gets a new `v`.
 */
export const message = <S extends z.ZodType>(
  of: Topic,
  type: string,
  schema: S,
  v = 1,
): MessageType<z.infer<S>> => {
  const make = (data: z.infer<S>, version = 1): Message<z.infer<S>> => {
    const key = (data as Record<string, unknown>)[of.key];
    if (typeof key !== 'string') throw new TypeError(`${type} needs the text field ${of.key}`);
    return { topic: of, type, v, key, version, data };
  };
  return Object.assign(make, { topic: of, type, v, schema: schema as z.ZodType<z.infer<S>> });
};

/** The envelope on the wire; these ten fields and no other. */
export const envelope = z.strictObject({
  id: z.uuid(),
  type: z.string(),
  v: z.number().int().positive(),
  tenantId: z.uuid(),
  key: z.string(),
  version: z.number().int(),
  occurredAt: z.iso.datetime(),
  causationId: z.string().nullable(),
  traceparent: z.string(),
  data: z.unknown(),
});

export type Envelope<T = unknown> = Omit<z.infer<typeof envelope>, 'data'> & { readonly data: T };
