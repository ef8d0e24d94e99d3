import { Kind, type SelectionSetNode } from 'graphql';
import type { Fragments } from './selections.ts';

/** What an operation asks for at its root, each as often as it stands there. A fragment inside itself is not followed. */
export const rootNames = (
  set: SelectionSetNode,
  fragments: Fragments,
  within: readonly string[] = [],
): string[] =>
  set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    if (selection.kind === Kind.INLINE_FRAGMENT) return rootNames(selection.selectionSet, fragments, within);
    const name = selection.name.value;
    const fragment = fragments.get(name);
    return fragment && !within.includes(name)
      ? rootNames(fragment.selectionSet, fragments, [...within, name])
      : [];
  });
