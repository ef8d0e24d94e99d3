// What the bench tells its load, and what it hears of it.
import type { Spread } from '../report.ts';

export type Asked = {
  /** of this run, for authorizations that no other run uses */
  readonly number: number;
  readonly port: number;
  /** JSON of the GraphQL request */
  readonly body: string;
  readonly connections: number;
  /** until one of them is reached */
  readonly limit: { readonly seconds?: number; readonly requests?: number };
  /** An answer of another length is an error. */
  readonly expectedBytes: number;
  /** Who asks has one of these, in turn; null for an authorization that means nothing to a gateway. */
  readonly tokens: readonly string[] | null;
  /** Nobody says who he is: all requests are the same. */
  readonly isIdentical: boolean;
};

export type Heard = {
  readonly requests: number;
  readonly errors: number;
  readonly seconds: number;
  /** milliseconds of a request */
  readonly took: Spread;
};
