// One request as telemetry sees it, from its arrival to its answer. Everything that belongs to the request and must be
// told later is a field here: what it costs is one object per request.
import type { Partner } from '../persisted/partners.ts';
import type { Counter } from './metric.ts';
import { traceparentOf } from './trace-context.ts';

export type OperationKind = 'query' | 'mutation' | 'subscription';

/** What is known of an operation, made once for all its requests. */
export type OperationFacts = {
  readonly kind: OperationKind;
  /** null for an anonymous one */
  readonly name: string | null;
  /** SHA-256 of its text, hexadecimal: its id in manifests as well */
  readonly hash: string;
  readonly fanout: Fanout;
};

/** What its requests cost the subgraphs, of those that were looked at closely. */
export type Fanout = {
  readonly requests: Counter;
  readonly calls: Counter;
  readonly entities: Counter;
  readonly bytes: Counter;
};

/** One subgraph's part in a request. */
export type Share = {
  calls: number;
  failures: number;
  /** representations that it was asked about */
  entities: number;
  bytesSent: number;
  bytesReceived: number;
  /** milliseconds: of all calls together, and of the longest */
  ms: number;
  longestMs: number;
};

const emptyShare = (): Share => ({
  calls: 0,
  failures: 0,
  entities: 0,
  bytesSent: 0,
  bytesReceived: 0,
  ms: 0,
  longestMs: 0,
});

export type Arrival = {
  readonly traceId: string;
  readonly spanId: string;
  /** the caller's span; null where the trace begins here */
  readonly parentId: string | null;
  readonly isSampled: boolean;
  readonly tracestate: string | null;
  readonly clientName: string | null;
  readonly clientVersion: string | null;
  /** Entities are counted as well, which means to look into each body. */
  readonly isThorough: boolean;
};

export class Visit {
  /** performance.now(), milliseconds */
  readonly startedAt = performance.now();
  readonly arrival: Arrival;
  operation: OperationFacts | null = null;
  /** whose key came with it, and what it was estimated to cost; told to whoever keeps that account */
  partner: Partner | null = null;
  cost = 0;
  calls = 0;
  failures = 0;
  entities = 0;
  /** to and from subgraphs */
  bytes = 0;
  isThorough: boolean;
  shares: Map<string, Share> | null = null;
  isOver = false;
  /** what it has a place in while it is under way */
  place: { leave(): void } | null = null;

  constructor(arrival: Arrival) {
    this.arrival = arrival;
    this.isThorough = arrival.isThorough;
  }

  /** What goes along with everything that is not a call of its own. */
  get traceparent(): string {
    const { traceId, spanId, isSampled } = this.arrival;
    return traceparentOf(traceId, spanId, isSampled);
  }

  /** For a developer who wants to know where the time went; from here on, subgraph by subgraph. */
  lookClosely(): void {
    this.isThorough = true;
    this.shares ??= new Map();
  }

  shareOf(subgraph: string): Share | null {
    const { shares } = this;
    if (!shares) return null;
    let share = shares.get(subgraph);
    if (!share) {
      share = emptyShare();
      shares.set(subgraph, share);
    }
    return share;
  }
}
