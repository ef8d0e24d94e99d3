// A person with an account: who may see it, what its roles allow, and what a new one must look like.
import { badInput } from '@orderstream/runtime/errors';
import type { Connection } from '@orderstream/runtime/paging';
import { type InvalidInput, invalidInput, lengthOf, problemOf, tidy } from '@orderstream/runtime/text';
import type { Viewer } from '@orderstream/runtime/viewer';
import { z } from 'zod';
import type { InputProblem, RegisterInput, Role } from './generated/resolvers.ts';

export type User = {
  readonly id: string;
  readonly tenantId: string;
  readonly email: string;
  readonly displayName: string;
  readonly roles: Role[];
  /** rises with every change; the version of the messages about this user */
  readonly version: number;
  readonly createdAt: Date;
};

/** A page of users, and the search it answers, by which they can be counted. */
export type UserList = Connection<User> & { readonly search: string | null };

/** What a role allows beyond one's own things, which need no scope. */
const scopesOf: Readonly<Record<Role, readonly string[]>> = {
  CUSTOMER: [],
  SELLER: [],
  ADMIN: [
    'orders:read',
    'orders:write',
    'users:read',
    'stock:read',
    'stock:write',
    'payments:read',
    'refunds:write',
    'catalog:write',
    'clients:read',
    'clients:write',
  ],
  ANALYST: [],
  FRAUD_REVIEWER: ['fraud:review', 'orders:read'],
  PARTNER: [],
};

export const scopesOfAll = (roles: readonly Role[]): string[] => [
  ...new Set(roles.flatMap((role) => scopesOf[role])),
];

/** Who may see a user, the address book included. */
export const mayRead = (viewer: Viewer, user: Pick<User, 'id' | 'tenantId'>): boolean =>
  viewer.tenantId === user.tenantId && (viewer.userId === user.id || viewer.scopes.has('users:read'));

/**
 * The one form under which an address has an account, or null where it is no address. ASCII only: two letters that
 * look alike would be two accounts that look alike.
 */
export const normalEmail = (text: string): string | null => {
  if (text.length > 300) return null;
  const email = text.normalize('NFKC').trim().toLowerCase();
  return email.length <= 254 && z.email().safeParse(email).success ? email : null;
};

/** The same keys typed on another system are the same password. */
export const normalPassword = (text: string): string => text.normalize('NFKC');

/** characters; the upper limit keeps a megabyte from being hashed */
const passwordLength = { least: 8, most: 128 };

export const isPossiblePassword = (text: string): boolean =>
  text.length <= 2 * passwordLength.most && lengthOf(text) <= passwordLength.most && text.isWellFormed();

export type Registration = {
  readonly email: string;
  readonly password: string;
  readonly displayName: string;
};

export const checkRegistration = (input: RegisterInput): Registration | InvalidInput => {
  const problems: InputProblem[] = [];
  const wrong = (field: string, message: string) => problems.push({ path: ['input', field], message });

  const email = normalEmail(input.email);
  if (email === null) wrong('email', 'This is not an e-mail address.');

  if (!isPossiblePassword(input.password))
    wrong('password', `The password has ${passwordLength.most} characters at most.`);
  else if (lengthOf(input.password) < passwordLength.least)
    wrong('password', `The password has ${passwordLength.least} characters at least.`);

  const displayName = tidy(input.displayName);
  const problem = problemOf(displayName, { name: 'The name', least: 1, most: 100 });
  if (problem) wrong('displayName', problem);

  return email === null || problems.length > 0
    ? invalidInput(problems)
    : { email, password: normalPassword(input.password), displayName };
};

/** @throws RequestError BAD_USER_INPUT for more than 100 characters */
export const checkSearch = (search: string | null | undefined): string | null => {
  if (search && search.length > 100) throw badInput(['search'], 'A search has 100 characters at most.');
  return search?.trim() || null;
};

/** Each word begins a word of the name or e-mail address: a query for `to_tsquery`. Null where nothing can be found. */
export const wordsOf = (search: string): string | null => {
  const words =
    search
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.length > 0 ? words.map((word) => `'${word}':*`).join(' & ') : null;
};
