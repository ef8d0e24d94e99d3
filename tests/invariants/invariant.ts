import type { Charge } from '../provider-book.ts';

/** What an invariant may look at: each database as it stood at one moment, and the provider's book. */
export type Look = {
  /** The answer of one database. A subgraph has one of its own, so what spans two is joined here. */
  readonly rows: <Row extends object>(subgraph: string, sql: string) => Promise<readonly Row[]>;
  readonly subgraphs: readonly string[];
  readonly book: readonly Charge[];
};

export type Invariant = {
  /** `I1 no unit is sold twice` */
  readonly name: string;
  /** `quiet`: true once nothing is under way any more; `always`: at any time */
  readonly holds: 'always' | 'quiet';
  /** Each violation as a sentence that names whom it concerns. */
  readonly broken: (look: Look) => Promise<readonly string[]>;
};

/** An invariant that one statement in one database can see; each row it answers is a violation, told by `what`. */
export const seenIn = (
  subgraph: string,
  holds: Invariant['holds'],
  name: string,
  sql: string,
): Invariant => ({
  name,
  holds,
  broken: async ({ rows }) => (await rows<{ what: string }>(subgraph, sql)).map(({ what }) => what),
});
