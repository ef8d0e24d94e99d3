// Which metrics the gateway has. Names and labels are an interface: dashboards and alarms are written against them.
import type { ResilienceState } from '../transport/resilience.ts';
import type { Counter, Histogram } from './metric.ts';
import { createRegistry, type Registry, type Tell } from './registry.ts';
import type { Fanout, OperationKind } from './visit.ts';

/** How a request ended for its client. */
export type Ending = 'ok' | 'errors' | 'refused';

export type CallMetrics = {
  readonly seconds: Record<'query' | 'mutation', Histogram>;
  readonly bytesSent: Counter;
  readonly bytesReceived: Counter;
  /** `outcome`: ok, errors, or why the call came to nothing */
  readonly outcome: (outcome: string) => Counter;
};

export type Metrics = {
  readonly registry: Registry;
  readonly requests: Record<OperationKind | 'unknown', Record<Ending, Counter>>;
  readonly seconds: Record<OperationKind | 'unknown', Histogram>;
  readonly callsOf: (subgraph: string) => CallMetrics;
  readonly fanoutOf: (operation: string) => Fanout;
  readonly plans: { readonly hits: Counter; readonly misses: Counter };
  /** Each is asked when the page is read. */
  readonly watchSubgraphs: (read: () => Iterable<readonly [subgraph: string, ResilienceState]>) => void;
  readonly watchPlans: (read: () => { readonly count: number; readonly bytes: number }) => void;
  readonly watchSubscriptions: (read: () => SubscriptionCounts) => void;
  readonly watch: (
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    labels: readonly string[],
    read: (tell: Tell) => void,
  ) => void;
};

export type SubscriptionCounts = {
  /** clients that listen, and the streams of subgraphs that feed them */
  readonly clients: number;
  readonly sources: number;
  readonly sockets: number;
};

const prefix = 'gateway_';
/** seconds */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Operations told apart by name. Names come from clients, who could have any number. */
const mostOperations = 500;

const breakerStates = ['closed', 'half-open', 'open'] as const;

const kinds = ['query', 'mutation', 'subscription', 'unknown'] as const;

const perKind = <T>(make: (kind: (typeof kinds)[number]) => T): Record<(typeof kinds)[number], T> => ({
  query: make('query'),
  mutation: make('mutation'),
  subscription: make('subscription'),
  unknown: make('unknown'),
});

const processReadings = (registry: Registry): void => {
  registry.reading('counter', 'process_cpu_seconds_total', 'User and system CPU time.', [], (tell) => {
    const { user, system } = process.cpuUsage();
    tell((user + system) / 1e6);
  });
  registry.reading('gauge', 'process_resident_memory_bytes', 'Resident memory.', [], (tell) =>
    tell(process.memoryUsage.rss()),
  );
};

export const openMetrics = (): Metrics => {
  const registry = createRegistry();
  processReadings(registry);
  const watch: Metrics['watch'] = (kind, name, help, labels, read) =>
    registry.reading(kind, prefix + name, help, labels, read);
  const counters = (name: string, help: string, labels: readonly string[] = [], most?: number) =>
    registry.counters(prefix + name, help, labels, most);

  const requests = counters('requests_total', 'Requests by kind of operation and outcome.', [
    'kind',
    'outcome',
  ]);
  const seconds = registry.histograms(
    `${prefix}request_seconds`,
    'From the arrival of a request to its answer.',
    ['kind'],
    bounds,
  );
  const calls = counters('subgraph_calls_total', 'Calls to subgraphs by outcome.', ['subgraph', 'outcome']);
  const callSeconds = registry.histograms(
    `${prefix}subgraph_call_seconds`,
    'From sending a call, waits and second attempts included, to its answer or failure.',
    ['subgraph', 'kind'],
    bounds,
  );
  const callBytes = counters('subgraph_bytes_total', 'Bytes of bodies to and from subgraphs.', [
    'subgraph',
    'direction',
  ]);
  const plans = counters('plan_cache_requests_total', 'Whether an operation was known.', ['outcome']);
  const ofOperation = (name: string, help: string) =>
    counters(
      `fanout_${name}_total`,
      `${help} Of requests that were looked at closely.`,
      ['operation'],
      mostOperations,
    );
  const fanout = {
    requests: ofOperation('requests', 'Requests.'),
    calls: ofOperation('calls', 'Calls to subgraphs.'),
    entities: ofOperation('entities', 'Entities that subgraphs were asked about.'),
    bytes: ofOperation('bytes', 'Bytes to and from subgraphs.'),
  };

  return {
    registry,
    requests: perKind((kind) => ({
      ok: requests.of(kind, 'ok'),
      errors: requests.of(kind, 'errors'),
      refused: requests.of(kind, 'refused'),
    })),
    seconds: perKind((kind) => seconds.of(kind)),
    callsOf: (subgraph) => ({
      seconds: { query: callSeconds.of(subgraph, 'query'), mutation: callSeconds.of(subgraph, 'mutation') },
      bytesSent: callBytes.of(subgraph, 'sent'),
      bytesReceived: callBytes.of(subgraph, 'received'),
      outcome: (outcome) => calls.of(subgraph, outcome),
    }),
    fanoutOf: (operation) => ({
      requests: fanout.requests.of(operation),
      calls: fanout.calls.of(operation),
      entities: fanout.entities.of(operation),
      bytes: fanout.bytes.of(operation),
    }),
    plans: { hits: plans.of('hit'), misses: plans.of('miss') },
    watchSubgraphs: (read) => {
      const gauge = (name: string, help: string, told: (state: ResilienceState) => number) =>
        watch('gauge', name, help, ['subgraph'], (tell) => {
          for (const [subgraph, state] of read()) tell(told(state), subgraph);
        });
      gauge('subgraph_calls_in_flight', 'Calls under way.', ({ inFlight }) => inFlight);
      gauge('subgraph_calls_queued', 'Calls that wait for others to end.', ({ queued }) => queued);
      watch('gauge', 'subgraph_breaker', '1 for the state that it is in.', ['subgraph', 'state'], (tell) => {
        for (const [subgraph, { breaker }] of read())
          for (const state of breakerStates) tell(breaker === state ? 1 : 0, subgraph, state);
      });
    },
    watchPlans: (read) => {
      watch('gauge', 'plan_cache_bytes', 'Estimated bytes of operations that are kept.', [], (tell) =>
        tell(read().bytes),
      );
      watch('gauge', 'plan_cache_operations', 'Operations that are kept.', [], (tell) => tell(read().count));
    },
    watchSubscriptions: (read) => {
      const gauge = (name: keyof SubscriptionCounts, help: string) =>
        watch('gauge', `subscription_${name}`, help, [], (tell) => tell(read()[name]));
      gauge('clients', 'Subscriptions of clients.');
      gauge('sources', 'Subscriptions at subgraphs, each shared by clients.');
      gauge('sockets', 'Sockets of clients.');
    },
    watch,
  };
};
