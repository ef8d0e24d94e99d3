// The short way of a request: an operation that is known goes from the bytes that came to the bytes that go, past
// everything that only matters for one that is not. Nothing here waits, and nothing is made that outlives its answer.
import type { ServerResponse } from 'node:http';
import { getVariableValues } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Coding } from '../compression/coding.ts';
import type { Compression } from '../compression/compression.ts';
import { sendPacked } from '../compression/sending.ts';
import type { Outcome, Variables } from '../execute/operation.ts';
import type { Known, Operations } from '../operations/operations.ts';

/** A body as it came: which operation, with which variables. */
export type Read<Asking> = { readonly known: Known<Asking>; readonly variables: Variables };

export type ShortWay<Asking> = {
  /**
   * Reads a body.
   * @param body a binary string: one character per byte
   * @returns null for whatever has to go the long way: unknown operations, subscriptions, variables that do not fit
   */
  readonly read: (body: string) => Read<Asking> | null;
  /** As `read`, for a request whose text was found by a hash or an id. */
  readonly readText: (
    text: string,
    request: Pick<Body, 'operationName' | 'variables'>,
  ) => Read<Asking> | null;
  /** @returns false, with nothing done, where the long way has to be gone: it knows whether and how to say no */
  readonly answer: (
    read: Read<Asking>,
    asking: Asking,
    accept: string | undefined,
    response: ServerResponse,
  ) => boolean;
  /** The same with somebody else who answers, and ends the request. */
  readonly run: (read: Read<Asking>, asking: Asking, outcome: Outcome) => boolean;
};

type Options<Asking> = {
  readonly operations: Operations<Asking>;
  readonly compression: Compression;
  /** What else variables have to stand, whoever asks, by throwing; whatever throws goes the long way, which words it. */
  readonly admit: (known: Known<Asking>, variables: Variables) => void;
  /** Whether this asker may have it; false goes the long way. */
  readonly isFree?: (read: Read<Asking>, asking: Asking) => boolean;
  /** told of each run, and of its end when the answer is on its way */
  readonly begin?: (read: Read<Asking>, asking: Asking) => void;
  readonly end?: (hasErrors: boolean, asking: Asking) => void;
};

export type Body = {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
  readonly extensions?: unknown;
  readonly id?: unknown;
  readonly documentId?: unknown;
};

const graphqlResponse = 'application/graphql-response+json';
const json = 'application/json; charset=utf-8';
const newer = `${graphqlResponse}; charset=utf-8`;

/** bytes of bodies that are kept, each counted with the operation it keeps from being let go */
const mostBodies = 32 * 1024 * 1024;
/** bytes; longer ones carry data, and never come twice */
const longestBody = 8 * 1024;

/** Writes the answer of one request. */
class Reply<Asking> implements Outcome {
  #response: ServerResponse | null;
  #asking: Asking | null;
  readonly #contentType: string;
  readonly #compression: Compression;
  readonly #end: ((hasErrors: boolean, asking: Asking) => void) | null;

  constructor(
    response: ServerResponse,
    accept: string | undefined,
    asking: Asking,
    compression: Compression,
    end: ((hasErrors: boolean, asking: Asking) => void) | null,
  ) {
    this.#response = response;
    this.#compression = compression;
    this.#asking = asking;
    this.#contentType = accept?.includes(graphqlResponse) ? newer : json;
    this.#end = end;
  }

  done(body: string, hasErrors: boolean): void {
    if (this.#coding(body.length) === null) this.#begin(body.length, hasErrors)?.end(body, 'latin1');
    else this.doneAlike(Buffer.from(body, 'latin1'), hasErrors);
  }

  doneAlike(bytes: Buffer, hasErrors: boolean): void {
    const coding = this.#coding(bytes.length);
    if (coding === null) {
      this.#begin(bytes.length, hasErrors)?.end(bytes);
      return;
    }
    const response = this.#leave(hasErrors);
    if (response)
      sendPacked(this.#compression, coding, response, 200, bytes, {
        'content-type': this.#contentType,
        'cache-control': 'no-store',
      });
  }

  #coding(length: number): Coding | null {
    const accepted = this.#response?.req.headers['accept-encoding'];
    return accepted === undefined ? null : this.#compression.codingFor(accepted, length);
  }

  /** Null where nobody listens any more. */
  #leave(hasErrors: boolean): ServerResponse | null {
    const response = this.#response;
    const asking = this.#asking;
    this.#response = null;
    this.#asking = null;
    if (asking !== null) this.#end?.(hasErrors, asking);
    return !response || response.headersSent || response.destroyed ? null : response;
  }

  #begin(length: number, hasErrors: boolean): ServerResponse | null {
    const response = this.#leave(hasErrors);
    response?.writeHead(200, [
      'content-type',
      this.#contentType,
      'cache-control',
      'no-store',
      'content-length',
      `${length}`,
    ]);
    return response;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const createShortWay = <Asking>(options: Options<Asking>): ShortWay<Asking> => {
  const { operations, compression, admit, isFree, begin, end } = options;
  const bodies = new LRUCache<string, Read<Asking>>({
    maxSize: mostBodies,
    sizeCalculation: ({ known }, body) => 3 * body.length + known.weight,
  });
  const { apiSchema } = operations.supergraph;

  const understand = (body: string): Read<Asking> | null => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(Buffer.from(body, 'latin1').toString());
    } catch {
      return null;
    }
    if (!isObject(parsed)) return null;
    const { query, extensions } = parsed as Body;
    if (typeof query !== 'string' || (extensions !== undefined && extensions !== null)) return null;
    return readText(query, parsed);
  };

  const readText: ShortWay<Asking>['readText'] = (query, { operationName, variables: given }) => {
    if (operationName !== undefined && operationName !== null && typeof operationName !== 'string')
      return null;
    if (given !== undefined && given !== null && !isObject(given)) return null;
    const known = operations.known(query, operationName ?? undefined);
    if (!known || known.definition.operation === 'subscription') return null;
    const { variableDefinitions = [] } = known.definition;
    const { coerced } = getVariableValues(apiSchema, variableDefinitions, given ?? {}, { maxErrors: 1 });
    if (!coerced) return null;
    try {
      admit(known, coerced);
    } catch {
      return null;
    }
    return { known, variables: coerced };
  };

  return {
    readText,
    read: (body) => {
      const before = bodies.get(body);
      if (before) return before;
      const read = understand(body);
      if (read && body.length <= longestBody) bodies.set(body, read);
      return read;
    },
    answer: (read, asking, accept, response) => {
      const operation = read.known.for(asking);
      if (!operation || (isFree && !isFree(read, asking))) return false;
      begin?.(read, asking);
      const reply = new Reply(response, accept, asking, compression, end ?? null);
      operation.run(read.variables, asking, reply);
      return true;
    },
    run: (read, asking, outcome) => {
      const operation = read.known.for(asking);
      if (!operation || (isFree && !isFree(read, asking))) return false;
      begin?.(read, asking);
      operation.run(read.variables, asking, outcome);
      return true;
    },
  };
};
