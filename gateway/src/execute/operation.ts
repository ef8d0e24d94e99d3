// What the front holds of an operation that is known: everything that can be done before a request comes is done.
import type { RequestError } from '@orderstream/runtime/errors';
import type { GraphQLFormattedError } from 'graphql';

export type ErrorPath = readonly (string | number)[];

/** Something that went wrong, at its place in the client's answer. */
export type FieldError = {
  readonly message: string;
  readonly path: ErrorPath | undefined;
  /** what the subgraph said besides */
  readonly extensions: Readonly<Record<string, unknown>>;
  /** who said so; null for a finding of the gateway's own */
  readonly subgraph: string | null;
  /** where a whole call came to nothing */
  readonly failure: RequestError | null;
  /** other places that it may have emptied, for when its own is not in the answer */
  readonly instead?: readonly ErrorPath[];
};

/** Decides what a client is told of an error; null: nothing. */
export type FormatError<Asking> = (error: FieldError, asking: Asking) => GraphQLFormattedError | null;

export type Variables = Readonly<Record<string, unknown>>;

export type Outcome = {
  /** `body`: the whole GraphQL response, JSON as a binary string (one character per byte). Called once. */
  done(body: string, hasErrors: boolean): void;
  /** In place of `done` where others are given the same: its bytes, made once for all. Nobody changes them. */
  doneAlike?(bytes: Buffer, hasErrors: boolean): void;
};

export type Operation<Asking> = {
  readonly kind: 'query' | 'mutation' | 'subscription';
  /** `variables` are coerced already. Of a subscription only `source` and `event` are of use. */
  readonly run: (variables: Variables, asking: Asking, outcome: Outcome) => void;
  /** subscriptions only: what to subscribe to. `body` is JSON of the GraphQL request as a binary string. */
  readonly source?: { readonly subgraph: string; readonly body: (variables: Variables) => string };
  /** subscriptions only: makes an event of the source whole. `event`: JSON of its payload as a binary string. */
  readonly event?: (event: string, variables: Variables, asking: Asking, outcome: Outcome) => void;
  /** estimated bytes that it holds, for bounding caches */
  readonly weight: number;
  /** the plan as text, for developers */
  readonly describe: () => string;
};

/** Errors of subgraphs as they are, failures of calls with their code. */
export const formatPlainly = ({ message, path, extensions, failure }: FieldError): GraphQLFormattedError => ({
  message,
  ...(path && { path }),
  extensions: failure ? { ...failure.extensions } : { ...extensions },
});
