// What is sent to a gateway by those who mean ill, and the answer that each is owed. The numbers are those of the project's
// list of bad inputs. A serial makes each text one that was never seen: nothing may be cheap only because it came before.
import { type Asked, bytesOf } from './raw-http.ts';

/** The words of a schema that the inputs are written in. */
export type Words = {
  /** a field at the root with things in it, and a leaf of those */
  readonly list: string;
  readonly leaf: string;
  /** a field of those things that leads to another of them, and how one begins such a chain */
  readonly next: string;
  /** a query with `$n: Int` for how many, one with `$text`, and types of both */
  readonly paged: string;
  readonly sought: string;
  readonly textType: string;
  /** a guess at a password, without an alias */
  readonly guess: string;
  /** a type's fields, many of them, and the field at the root that leads there */
  readonly wide: { readonly field: string; readonly names: readonly string[] };
  /** a field that is not there, and the one that it resembles */
  readonly misspelt: readonly [wrong: string, right: string];
};

export type Expected = {
  readonly status: readonly number[];
  /** of each error; none: an answer without errors will do */
  readonly codes: readonly string[];
  /** whoever goes on sending all the same may not get to read the refusal */
  readonly mayBeCut?: boolean;
};

export type Input = {
  /** of the table */
  readonly number: number;
  readonly what: string;
  readonly pieces: (serial: number) => Iterable<string | Uint8Array>;
  readonly expected: Expected;
};

export const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

export const refusedAs = (status: number | readonly number[], ...codes: readonly string[]): Expected => ({
  status: typeof status === 'number' ? [status] : status,
  codes,
});

export const tooComplex = refusedAs(400, 'QUERY_TOO_COMPLEX');
export const invalid = refusedAs(400, 'GRAPHQL_VALIDATION_FAILED');
export const badInput = refusedAs(400, 'BAD_USER_INPUT');
export const badRequest = refusedAs(400, 'BAD_USER_INPUT', 'BAD_REQUEST');
export const tooLarge: Expected = { ...refusedAs(413, 'PAYLOAD_TOO_LARGE'), mayBeCut: true };
export const signInFirst = refusedAs(401, 'UNAUTHENTICATED');
/** It may be answered, or refused as what it is; it is nobody's fault but the sender's. */
export const harmless = refusedAs([200, 400], 'BAD_USER_INPUT');

/** The status of a refusal is GraphQL's own, whatever a gateway says to those who take nothing but JSON. */
export const accept = { accept: 'application/graphql-response+json' };

export const asked = (what: Asked): Uint8Array[] => [
  bytesOf({ ...what, headers: { ...accept, ...what.headers } }),
];

export const query = (text: string, variables?: object): Uint8Array[] =>
  asked({ body: JSON.stringify({ query: text, variables }) });

/** @param body with `SERIAL` in it where no two are to be alike */
export const body = (text: string, serial: number, headers: Asked['headers'] = {}): Uint8Array[] =>
  asked({ body: text.replace('SERIAL', `${serial}`), headers });
