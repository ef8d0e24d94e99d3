// What a request cost the subgraphs, told in its answer to developers who ask.
import { toBinary } from '../transport/binary.ts';
import type { Visit } from './visit.ts';

/** With the value 1 a developer asks for `extensions.fanout`. */
export const fanoutHeader = 'x-orderstream-fanout';

export type FanoutReport = {
  readonly calls: number;
  readonly entities: number;
  /** to and from subgraphs */
  readonly bytes: number;
  /** milliseconds from the request's arrival */
  readonly ms: number;
  readonly subgraphs: Readonly<
    Record<
      string,
      {
        readonly calls: number;
        readonly failures: number;
        readonly entities: number;
        readonly bytesSent: number;
        readonly bytesReceived: number;
        /** of all calls together, and of the longest */
        readonly ms: number;
        readonly longestMs: number;
      }
    >
  >;
  readonly plan: string;
};

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;

/** @param plan as text, what `Operation.describe()` tells */
export const fanoutOf = (visit: Visit, plan: string): FanoutReport => ({
  calls: visit.calls,
  entities: visit.entities,
  bytes: visit.bytes,
  ms: rounded(performance.now() - visit.startedAt),
  subgraphs: Object.fromEntries(
    [...(visit.shares ?? [])].map(([subgraph, share]) => [
      subgraph,
      { ...share, ms: rounded(share.ms), longestMs: rounded(share.longestMs) },
    ]),
  ),
  plan,
});

/**
 * An answer with extensions added to it.
 * @param body of a whole GraphQL response without extensions, JSON as a binary string
 */
export const withExtensions = (body: string, extensions: Readonly<Record<string, unknown>>): string =>
  `${body.slice(0, body.lastIndexOf('}'))},"extensions":${toBinary(JSON.stringify(extensions))}}`;
