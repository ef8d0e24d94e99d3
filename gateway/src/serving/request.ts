// What a request says as far as HTTP is concerned, and which status its answer has.
import type { IncomingMessage } from 'node:http';
import { RequestError } from '@orderstream/runtime/errors';
import { getOperationAST, parse } from 'graphql';
import type { Answer } from '../door/door.ts';
import type { Body } from '../front/short-way.ts';

export const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

/** Whoever is at the other end, or who a proxy of our own says is. */
export const addressOf = (request: IncomingMessage, trustsProxy: boolean): string | null => {
  const forwarded = trustsProxy
    ? one(request.headers['x-forwarded-for'])?.split(',').at(-1)?.trim()
    : undefined;
  return (forwarded || request.socket.remoteAddress)?.replace(/^::ffff:/, '') ?? null;
};

export const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/json *(;|$)/i.test(contentType);

/** The parameters of a GET, as the body of a POST would have them. @throws RequestError BAD_USER_INPUT */
export const bodyOfSearch = (search: string): string => {
  const body: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(search))
    if (name !== 'variables' && name !== 'extensions') body[name] = value;
    else if (value !== '')
      try {
        body[name] = JSON.parse(value);
      } catch (cause) {
        throw new RequestError('BAD_USER_INPUT', 'This is not JSON.', { path: [name], cause });
      }
  return Buffer.from(JSON.stringify(body)).toString('latin1');
};

/** Whether a text asks for a mutation, as far as that can be said without validating it. */
export const changesSomething = (text: string, operationName: unknown): boolean => {
  try {
    const name = typeof operationName === 'string' ? operationName : undefined;
    return getOperationAST(parse(text, { maxTokens: 10_000 }), name)?.operation === 'mutation';
  } catch {
    // It is no GraphQL, which is for others to word.
    return false;
  }
};

/** @throws RequestError BAD_USER_INPUT */
export const parsed = (body: string): Body => {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body, 'latin1').toString());
  } catch (cause) {
    throw new RequestError('BAD_USER_INPUT', 'The body is not JSON.', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RequestError('BAD_USER_INPUT', 'A request is one object.');
  return value as Body;
};

/** What is wrong with a request that is well-formed: a word of GraphQL's, not of HTTP's. */
const wordsOfGraphQL =
  /"code":"(GRAPHQL_PARSE_FAILED|GRAPHQL_VALIDATION_FAILED|BAD_USER_INPUT|OPERATION_RESOLUTION_FAILURE)"/;

/**
 * Whoever takes application/json only takes an answer of ours for one of anybody's between us unless it is 200.
 * https://graphql.github.io/graphql-over-http/draft/#sec-application-json
 */
export const statusFor = ({ status, body }: Answer, accept: string | undefined): number =>
  status === 400 && !accept?.includes('application/graphql-response+json') && wordsOfGraphQL.test(body)
    ? 200
    : status;
