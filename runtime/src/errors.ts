// Errors that are the caller's fault. What the shop can answer (out of stock, too late) is a value, never thrown.
import { GraphQLError } from 'graphql';

const codes = {
  UNAUTHENTICATED: { status: 401, retryable: false },
  FORBIDDEN: { status: 403, retryable: false },
  BAD_USER_INPUT: { status: 400, retryable: false },
  NOT_FOUND: { status: 404, retryable: false },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false },
  QUERY_TOO_COMPLEX: { status: 400, retryable: false },
  PERSISTED_QUERY_REQUIRED: { status: 400, retryable: false },
  // Part of a protocol: the client is to send the text as well, and looks for the code in a successful answer.
  PERSISTED_QUERY_NOT_FOUND: { status: 200, retryable: true },
  RATE_LIMITED: { status: 429, retryable: true },
  OVERLOADED: { status: 503, retryable: true },
  SUBGRAPH_UNAVAILABLE: { status: 503, retryable: true },
  DEADLINE_EXCEEDED: { status: 504, retryable: true },
  INTERNAL: { status: 500, retryable: false },
} as const;

export type ErrorCode = keyof typeof codes;

type Details = {
  readonly path?: readonly string[];
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
};

/** `path` names the argument or field that is wrong, outermost first; retryAfterMs is in milliseconds. */
export class RequestError extends GraphQLError {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string = defaultMessage(code), details: Details = {}) {
    super(message, {
      originalError: details.cause instanceof Error ? details.cause : undefined,
      extensions: {
        code,
        retryable: codes[code].retryable,
        ...(details.path && { argument: details.path.join('.') }),
        ...(details.retryAfterMs !== undefined && { retryAfterMs: details.retryAfterMs }),
      },
    });
    this.name = 'RequestError';
    this.code = code;
  }
}

export const statusOf = (code: ErrorCode): number => codes[code].status;

const defaultMessage = (code: ErrorCode): string =>
  ({
    UNAUTHENTICATED: 'Sign in first.',
    FORBIDDEN: 'You may not do this.',
    BAD_USER_INPUT: 'The input is malformed.',
    NOT_FOUND: 'There is no such thing.',
    PAYLOAD_TOO_LARGE: 'The request is too large.',
    QUERY_TOO_COMPLEX: 'The query is too complex.',
    PERSISTED_QUERY_REQUIRED: 'Only operations that were agreed on may be asked for, by their id.',
    PERSISTED_QUERY_NOT_FOUND: 'No operation of this hash is known: send its text with it.',
    RATE_LIMITED: 'Too many requests.',
    OVERLOADED: 'There is more to do than can be done: try again in a moment.',
    SUBGRAPH_UNAVAILABLE: 'A part of the shop is not reachable.',
    DEADLINE_EXCEEDED: 'The answer took too long.',
    INTERNAL: 'Something went wrong on our side.',
  })[code];

export const badInput = (path: readonly string[], message: string): RequestError =>
  new RequestError('BAD_USER_INPUT', message, { path });

/** A user error as a member of a result union: `outcome.error` is the member's type name. */
export type UserError<Name extends string = string> = { readonly error: Name };

type Told<E> = E extends UserError
  ? Omit<E, 'error' | 'message' | 'path'> & {
      readonly __typename: E['error'];
      readonly code: string;
      readonly message: string;
      readonly path: string[] | null;
    }
  : never;

const apart = (name: string, by: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, by);

/** Turns a refusal of the service into the union's member; its code is the type's name in capitals. */
export const userError = <
  E extends UserError & { readonly message?: string; readonly path?: readonly string[] },
>(
  refusal: E,
): Told<E> => {
  const { error, message, path, ...rest } = refusal;
  return {
    ...rest,
    __typename: error,
    code: apart(error, '_').toUpperCase(),
    message: message ?? `${apart(error, ' ').toLowerCase()}.`,
    path: path ? [...path] : null,
  } as Told<E>;
};

export const isRefusal = <T>(outcome: T): outcome is T & UserError =>
  typeof outcome === 'object' && outcome !== null && 'error' in outcome;
