// A selection without names of fragments: each stands there itself, on its type.
import { Kind, type SelectionNode, type SelectionSetNode } from 'graphql';
import type { Fragments } from './selections.ts';

/** levels; deeper than any plan of anybody's, or fragments in fragments without end */
const deepest = 100;

/**
 * @param fragments all that it names
 * @throws RangeError where they have no end
 */
export const inlined = (
  { selections }: SelectionSetNode,
  fragments: Fragments,
  depth = 0,
): SelectionSetNode => {
  if (depth > deepest) throw new RangeError('fragments in fragments without end');
  return {
    kind: Kind.SELECTION_SET,
    selections: selections.map((one): SelectionNode => {
      if (one.kind === Kind.FIELD)
        return one.selectionSet
          ? { ...one, selectionSet: inlined(one.selectionSet, fragments, depth + 1) }
          : one;
      if (one.kind === Kind.INLINE_FRAGMENT)
        return { ...one, selectionSet: inlined(one.selectionSet, fragments, depth + 1) };
      const { typeCondition, selectionSet } = fragments.get(one.name.value)!;
      return {
        kind: Kind.INLINE_FRAGMENT,
        typeCondition,
        directives: one.directives,
        selectionSet: inlined(selectionSet, fragments, depth + 1),
      };
    }),
  };
};
