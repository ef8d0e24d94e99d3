// One subgraph over HTTP: signed requests on a pool of connections. Nothing that a client sent goes along but what is
// signed here.
import type { KeyObject } from 'node:crypto';
import type { GraphQLDataSource } from '@apollo/gateway';
import { RequestError } from '@orderstream/runtime/errors';
import type { Log } from '@orderstream/runtime/log';
import { sign, signatureHeader, viewerHeader } from '@orderstream/runtime/signature';
import { type Trace, traceId } from '@orderstream/runtime/trace';
import type { Viewer } from '@orderstream/runtime/viewer';
import type { GraphQLFormattedError } from 'graphql';
import { Pool } from 'undici';
import { atEveryField, fromSubgraph } from './subgraph-errors.ts';

/** On whose behalf something is asked. */
export type Asking = { readonly viewer: Viewer; readonly trace: Trace };

export type Transport = {
  readonly source: GraphQLDataSource<Asking>;
  readonly close: () => Promise<void>;
};

/** milliseconds, connecting included */
const patience = 5_000;
/** bytes */
const largestAnswer = 32 * 1024 * 1024;

type Answer = { data?: Record<string, unknown> | null; errors?: readonly GraphQLFormattedError[] };

/** The connection broke, perhaps because it had been idle too long for the other side. */
const isBroken = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  ['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE'].includes(String(error.code));

const isQuery = (text: string): boolean => text.startsWith('query') || text.startsWith('{');

export const openTransport = (name: string, origin: string, key: KeyObject, log: Log): Transport => {
  const path = `/${name}/graphql`;
  const pool = new Pool(origin, { connections: 64, connectTimeout: 2_000, maxResponseSize: largestAnswer });

  const post = async (body: string, { viewer, trace }: Asking): Promise<Answer> => {
    const signed = sign(key, 'POST', path, viewer, body, new Date());
    const response = await pool.request({
      method: 'POST',
      path,
      body,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        [viewerHeader]: signed.viewer,
        [signatureHeader]: signed.signature,
        traceparent: trace.traceparent,
      },
      signal: AbortSignal.timeout(patience),
    });
    // A refused signature is our mistake, and what the subgraph says about it means nothing to the client.
    if (response.statusCode === 401 || response.statusCode >= 500) {
      await response.body.dump();
      throw new Error(`${name} answered with status ${response.statusCode}`);
    }
    return (await response.body.json()) as Answer;
  };

  const ask = async (query: string, body: string, asking: Asking): Promise<Answer> => {
    try {
      return await post(body, asking);
    } catch (error) {
      // A query is safe to repeat; a mutation may have run.
      if (isBroken(error) && isQuery(query)) return post(body, asking);
      throw error;
    }
  };

  return {
    source: {
      process: async ({ request, context }) => {
        const { query = '', variables, operationName } = request;
        const asking = context as Asking;
        try {
          const { data, errors } = await ask(
            query,
            JSON.stringify({ query, variables, operationName }),
            asking,
          );
          return { data, ...(errors && { errors: errors.map(fromSubgraph) }) };
        } catch (error) {
          log.error(
            { err: error, subgraph: name, traceId: traceId(asking.trace) },
            'a subgraph did not answer',
          );
          const isLate = error instanceof Error && error.name === 'TimeoutError';
          const told = new RequestError(isLate ? 'DEADLINE_EXCEEDED' : 'SUBGRAPH_UNAVAILABLE');
          return { data: null, errors: atEveryField({ query, variables }, told) };
        }
      },
    },
    close: () => pool.destroy(),
  };
};
