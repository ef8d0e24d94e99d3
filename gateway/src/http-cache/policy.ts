// What caches of HTTP are told about the answers to an operation: as much as all of its fields allow together. Found
// once for each operation, when it is first asked for by GET.
import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import type { CacheHints } from '../cache/cache-hints.ts';
import { inlined } from '../document/inlined.ts';
import { fragmentsOf } from '../document/selections.ts';

/** The part of a known operation that matters here. */
export type Kept = {
  readonly definition: OperationDefinitionNode;
  readonly document: DocumentNode;
  /** whether not everybody may see all of it */
  readonly isGuarded: boolean;
};

export type Policy = {
  /** seconds */
  readonly maxAge: number;
  /** kept by the client alone */
  readonly isPrivate: boolean;
};

/** Null for what nobody may keep. */
export type Policies = (operation: Kept) => Policy | null;

export type PolicyOptions = {
  readonly hints: CacheHints;
  /** name of the type that queries begin with */
  readonly queryType: string;
  /** Milliseconds; nothing is kept longer, since nobody tells these caches of a change. */
  readonly longestMs: number;
};

const none: ReadonlySet<string> = new Set();

export const createPolicies = ({ hints, queryType, longestMs }: PolicyOptions): Policies => {
  const longest = Math.floor(longestMs / 1_000);
  const known = new WeakMap<Kept, { readonly policy: Policy | null }>();

  const find = ({ definition, document, isGuarded }: Kept): Policy | null => {
    if (definition.operation !== 'query' || isGuarded) return null;
    const selectionSet = inlined(definition.selectionSet, fragmentsOf(document.definitions));
    const { maxAge, isPrivate } = hints.keeping(queryType, selectionSet, none);
    const seconds = Math.min(maxAge, longest);
    return seconds >= 1 ? { maxAge: seconds, isPrivate } : null;
  };

  return (operation) => {
    let found = known.get(operation);
    if (!found) {
      found = { policy: find(operation) };
      known.set(operation, found);
    }
    return found.policy;
  };
};
