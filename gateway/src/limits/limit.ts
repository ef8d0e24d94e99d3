// How much one request may ask for. The figures are settings; who asks decides which of them count.
import { RequestError } from '@orderstream/runtime/errors';

export type Limits = {
  readonly tokens: number;
  readonly depth: number;
  readonly aliases: number;
  readonly rootFields: number;
  /** fields at the root of a mutation, which run one after the other */
  readonly rootMutations: number;
  /** fields with every fragment written out */
  readonly selections: number;
  /** times that one field of the answer may be asked for again */
  readonly repeats: number;
  /** mutations of which one goes alone: guessing passwords by the dozen takes a request for each guess */
  readonly alone: readonly string[];
  /** bytes of the body */
  readonly body: number;
  /** bytes of the variables as JSON */
  readonly variables: number;
  /** levels of lists and objects in variables */
  readonly variableDepth: number;
  /** things in one list that says how many it should have */
  readonly listSize: number;
  /** things in a list of which nothing is known */
  readonly assumedListSize: number;
  /** arguments that say how long a list may be where the schema has no `@listSize` */
  readonly sizeArguments: readonly string[];
  /** estimated cost of an operation, for somebody not signed in and for others */
  readonly cost: { readonly anonymous: number; readonly signedIn: number };
};

export const defaultLimits: Limits = {
  tokens: 2_000,
  depth: 15,
  aliases: 30,
  rootFields: 10,
  rootMutations: 3,
  selections: 2_000,
  repeats: 50,
  alone: [],
  body: 102_400,
  variables: 65_536,
  variableDepth: 30,
  listSize: 100,
  assumedListSize: 5,
  sizeArguments: ['first', 'last'],
  cost: { anonymous: 1_000, signedIn: 5_000 },
};

/** @param what a sentence's rest, which names the limit and the value */
export const tooComplex = (what: string): RequestError =>
  new RequestError('QUERY_TOO_COMPLEX', `The query is too complex: ${what}.`);

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

export const figure = (value: number): string => grouped.format(value);
