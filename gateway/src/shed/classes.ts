// What is given up first when not everything can be served.
import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { rootNames } from '../document/root-names.ts';
import { fragmentsOf } from '../document/selections.ts';

/** @property fields of Query or Mutation; none: whatever is of no other class, and texts that are not known yet */
export type ClassSettings = { readonly name: string; readonly fields: readonly string[] };

/** An operation that is known: kept, so that it is looked at once. */
export type Sheddable = { readonly definition: OperationDefinitionNode; readonly document: DocumentNode };

export type Classes = {
  readonly names: readonly string[];
  /** Of null it is the rest's. An operation that asks for fields of several classes is of the last of them. */
  readonly of: (operation: Sheddable | null) => number;
};

const everything: ClassSettings = { name: 'everything', fields: [] };

/** @param settings in the order in which they are given up, one of them without fields; empty: all requests are alike */
export const createClasses = (settings: readonly ClassSettings[]): Classes => {
  const all = settings.length > 0 ? settings : [everything];
  const rest = Math.max(
    0,
    all.findIndex(({ fields }) => fields.length === 0),
  );
  const byField = new Map(all.flatMap(({ fields }, at) => fields.map((field) => [field, at] as const)));
  const found = new WeakMap<Sheddable, number>();

  const look = ({ definition, document }: Sheddable): number => {
    const names = rootNames(definition.selectionSet, fragmentsOf(document.definitions));
    const asked = names.filter((name) => !name.startsWith('__'));
    return asked.length === 0 ? rest : Math.max(...asked.map((name) => byField.get(name) ?? rest));
  };
  return {
    names: all.map(({ name }) => name),
    of: (operation) => {
      if (!operation) return rest;
      let at = found.get(operation);
      if (at === undefined) {
        at = look(operation);
        found.set(operation, at);
      }
      return at;
    },
  };
};
