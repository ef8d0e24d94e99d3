// What a subgraph is: a value that a host can serve.
import type DataLoader from 'dataloader';
import type { GraphQLSchema } from 'graphql';
import type pg from 'pg';
import type { z } from 'zod';
import type { Cache } from './cache.ts';
import type { Database, Db, Origin, Tx } from './database.ts';
import type { Hints } from './hints.ts';
import type { Log } from './log.ts';
import type { Envelope, MessageType } from './messages.ts';
import type { Trace } from './trace.ts';
import type { Viewer } from './viewer.ts';

/** What a resolver and a service function are given. */
export type Context<L = unknown, P = unknown> = {
  readonly db: Db<P>;
  readonly viewer: Viewer;
  readonly now: Date;
  readonly loaders: L;
  readonly log: Log;
  readonly trace: Trace;
};

export type HandlerContext = { readonly now: Date; readonly log: Log };

/** A message, and the transaction as it is seen by whoever answers it. */
export type Heard<T = never> = { readonly tx: Tx; readonly message: Envelope<T> };

/** Runs in the transaction that marks the messages as heard. Must be safe to run twice. */
export type Handler = {
  readonly message: MessageType<never>;
  readonly handle: (heard: readonly Heard[], ctx: HandlerContext) => Promise<void>;
  /**
   * true: given all messages of a batch that have this very function, in the order they came, and before what came after
   * the first of them. false: given one message at a time, in the order they came.
   */
  readonly isForMany: boolean;
};

export const on = <T>(
  message: MessageType<T>,
  handle: (tx: Tx, message: Envelope<T>, ctx: HandlerContext) => Promise<void>,
): Handler => ({
  message: message as unknown as MessageType<never>,
  handle: async (heard, ctx) => {
    for (const one of heard) await handle(one.tx, one.message, ctx);
  },
  isForMany: false,
});

/** Where one statement for many messages is worth it: all of these that come in a batch are handled at once. */
export const together = <T>(
  messages: readonly MessageType<never>[],
  handle: (heard: readonly Heard<T>[], ctx: HandlerContext) => Promise<void>,
): Handler[] =>
  messages.map((message) => ({ message, handle: handle as unknown as Handler['handle'], isForMany: true }));

/** Work that the clock starts. `run` answers how much it did; after more than 0 it runs again at once. */
export type Job = {
  readonly name: string;
  readonly everyMs: number;
  /** hearing one of these messages starts it without waiting */
  readonly wokenBy?: readonly { readonly type: string }[];
  readonly run: (ctx: HandlerContext) => Promise<number>;
};

/** HTTP from outside: `POST /<subgraph>/<path>`. The body comes as the bytes received, for signatures. */
export type Webhook = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** bytes */
  readonly maxBody?: number;
  readonly handle: (request: WebhookRequest) => Promise<WebhookAnswer>;
};

export type WebhookRequest = {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly now: Date;
  readonly log: Log;
};

export type WebhookAnswer = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What the host lends to a subgraph. */
export type Platform<S = unknown, P = unknown> = {
  readonly settings: S;
  readonly database: Database<P>;
  readonly cache: Cache;
  readonly hints: Hints;
  readonly log: Log;
  readonly tenantId: string;
};

export type Parts = {
  readonly viewer: Viewer;
  readonly now: Date;
  readonly log: Log;
  readonly trace: Trace;
  /** performance.now() from which on nobody waits for the answer */
  readonly deadline?: number;
};

// biome-ignore lint/suspicious/noExplicitAny: resolvers are typed by codegen in their subgraph; the host only passes them on
export type Resolvers = Record<string, any>;

/** Whose doing a write is, for the messages it sends. */
export const originOf = ({ viewer, trace, deadline }: Parts): Origin => ({
  tenantId: viewer.tenantId,
  traceparent: trace.traceparent,
  causationId: null,
  ...(deadline !== undefined && { deadline }),
});

export type Service = {
  readonly resolvers?: Resolvers;
  readonly context: (parts: Parts) => Context;
  readonly handlers?: readonly Handler[];
  /** Milliseconds that messages may wait for others to be heard with, where nobody waits for what comes of them. */
  readonly patienceMs?: number;
  readonly jobs?: readonly Job[];
  readonly webhooks?: readonly Webhook[];
  readonly close?: () => Promise<void>;
};

export type Subgraph = {
  readonly name: string;
  /** its folder; `schema.graphql` stands there unless the subgraph only listens */
  readonly folder: URL;
  // biome-ignore lint/suspicious/noExplicitAny: each subgraph has settings of its own
  readonly settings: z.ZodObject<any>;
  /** the module of messages.ts: its topics are made at the start */
  readonly messages: Readonly<Record<string, unknown>>;
  readonly prisma?: (pool: pg.Pool) => unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the settings' type is known inside the subgraph only
  readonly open: (platform: Platform<any, any>) => Service | Promise<Service>;
};

/** A subgraph as a value, checked by its own types inside and opaque outside. */
export const subgraph = <T extends z.ZodRawShape, P = undefined>(definition: {
  readonly name: string;
  readonly folder: URL;
  readonly settings: z.ZodObject<T>;
  readonly messages?: Readonly<Record<string, unknown>>;
  readonly prisma?: (pool: pg.Pool) => P;
  readonly open: (platform: Platform<z.infer<z.ZodObject<T>>, P>) => Service | Promise<Service>;
}): Subgraph => ({ messages: {}, ...definition });

export type Served = {
  readonly subgraph: Subgraph;
  readonly service: Service;
  readonly schema: GraphQLSchema | null;
};

export type Loader<K, V> = DataLoader<K, V>;
