// How the gateway deals with subgraphs: with all of them, and with single ones in their own way.
import { z } from 'zod';
import {
  count,
  countOrNone,
  headerName,
  part,
  section,
  share,
  size,
  subgraphAddress,
  text,
  time,
} from './values.ts';

/** What becomes of one header on its way to a subgraph. */
export type HeaderRule =
  | { readonly kind: 'forward'; readonly name: string; readonly as: string; readonly fallback: string | null }
  | { readonly kind: 'set'; readonly name: string; readonly value: string }
  | { readonly kind: 'remove'; readonly name: string };

export type SubgraphSettings = {
  /** null: where the supergraph says */
  readonly url: string | null;
  /** for subscriptions; null: the same as `url` */
  readonly subscriptionsUrl: string | null;
  readonly timeoutMs: number;
  readonly largestAnswer: number;
  /** share of recent queries that may be sent a second time */
  readonly retry: { readonly share: number };
  readonly breaker: {
    readonly failuresInRow: number;
    readonly failureRatio: number;
    readonly openMs: number;
  };
  readonly bulkhead: {
    readonly mostAtOnce: number;
    readonly mostWaiting: number;
    readonly longestWaitMs: number;
  };
  readonly pool: {
    readonly connections: number;
    /** whether queries of several requests may be on one connection at a time */
    readonly sharing: 'never' | 'echoed' | 'always';
  };
};

const usual: SubgraphSettings = {
  url: null,
  subscriptionsUrl: null,
  timeoutMs: 5_000,
  largestAnswer: 16_777_216,
  retry: { share: 0.1 },
  breaker: { failuresInRow: 10, failureRatio: 0.5, openMs: 1_000 },
  bulkhead: { mostAtOnce: 512, mostWaiting: 512, longestWaitMs: 1_000 },
  pool: { connections: 64, sharing: 'never' },
};

const sharing = z.enum(['never', 'echoed', 'always'], { error: 'needs never, echoed or always' });

const shape = {
  timeout: time.optional(),
  largestAnswer: size.optional(),
  retry: part({ share: share.optional() }).optional(),
  breaker: part({
    failuresInRow: count.optional(),
    failureRatio: share.optional(),
    open: time.optional(),
  }).optional(),
  bulkhead: part({
    mostAtOnce: count.optional(),
    mostWaiting: countOrNone.optional(),
    longestWait: time.optional(),
  }).optional(),
  pool: part({ connections: count.max(1_024).optional(), sharing: sharing.optional() }).optional(),
};

const forAll = part(shape);
const forOne = part({
  url: subgraphAddress.optional(),
  subscriptionsUrl: subgraphAddress.optional(),
  ...shape,
});

type Given = z.infer<typeof forOne>;

const given = <T extends object>(values: T | undefined): Partial<T> =>
  Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;

const over = (base: SubgraphSettings, own: Given): SubgraphSettings => {
  const { open: openMs, ...breaker } = given(own.breaker);
  const { longestWait: longestWaitMs, ...bulkhead } = given(own.bulkhead);
  return {
    url: own.url ?? base.url,
    subscriptionsUrl: own.subscriptionsUrl ?? base.subscriptionsUrl,
    timeoutMs: own.timeout ?? base.timeoutMs,
    largestAnswer: own.largestAnswer ?? base.largestAnswer,
    retry: { ...base.retry, ...given(own.retry) },
    breaker: { ...base.breaker, ...breaker, ...given({ openMs }) },
    bulkhead: { ...base.bulkhead, ...bulkhead, ...given({ longestWaitMs }) },
    pool: { ...base.pool, ...given(own.pool) },
  };
};

export type Subgraphs = {
  readonly all: SubgraphSettings;
  readonly named: ReadonlyMap<string, SubgraphSettings>;
};

export const subgraphs = section({
  all: forAll.optional(),
  named: z.record(z.string(), forOne, { error: 'needs the names of subgraphs below it' }).optional(),
}).transform(({ all = {}, named = {} }): Subgraphs => {
  const base = over(usual, all);
  return {
    all: base,
    named: new Map(Object.entries(named).map(([name, own]) => [name, over(base, own)])),
  };
});

export const settingsOf = ({ all, named }: Subgraphs, subgraph: string): SubgraphSettings =>
  named.get(subgraph) ?? all;

/** They belong to one connection, or are ours to say; whoever forwards them invites smuggling. */
const ownOfConnections = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const passable = headerName.refine((name) => !ownOfConnections.has(name), {
  error: 'is a header of one connection and is not passed on',
});

const headerValue = text.regex(/^[\t\x20-\x7e\x80-\xff]+$/, {
  error: 'has characters that no header may have',
});

const rule = part({
  forward: passable.optional(),
  as: passable.optional(),
  fallback: headerValue.optional(),
  set: passable.optional(),
  value: headerValue.optional(),
  remove: headerName.optional(),
})
  .refine((one) => [one.forward, one.set, one.remove].filter((name) => name !== undefined).length === 1, {
    error: 'needs exactly one of forward, set and remove',
  })
  .refine((one) => (one.set === undefined) === (one.value === undefined), {
    error: 'needs a value with set, and only with it',
  })
  .refine((one) => one.forward !== undefined || (one.as === undefined && one.fallback === undefined), {
    error: 'has as or fallback, which go with forward only',
  })
  .transform(({ forward, as, fallback, set, value, remove }): HeaderRule => {
    if (forward !== undefined)
      return { kind: 'forward', name: forward, as: as ?? forward, fallback: fallback ?? null };
    if (set !== undefined) return { kind: 'set', name: set, value: value ?? '' };
    return { kind: 'remove', name: remove! };
  });

export type Headers = {
  readonly all: readonly HeaderRule[];
  readonly named: ReadonlyMap<string, readonly HeaderRule[]>;
};

const rules = z.array(rule, { error: 'needs a list of rules' });

/** Without a rule nothing of a client's headers reaches a subgraph. */
export const headers = section({
  all: rules.default([]),
  named: z.record(z.string(), rules, { error: 'needs the names of subgraphs below it' }).default({}),
}).transform(({ all, named }): Headers => ({ all, named: new Map(Object.entries(named)) }));

/** In the order in which they are to be followed: later ones see what earlier ones did. */
export const headerRulesOf = ({ all, named }: Headers, subgraph: string): readonly HeaderRule[] => [
  ...all,
  ...(named.get(subgraph) ?? []),
];
