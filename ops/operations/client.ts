// The gateway as our own programs and tests use it: typed operations over HTTP, live ones over graphql-ws.
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { z } from 'zod';
import type { TypedDocumentString } from './generated/graphql.ts';

/** A GraphQL error's code, or what kept us from any answer. */
type Failure = 'UNREACHABLE' | 'TIMED_OUT' | 'UNREADABLE' | 'CLOSED';

type Details = {
  readonly path?: readonly (string | number)[];
  /** the argument that is wrong, outermost first, joined by dots */
  readonly argument?: string;
  readonly traceId?: string;
  readonly retryAfterMs?: number;
  /** what was answered in spite of the error */
  readonly data?: unknown;
  readonly cause?: unknown;
};

/** The operation as a whole went wrong: `code` is the first error's. What the shop refuses is a value, not this. */
export class OperationError extends Error {
  readonly code: Failure | (string & {});
  readonly path: readonly (string | number)[] | undefined;
  readonly argument: string | undefined;
  readonly traceId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly data: unknown;

  constructor(code: OperationError['code'], message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.name = 'OperationError';
    this.code = code;
    this.path = details.path;
    this.argument = details.argument;
    this.traceId = details.traceId;
    this.retryAfterMs = details.retryAfterMs;
    this.data = details.data;
  }
}

type Told = { readonly code?: string; readonly message?: string; readonly path?: readonly string[] | null };

/** The shop said no: another member of the result union came than the one counted on. */
export class RefusedError extends Error {
  readonly code: string;
  readonly path: readonly string[] | null;
  readonly refusal: unknown;

  constructor(refusal: Told) {
    super(refusal.message ?? 'The shop gave an unexpected answer.');
    this.name = 'RefusedError';
    this.code = refusal.code ?? 'UNEXPECTED';
    this.path = refusal.path ?? null;
    this.refusal = refusal;
  }
}

/** The member of a result union that is wanted. @throws RefusedError for any other */
export const accepted = <
  Result extends Told & { readonly __typename: string },
  Name extends Result['__typename'],
>(
  result: Result,
  name: Name,
): Extract<Result, { readonly __typename: Name }> => {
  if (result.__typename !== name) throw new RefusedError(result);
  return result as Extract<Result, { readonly __typename: Name }>;
};

const shownError = z.object({
  message: z.string(),
  path: z.array(z.union([z.string(), z.number()])).optional(),
  extensions: z
    .object({
      code: z.string().optional(),
      argument: z.string().optional(),
      traceId: z.string().optional(),
      retryAfterMs: z.number().optional(),
    })
    .optional(),
});

const answerShape = z.object({
  data: z.unknown().optional(),
  errors: z.array(shownError).nonempty().optional(),
});

/** @throws OperationError for an answer with errors, or one that is no GraphQL answer */
const dataOf = <Data>(answer: unknown): Data => {
  const { success, data: read, error: cause } = answerShape.safeParse(answer);
  if (!success) throw new OperationError('UNREADABLE', 'The answer is no GraphQL answer.', { cause });
  const [first] = read.errors ?? [];
  if (first) {
    const { code = 'UNREADABLE', ...extensions } = first.extensions ?? {};
    throw new OperationError(code, first.message, { ...extensions, path: first.path, data: read.data });
  }
  if (typeof read.data !== 'object' || read.data === null)
    throw new OperationError('UNREADABLE', 'The answer has neither data nor errors.');
  // The generated type says what the gateway promises for this operation.
  return read.data as Data;
};

const nestedCode = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined;
  return 'code' in error && typeof error.code === 'string' ? error.code : nestedCode(error.cause);
};

/** What a fetch or a socket ended with, before or instead of an answer. */
const failureOf = (url: string, error: unknown, timeoutMs: number): Error => {
  if (error instanceof OperationError) return error;
  if (Array.isArray(error)) {
    try {
      dataOf({ errors: error });
    } catch (told) {
      return told as Error;
    }
  }
  // ws tells of a connection that failed by an event that carries the error.
  const cause = error instanceof Error ? error : (error as { readonly error?: unknown } | null)?.error;
  if (cause instanceof Error && cause.name === 'TimeoutError')
    return new OperationError('TIMED_OUT', `${url} has not answered within ${timeoutMs / 1000} s.`, {
      cause,
    });
  const isClosing = typeof error === 'object' && error !== null && 'code' in error && 'reason' in error;
  if (isClosing && !cause)
    return new OperationError('CLOSED', `${url} closed the socket: ${error.code} ${error.reason}`.trim());
  const code = nestedCode(cause);
  return new OperationError('UNREACHABLE', `${url} cannot be reached${code ? ` (${code})` : ''}.`, { cause });
};

