// A mutation is made once, however often a document asks for it under the same response key. Planners that find it under
// several conditions would make it several times.
import { RequestError } from '@orderstream/runtime/errors';
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

/** All fields in their order, with all conditions that are around them. */
const flat = (
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  around: readonly DirectiveNode[] = [],
): Asked[] =>
  set.selections.flatMap((one) => {
    const conditions = [...around, ...(one.directives ?? []).filter(isCondition)];
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

/** What is asked for by all of them as one: what only some ask of the result stands under their conditions. */
const together = ([first, ...rest]: readonly [Asked, ...Asked[]]): SelectionNode[] => {
  const { field, conditions } = first;
  const own = textOf(conditions);
  if (conditions.length > 0 && rest.some((one) => textOf(one.conditions) !== own))
    throw new RequestError(
      'BAD_USER_INPUT',
      `The mutation ${keyOf(field)} is asked for several times, under different conditions.`,
    );
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

/** @throws RequestError BAD_USER_INPUT where it depends on variables when it is to be made */
export const mutationsOnce = (
  document: DocumentNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): DocumentNode => ({
  ...document,
  definitions: document.definitions.map((one) => {
    if (one.kind !== Kind.OPERATION_DEFINITION || one.operation !== OperationTypeNode.MUTATION) return one;
    const byKey = Map.groupBy(flat(one.selectionSet, fragments), ({ field }) => keyOf(field));
    if ([...byKey.values()].every(({ length }) => length === 1)) return one;
    const selections = [...byKey.values()].flatMap((asked) => together(asked as [Asked, ...Asked[]]));
    return { ...one, selectionSet: setOf(selections) };
  }),
});
