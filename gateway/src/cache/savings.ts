// Calls to subgraphs that need not be made: what somebody else is asking at this moment, and entities that are known.
import type { Log } from '@orderstream/runtime/log';
import type { GraphQLSchema } from 'graphql';
import type { Redis } from 'ioredis';
import type { Operation } from '../execute/operation.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type CallCounts, withSharing } from '../transport/share.ts';
import type { Transport } from '../transport/transport.ts';
import { CacheCounts } from './cache-counts.ts';
import { withEntityCache } from './entity-cache.ts';
import { type EntityStore, openEntityStore } from './entity-store.ts';
import { type RunCounts, shareRuns } from './share-runs.ts';

export type SavingSettings = {
  /** whether equal queries and calls of people who are not known are made once */
  readonly sharing: boolean;
  /** `longest`: milliseconds */
  readonly entities: { readonly enabled: boolean; readonly longest: number };
};

/** What tells requests apart, as far as one subgraph can tell them apart. */
export type Distinction<Asking> = {
  /** Everything that goes along with a call; null for whoever is known to us, whose calls are nobody else's. */
  readonly scopeOf: (asking: Asking) => string | null;
  /** for whom private things are kept; null for nobody */
  readonly userOf: (asking: Asking) => string | null;
  /** what changes answers for everybody, such as a language */
  readonly variantOf: (asking: Asking) => string;
};

export type Savings<Asking> = {
  /**
   * Stands before the calls to one subgraph, as one supergraph has them.
   * @param fullSchema the supergraph with everything in it
   */
  readonly before: (
    calls: Transport<Asking>,
    subgraph: string,
    fullSchema: GraphQLSchema,
    distinction: Distinction<Asking>,
  ) => Transport<Asking>;
  /** Runs a query once for all who ask it at one moment and have the same scope. */
  readonly share: (
    operation: Operation<Asking>,
    scopeOf: (asking: Asking) => string | null,
  ) => Operation<Asking>;
  /** null where no entities are kept */
  readonly store: EntityStore | null;
};

type Options = {
  readonly settings: SavingSettings;
  /** null: nothing is kept */
  readonly redis: Redis | null;
  readonly prefix: string;
  readonly metrics: Pick<Metrics, 'watch'>;
  readonly log: Log;
  /** milliseconds that an answer of Redis is waited for */
  readonly patienceMs?: number;
};

const watchSharing = ({ watch }: Options['metrics'], queries: RunCounts, calls: CallCounts): void => {
  watch(
    'counter',
    'shared_total',
    'Queries, and calls to subgraphs, of people who are not known: made, or joined to one under way.',
    ['what', 'outcome'],
    (tell) => {
      for (const [what, { asked, joined }] of Object.entries({ queries, calls })) {
        tell(asked - joined, what, 'made');
        tell(joined, what, 'joined');
      }
    },
  );
};

/** One for a gateway, however many supergraphs come and go. */
export const createSavings = <Asking>({
  settings: { sharing, entities },
  redis,
  prefix,
  metrics,
  log,
  patienceMs,
}: Options): Savings<Asking> => {
  const store =
    entities.enabled && redis
      ? openEntityStore({ redis, prefix, log, ...(patienceMs && { patienceMs }) })
      : null;
  const cacheCounts = new CacheCounts();
  const runCounts: RunCounts = { asked: 0, joined: 0 };
  const callCounts: CallCounts = { asked: 0, joined: 0 };
  if (store) cacheCounts.watch(metrics);
  if (sharing) watchSharing(metrics, runCounts, callCounts);

  return {
    store,
    share: (operation, scopeOf) =>
      sharing ? shareRuns(operation, { scopeOf, counts: runCounts }) : operation,
    before: (calls, subgraph, fullSchema, { scopeOf, userOf, variantOf }) => {
      const kept = store
        ? withEntityCache(calls, {
            subgraph,
            fullSchema,
            store,
            scopeOf: userOf,
            variantOf,
            counts: cacheCounts,
            longestMs: entities.longest,
          })
        : calls;
      // Outermost, so that what is asked at one moment is looked up once as well.
      return sharing ? withSharing(kept, { scopeOf, counts: callCounts }) : kept;
    },
  };
};
