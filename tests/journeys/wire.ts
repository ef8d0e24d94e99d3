// Requests as anybody may write them, and what has to be true of every answer.
import { expect } from 'vitest';
import { graphqlUrl } from './customer.ts';

type ErrorTold = {
  readonly message: string;
  readonly extensions: { readonly code: string; readonly argument?: string; readonly traceId: string };
};

export type Answer = {
  readonly status: number;
  readonly errors: readonly ErrorTold[];
  readonly data: Record<string, unknown> | null | undefined;
};

/** Whatever was sent: an answer that has a code, names no file of ours and is not our fault. */
export const told = async (response: Response): Promise<Answer> => {
  const text = await response.text();
  expect(text).not.toMatch(
    /node_modules|\.[tj]s:\d+|\bat \w+ \(|"stack|ECONN|postgres|kafka|select .* from/i,
  );
  expect(response.status).toBeLessThan(500);
  const { errors = [], data } = JSON.parse(text);
  for (const { extensions } of errors as ErrorTold[]) {
    expect(extensions.code).toMatch(/^[A-Z_]+$/);
    expect(extensions.code).not.toBe('INTERNAL');
  }
  return { status: response.status, errors, data };
};

export const codes = ({ errors }: Pick<Answer, 'errors'>): string[] =>
  errors.map(({ extensions }) => extensions.code);

export type Body = string | Uint8Array<ArrayBuffer>;
export type Headers = Readonly<Record<string, string>>;

export const postTo = async (url: string, body: Body, headers: Headers = {}): Promise<Answer> =>
  told(
    await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        ...headers,
      },
      body,
      signal: AbortSignal.timeout(10_000),
    }),
  );

/** Somebody at the gateway, with this token or none. */
export const caller = (token?: string) => {
  const authorization: Headers = token ? { authorization: `Bearer ${token}` } : {};
  const post = (body: Body, headers: Headers = {}): Promise<Answer> =>
    postTo(graphqlUrl, body, { ...authorization, ...headers });
  return {
    post,
    ask: (query: string, variables?: object): Promise<Answer> => post(JSON.stringify({ query, variables })),
  };
};

export type Caller = ReturnType<typeof caller>;
