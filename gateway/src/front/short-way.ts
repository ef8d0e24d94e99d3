// The short way of a request: an operation that is known goes from the bytes that came to the bytes that go, past
// everything that only matters for one that is not. Nothing here waits, and nothing is made that outlives its answer.
import type { ServerResponse } from 'node:http';
import { type GraphQLError, getVariableValues } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Outcome } from '../execute/operation.ts';
import type { Operations, Prepared } from '../operations/operations.ts';

/** A body as it came: which operation, with which variables. */
type Read<Asking> = { readonly prepared: Prepared<Asking>; readonly variables: Record<string, unknown> };

export type ShortWay<Asking> = {
  /**
   * Reads a body.
   * @param body a binary string: one character per byte
   * @returns null for whatever has to go the long way: unknown operations, subscriptions, variables that do not fit
   */
  readonly read: (body: string) => Read<Asking> | null;
  readonly answer: (
    read: Read<Asking>,
    asking: Asking,
    accept: string | undefined,
    response: ServerResponse,
  ) => void;
};

type Body = {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
  readonly extensions?: unknown;
};

const graphqlResponse = 'application/graphql-response+json';
const json = 'application/json; charset=utf-8';
const newer = `${graphqlResponse}; charset=utf-8`;

/** bytes of bodies that are kept, each counted with the operation it keeps from being let go */
const mostBodies = 32 * 1024 * 1024;
/** bytes; longer ones carry data, and never come twice */
const longestBody = 8 * 1024;

/** Writes the answer of one request. */
class Reply implements Outcome {
  private response: ServerResponse | null;
  private readonly contentType: string;

  constructor(response: ServerResponse, contentType: string) {
    this.response = response;
    this.contentType = contentType;
  }

  done(body: string): void {
    const { response } = this;
    this.response = null;
    if (!response || response.headersSent || response.destroyed) return;
    response.writeHead(200, {
      'content-type': this.contentType,
      'cache-control': 'no-store',
      'content-length': body.length,
    });
    response.end(body, 'latin1');
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * @param admit what else variables have to stand, by throwing; whatever throws goes the long way, which words it
 */
export const createShortWay = <Asking>(
  operations: Operations<Asking>,
  admit: (prepared: Prepared<Asking>, variables: Record<string, unknown>) => void,
): ShortWay<Asking> => {
  const bodies = new LRUCache<string, Read<Asking>>({
    maxSize: mostBodies,
    sizeCalculation: ({ prepared }, body) => 3 * body.length + prepared.operation.weight,
  });
  const { apiSchema } = operations.supergraph;

  const understand = (body: string): Read<Asking> | null => {
    let parsed: Body;
    try {
      parsed = JSON.parse(Buffer.from(body, 'latin1').toString()) as Body;
    } catch {
      return null;
    }
    if (!isObject(parsed)) return null;
    const { query, operationName, variables: given = {}, extensions } = parsed as Body;
    if (typeof query !== 'string' || (extensions !== undefined && extensions !== null)) return null;
    if (operationName !== undefined && operationName !== null && typeof operationName !== 'string')
      return null;
    if (given !== null && !isObject(given)) return null;
    const prepared = operations.known(query, operationName ?? undefined);
    if (!prepared || prepared.operation.kind === 'subscription') return null;
    const { coerced } = getVariableValues(
      apiSchema,
      prepared.definition.variableDefinitions ?? [],
      given ?? {},
      {
        maxErrors: 1,
      },
    ) as { coerced?: Record<string, unknown>; errors?: readonly GraphQLError[] };
    if (!coerced) return null;
    try {
      admit(prepared, coerced);
    } catch {
      return null;
    }
    return { prepared, variables: coerced };
  };

  return {
    read: (body) => {
      const known = bodies.get(body);
      if (known) return known;
      const read = understand(body);
      if (read && body.length <= longestBody) bodies.set(body, read);
      return read;
    },
    answer: ({ prepared, variables }, asking, accept, response) => {
      const contentType = accept?.includes(graphqlResponse) ? newer : json;
      prepared.operation.run(variables, asking, new Reply(response, contentType));
    },
  };
};
