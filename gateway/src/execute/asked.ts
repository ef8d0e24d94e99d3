// What the client asked for, by response keys alone: an error is told at a place that the client knows.
import { type FieldNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';
import type { ErrorPath } from './operation.ts';

type Asked = Map<string, Asked>;

const collect = (
  asked: Asked,
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): Asked => {
  for (const one of set.selections) {
    if (one.kind === Kind.FIELD) {
      const key = keyOf(one);
      const inner = asked.get(key) ?? new Map();
      asked.set(key, inner);
      if (one.selectionSet) collect(inner, one.selectionSet, fragments);
    } else {
      const inner = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
      if (inner) collect(asked, inner.selectionSet, fragments);
    }
  }
  return asked;
};

export const keyOf = (field: FieldNode): string => (field.alias ?? field.name).value;

export class AskedPaths {
  readonly #asked: Asked;

  constructor(set: SelectionSetNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#asked = collect(new Map(), set, fragments);
  }

  /** As far as the client asked. */
  within(path: ErrorPath): ErrorPath {
    let here: Asked | undefined = this.#asked;
    for (const [index, step] of path.entries()) {
      if (typeof step === 'number') continue;
      here = here.get(step);
      if (!here) return path.slice(0, index);
    }
    return path;
  }

  has(path: ErrorPath): boolean {
    return this.within(path).length === path.length;
  }
}
