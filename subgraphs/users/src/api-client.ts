// A program of a partner: the key it is known by, what it may do, and what it may ask for.
import { hash, randomBytes } from 'node:crypto';
import type { Manifest } from '@orderstream/runtime/manifest';
import { type InvalidInput, invalidInput, problemOf, tidy } from '@orderstream/runtime/text';
import type { Viewer } from '@orderstream/runtime/viewer';
import { GraphQLError, Kind, parse } from 'graphql';
import type { CreateApiClientInput, InputProblem } from './generated/resolvers.ts';

export type ApiClient = {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly keyPrefix: string;
  readonly scopes: string[];
  /** requests */
  readonly perMinute: number;
  /** requests */
  readonly perDay: number;
  /** estimated cost; null: no bound */
  readonly costPerMinute: number | null;
  /** rises with every change */
  readonly version: number;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly revokedAt: Date | null;
};

export type StoredOperation = {
  readonly id: string;
  readonly name: string | null;
  readonly body: string;
};

/** A page of a client's operations, and whose they are, by which they can be counted. */
export type OperationList = {
  readonly edges: { readonly cursor: string; readonly node: StoredOperation }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly clientId: string;
};

export type Usage = {
  /** in UTC, such as 2026-11-21 */
  readonly day: string;
  readonly requests: number;
  readonly refused: number;
  readonly cost: number;
};

export type Action = 'CREATED' | 'OPERATIONS_SET' | 'REVOKED';

export type ApiClientAudit = {
  readonly at: Date;
  readonly actor: string;
  readonly action: Action;
  readonly version: number;
};

/** Whoever may see one may see all, and whoever changes them sees them. */
export const mayReadClients = ({ scopes }: Viewer): boolean =>
  scopes.has('clients:read') || scopes.has('clients:write');

/** A key of 256 random bits: one round of SHA-256 is enough, there is nothing to guess. It is kept nowhere. */
export const newKey = (): { readonly key: string; readonly keyPrefix: string; readonly keyHash: Buffer } => {
  const keyPrefix = `osk_${randomBytes(6).toString('hex')}`;
  const key = `${keyPrefix}_${randomBytes(32).toString('base64url')}`;
  return { key, keyPrefix, keyHash: hash('sha256', key, 'buffer') };
};

export type Wanted = Pick<ApiClient, 'name' | 'scopes' | 'perMinute' | 'perDay' | 'costPerMinute'>;

/** What a program may have on its own. What changes something needs a person, whose token comes with the request. */
const scopesForClients: ReadonlySet<string> = new Set(['orders:read', 'stock:read', 'payments:read']);

const limits = [
  ['perMinute', 1_000_000],
  ['perDay', 100_000_000],
  ['costPerMinute', 1_000_000_000],
] as const;

/** @param viewer who hands on no more than what is their own */
export const checkClient = (viewer: Viewer, input: CreateApiClientInput): Wanted | InvalidInput => {
  const problems: InputProblem[] = [];
  const wrong = (message: string, ...path: string[]) => problems.push({ path: ['input', ...path], message });
  const name = tidy(input.name);
  const { scopes = [], perMinute = 600, perDay = 100_000, costPerMinute = null } = input;
  const unnamed = problemOf(name, { name: 'The name', least: 1, most: 100 });
  if (unnamed) wrong(unnamed, 'name');
  for (const [index, scope] of scopes.slice(0, scopesForClients.size + 1).entries())
    if (!scopesForClients.has(scope) || !viewer.scopes.has(scope))
      wrong('This is no scope that can be given to a client.', 'scopes', `${index}`);
  if (scopes.length > scopesForClients.size) wrong('There are not so many scopes.', 'scopes');
  const given = { perMinute, perDay, costPerMinute };
  for (const [limit, most] of limits) {
    const value = given[limit];
    if (value !== null && (value < 1 || value > most)) wrong(`${limit} is between 1 and ${most}.`, limit);
  }
  return problems.length > 0
    ? invalidInput(problems)
    : { name, scopes: [...new Set(scopes)].sort(), perMinute, perDay, costPerMinute };
};

const mostOperations = 1_000;
/** bytes of all ids, names and texts of a client together */
export const mostBytes = 1024 * 1024;
/** The first of many: a manifest of the wrong kind has a problem in each of its operations. */
const mostProblems = 20;
/** A text that is not run anyway need not be read to its end. */
const mostTokens = 10_000;

/** Whatever the schema is: whether it still fits is for `npm run operations -- check` to say. */
const problemOfText = (body: string): string | null => {
  if (!body.isWellFormed() || body.includes('\0')) return 'The text has characters that cannot be kept.';
  try {
    const { definitions } = parse(body, { noLocation: true, maxTokens: mostTokens });
    const operations = definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
    return operations.length === 1 ? null : `There are ${operations.length} operations in the text, not one.`;
  } catch (error) {
    if (error instanceof GraphQLError) return error.message;
    throw error;
  }
};

/** What is wrong with each operation, by its id. */
export const checkOperations = (manifest: Manifest): StoredOperation[] | InvalidInput => {
  const operations = [...manifest.values()];
  const problems: InputProblem[] = [];
  for (const { id, name, body } of operations.slice(0, mostOperations)) {
    if (problems.length >= mostProblems) break;
    const problem =
      problemOf(id, { name: 'An id', least: 1, most: 200 }) ??
      problemOf(name ?? '', { name: 'A name', least: 0, most: 200 }) ??
      problemOfText(body);
    if (problem) problems.push({ path: ['input', 'manifest'], message: `${id.slice(0, 200)}: ${problem}` });
  }
  return problems.length > 0 ? invalidInput(problems) : operations;
};

/** @param all how much a client would have then */
export const tooMuch = (all: { readonly count: number; readonly bytes: number }): InvalidInput | null => {
  const problem =
    all.count > mostOperations
      ? `A client has ${mostOperations} operations at most.`
      : all.bytes > mostBytes
        ? `The operations of a client have ${mostBytes} bytes at most.`
        : null;
  return problem === null ? null : invalidInput([{ path: ['input', 'manifest'], message: problem }]);
};
