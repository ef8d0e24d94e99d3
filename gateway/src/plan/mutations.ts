// A mutation is made once, however often a document asks for it under the same response key. Planners that find it under
// several conditions would make it several times.
import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  OperationTypeNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

type Asked = { readonly field: FieldNode; readonly conditions: readonly DirectiveNode[] };

const isCondition = ({ name }: DirectiveNode): boolean => name.value === 'skip' || name.value === 'include';

/** What is never asked for is gone already, so what is no variable says always. */
const isOpen = (directive: DirectiveNode): boolean =>
  isCondition(directive) && directive.arguments?.some(({ value }) => value.kind === Kind.VARIABLE) === true;

/** All fields in their order, with all conditions that are around them. */
const flat = (
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  around: readonly DirectiveNode[] = [],
): Asked[] =>
  set.selections.flatMap((one) => {
    const conditions = [...around, ...(one.directives ?? []).filter(isOpen)];
    if (one.kind === Kind.FIELD) {
      const directives = (one.directives ?? []).filter((each) => !isCondition(each));
      return [{ field: { ...one, directives }, conditions }];
    }
    const inner = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
    return inner ? flat(inner.selectionSet, fragments, conditions) : [];
  });

const setOf = (selections: readonly SelectionNode[]): SelectionSetNode => ({
  kind: Kind.SELECTION_SET,
  selections,
});

const under = (conditions: readonly DirectiveNode[], selections: readonly SelectionNode[]): SelectionNode[] =>
  conditions.reduceRight<SelectionNode[]>(
    (inner, condition) => [
      { kind: Kind.INLINE_FRAGMENT, directives: [condition], selectionSet: setOf(inner) },
    ],
    [...selections],
  );

const textOf = (conditions: readonly DirectiveNode[]): string => conditions.map(print).sort().join(' ');

const keyOf = ({ alias, name }: FieldNode): string => (alias ?? name).value;

/**
 * What is asked for by all of them as one: what only some ask of the result stands under their conditions.
 * @param isInRow whether nothing else stands between them
 * @returns null where it depends on variables when it is to be made
 */
const together = (all: readonly Asked[], isInRow: boolean): SelectionNode[] | null => {
  // Where one is asked for in any case, and nothing is made before it, so are all.
  const always = isInRow ? all.find(({ conditions: own }) => own.length === 0) : undefined;
  const first = always ?? all[0]!;
  const rest = all.filter((one) => one !== first);
  const { field, conditions } = first;
  const own = textOf(conditions);
  if (conditions.length > 0 && rest.some((one) => textOf(one.conditions) !== own)) return null;
  const selections = [
    ...(field.selectionSet?.selections ?? []),
    ...rest.flatMap((one) => {
      const more = one.field.selectionSet?.selections ?? [];
      const isAlike = textOf(one.conditions) === own;
      return more.length > 0 && !isAlike ? under(one.conditions, more) : more;
    }),
  ];
  return under(conditions, [{ ...field, ...(field.selectionSet && { selectionSet: setOf(selections) }) }]);
};

/**
 * Where it depends on variables when a mutation is to be made, it stays as it is: within one call a subgraph makes it once,
 * and a plan that asks for it in two calls is not believed (plan-check.ts).
 */
export const mutationsOnce = (
  document: DocumentNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): DocumentNode => ({
  ...document,
  definitions: document.definitions.map((one) => {
    if (one.kind !== Kind.OPERATION_DEFINITION || one.operation !== OperationTypeNode.MUTATION) return one;
    const all = flat(one.selectionSet, fragments);
    const byKey = Map.groupBy(all, ({ field }) => keyOf(field));
    if ([...byKey.values()].every(({ length }) => length === 1)) return one;
    const isInRow = (asked: readonly Asked[]): boolean => {
      const from = all.indexOf(asked[0]!);
      return all.slice(from, from + asked.length).every((each) => asked.includes(each));
    };
    const merged = new Map([...byKey].map(([key, asked]) => [key, together(asked, isInRow(asked))]));
    const selections = all.flatMap((asked) => {
      const found = merged.get(keyOf(asked.field))!;
      if (!found) return under(asked.conditions, [asked.field]);
      return byKey.get(keyOf(asked.field))![0] === asked ? found : [];
    });
    return { ...one, selectionSet: setOf(selections) };
  }),
});
