// How many things an operation may list. Pages inside pages multiply: three of a hundred, one in the other, are a
// million things to load, of a text that is short and not deep.
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

export const mostListed = 10_000;

/** A longer page is refused by whoever would fill it. */
const longestPage = 100;
/** things in a list that has no pages, such as an order's lines; a guess, for it is not known before */
const shortList = 5;

type Variables = Record<string, unknown>;

const isList = (field: GraphQLField<unknown, unknown>): boolean => isListType(getNullableType(field.type));

/**
 * Whether more than `mostListed` things could be in the answer.
 * @param document valid, and small enough to be walked with its fragments written out
 * @param variables coerced, defaults filled in
 */
export const isTooBroad = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): boolean => {
  const fragments = new Map(
    document.definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((one) => [one.name.value, one]),
  );
  let listed = 0;

  /** @param isPage the selections are of a connection, whose edges have been counted */
  const walk = (
    set: SelectionSetNode,
    type: GraphQLNamedType | undefined,
    times: number,
    isPage: boolean,
  ): void => {
    for (const node of set.selections) {
      if (listed > mostListed) return;
      if (node.kind === Kind.INLINE_FRAGMENT) {
        const of = node.typeCondition ? schema.getType(node.typeCondition.name.value) : type;
        walk(node.selectionSet, of, times, isPage);
      } else if (node.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(node.name.value)!;
        walk(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value), times, isPage);
      } else {
        const field =
          isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
        if (!field || !node.selectionSet) continue;
        const hasPages = field.args.some(({ name }) => name === 'first');
        const { first } = hasPages ? getArgumentValues(field, node, variables) : {};
        const size = hasPages
          ? Math.min(Math.max(Number(first ?? longestPage), 1), longestPage)
          : isList(field) && !isPage
            ? shortList
            : 1;
        if (size > 1) listed += times * size;
        walk(node.selectionSet, getNamedType(field.type), times * size, hasPages);
      }
    }
  };
  walk(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined, 1, false);
  return listed > mostListed;
};
