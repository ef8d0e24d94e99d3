// What the rules may ask about somebody.
import type { ErrorCode } from '@orderstream/runtime/errors';

export type Standing = {
  readonly isSignedIn: boolean;
  readonly scopes: ReadonlySet<string>;
  /** the policies that hold for them; whoever knows them has decided that before */
  readonly policies: ReadonlySet<string>;
};

/** One rule as the schema states it. `anyOf`: one of the groups has to hold as a whole. */
export type Requirement =
  | { readonly kind: 'signedIn' }
  | { readonly kind: 'scopes' | 'policies'; readonly anyOf: readonly (readonly string[])[] };

export type Refusal = Extract<ErrorCode, 'UNAUTHENTICATED' | 'FORBIDDEN'>;

// An empty list of groups holds for nobody, and so does an empty group: a list that somebody forgot to fill opens nothing.
const holds = ({ anyOf }: Extract<Requirement, { anyOf: unknown }>, has: ReadonlySet<string>): boolean =>
  anyOf.some((group) => group.length > 0 && group.every((one) => has.has(one)));

export const meets = (standing: Standing, requirement: Requirement): boolean =>
  requirement.kind === 'signedIn' ? standing.isSignedIn : holds(requirement, standing[requirement.kind]);

/** Whoever is not signed in is asked to; for all others signing in again would change nothing. */
export const refusalOf = (standing: Standing): Refusal =>
  standing.isSignedIn ? 'FORBIDDEN' : 'UNAUTHENTICATED';
