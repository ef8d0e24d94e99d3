// What a schema may demand of whoever asks: `@authenticated`, `@requiresScopes`, `@policy`. The gateway and every subgraph
// decide by these few lines, so that they cannot disagree.
import type { ErrorCode } from './errors.ts';
import type { Viewer } from './viewer.ts';

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

const none: ReadonlySet<string> = new Set();

/**
 * Signed in is a person. A service has scopes, and what needs a person is not for it. The shop has no policies: what
 * depends on more than scopes depends on the object, and stands in the subgraph that owns it.
 */
export const standingOf = ({ userId, scopes }: Viewer): Standing => ({
  isSignedIn: userId !== null,
  scopes,
  policies: none,
});

// An empty list of groups holds for nobody, and so does an empty group: a list that somebody forgot to fill opens nothing.
const holds = ({ anyOf }: Extract<Requirement, { anyOf: unknown }>, has: ReadonlySet<string>): boolean =>
  anyOf.some((group) => group.length > 0 && group.every((one) => has.has(one)));

export const meets = (standing: Standing, requirement: Requirement): boolean =>
  requirement.kind === 'signedIn' ? standing.isSignedIn : holds(requirement, standing[requirement.kind]);

/** Whoever is nobody is asked to sign in; for all others, services among them, signing in again would change nothing. */
export const refusalOf = ({ isSignedIn, scopes }: Standing): Refusal =>
  isSignedIn || scopes.size > 0 ? 'FORBIDDEN' : 'UNAUTHENTICATED';
