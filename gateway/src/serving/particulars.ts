// What is particular to the gateway of one place: how its subgraphs are spoken to, what it adds to its doors, and the
// words that its clients are told. Everything else is the configuration's affair.
import type { Check } from '@orderstream/runtime/host/health';
import type { GraphQLError, GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { Standing } from '../auth/standing.ts';
import type { EntityStore } from '../cache/entity-store.ts';
import type { News } from '../cache/shop-news.ts';
import type { FormatError } from '../execute/operation.ts';
import type { ClientBook } from '../persisted/client-book.ts';
import type { Bounds } from '../subscriptions/bounds.ts';
import type { Asking } from './asking.ts';

/** Headers, name after value. */
export type HeadersOf = (asking: Asking, body: string) => string[];

export type Page = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
};

export type Particulars = {
  /** where a subgraph is, unless the configuration says; null: where the supergraph says */
  readonly urlOf: (subgraph: string) => string | null;
  /** what goes along with each call to a subgraph, beside what the configuration says */
  readonly signedCall: ((path: string) => HeadersOf) | null;
  /** the same of each subscribe, since one socket serves many */
  readonly signedSubscribe: ((path: string) => (asking: Asking, body: string) => object) | null;
  /** everybody for whom it is the same may see the same of a subscription */
  readonly shareKeyOf: (asking: Asking) => string;
  /** everybody for whom it is the same gets the same answer to a query; null: nobody else does */
  readonly scopeOf: (asking: Asking) => string | null;
  /** what changes even answers that are the same for everybody, such as a language */
  readonly variantOf: (asking: Asking) => string;
  /** Hears of what changes, so that the store forgets it; null where nobody tells. */
  readonly hearNews: ((store: EntityStore) => News) | null;
  /** what rules about who may ask are held against */
  readonly standingOf: (asking: Asking) => Standing;
  /** of a part of an answer; null leaves it out */
  readonly formatError: FormatError<Asking>;
  /** of a subscription that ends by a fault */
  readonly tell: (error: GraphQLError, asking: Asking) => GraphQLFormattedError;
  /** of one that a subgraph did not take */
  readonly tellRefusal: (refused: GraphQLFormattedError, asking: Asking) => GraphQLFormattedError;
  /** done to the schema that variables are read with, such as teaching it scalars */
  readonly prepareSchema: (schema: GraphQLSchema) => void;
  /** partners whose keys a subgraph keeps, beside those of the configuration */
  readonly clients: ClientBook | null;
  /** whether subgraphs are told from which address a request comes */
  readonly tellsAddress: boolean;
  /** what else has to be well for the gateway to be ready */
  readonly checks: (subgraphs: readonly string[]) => Readonly<Record<string, Check>>;
  /** pages for people, at whatever path is not the gateway's own */
  readonly pageAt:
    | ((path: string, host: string, acceptEncoding: string | undefined) => Promise<Page | null>)
    | null;
  /** where a browser that asks for a page at the endpoint is led */
  readonly explorer: string | null;
  /** `stock`: @apollo/gateway's executor answers, to be compared with */
  readonly executor: 'own' | 'stock';
  /** of subscriptions, beside the configuration's */
  readonly bounds: Partial<Bounds>;
};