export type Document<Data, Variables> = TypedDocumentString<Data, Variables>;

/** Operations without required variables are sent without any. */
type Given<Variables> =
  Record<string, never> extends Variables ? [variables?: Variables] : [variables: Variables];

export type Client = {
  /** @throws OperationError */
  readonly send: <Data, Variables>(
    document: Document<Data, Variables>,
    ...given: Given<Variables>
  ) => Promise<Data>;
  /** Ends when the consumer or the server ends it; a socket that breaks is an OperationError. One socket serves all. */
  readonly watch: <Data, Variables>(
    document: Document<Data, Variables>,
    ...given: Given<Variables>
  ) => AsyncIterableIterator<Data, undefined>;
  /** Ends the socket, if there is one. */
  readonly close: () => Promise<void>;
};

type Connection = {
  readonly url: string;
  readonly subscriptionsUrl: string;
  /** the access token */
  readonly token?: string;
  /** further headers of requests and of the socket's handshake */
  readonly headers?: Readonly<Record<string, string>>;
  /** Opens the socket at once and keeps it open, so that a subscription waits for no handshake. */
  readonly keepsSocket?: boolean;
  /** milliseconds for an answer, and for a socket to be opened */
  readonly timeoutMs?: number;
};

export const connect = ({
  url,
  subscriptionsUrl,
  token,
  headers = {},
  keepsSocket = false,
  timeoutMs = 10_000,
}: Connection): Client => {
  const authorization = token && `Bearer ${token}`;

  const sockets = createClient({
    url: subscriptionsUrl,
    webSocketImpl: class extends WebSocket {
      constructor(address: string, protocols: string) {
        super(address, protocols, { headers, handshakeTimeout: timeoutMs });
      }
    },
    connectionParams: authorization ? { authorization } : {},
    connectionAckWaitTimeout: timeoutMs,
    lazy: !keepsSocket,
    // Begun anew, a subscription would tell what was told before: whoever watches decides where to go on.
    retryAttempts: 0,
    // A socket that cannot be kept is opened again by the next subscription, which tells its watcher.
    onNonLazyError: () => undefined,
  });

  return {
    send: async (document, ...[variables]) => {
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: {
            ...headers,
            'content-type': 'application/json',
            ...(authorization && { authorization }),
          },
          body: JSON.stringify({ query: document.toString(), variables }),
          signal: AbortSignal.timeout(timeoutMs),
        });
        const text = await response.text();
        try {
          return dataOf(JSON.parse(text));
        } catch (cause) {
          if (!(cause instanceof SyntaxError)) throw cause;
          throw new OperationError('UNREADABLE', `${url} answered ${response.status} without JSON.`, {
            cause,
          });
        }
      } catch (error) {
        throw failureOf(url, error, timeoutMs);
      }
    },

    watch: <Data, Variables>(document: Document<Data, Variables>, ...[variables]: Given<Variables>) => {
      const events = sockets.iterate<Data>({
        query: document.toString(),
        variables: variables as Record<string, unknown> | undefined,
      });
      const over = { done: true, value: undefined } as const;
      // Not a generator: its `return` would wait for the next event, and this one unsubscribes at once.
      const iterator: AsyncIterableIterator<Data, undefined> = {
        next: async () => {
          try {
            const { done, value } = await events.next();
            return done ? over : { done: false, value: dataOf<Data>(value) };
          } catch (error) {
            await events.return?.();
            throw failureOf(subscriptionsUrl, error, timeoutMs);
          }
        },
        return: async () => {
          await events.return?.();
          return over;
        },
        [Symbol.asyncIterator]: () => iterator,
      };
      return iterator;
    },

    close: async () => {
      await sockets.dispose();
    },
  };
};
