// A client's subscription before it runs: what is left of it after @skip and @include, and what is asked of its subgraph
// so that the gateway can tell a new event from an old one.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  getNamedType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
} from 'graphql';

/** Names under which the gateway asks for what it needs to know itself. */
const versionAlias = 'orderstreamVersion';
const idAlias = 'orderstreamId';

type Variables = Readonly<Record<string, unknown>>;

const isLeftOut = (node: SelectionNode, variables: Variables): boolean =>
  getDirectiveValues(GraphQLSkipDirective, node, variables)?.if === true ||
  getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if === false;

const conditions = new Set(['skip', 'include']);

/** The fields at the root with their conditions decided: the planner takes none there. */
const rootFields = (
  selections: readonly SelectionNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Variables,
): FieldNode[] =>
  selections.flatMap((node) => {
    if (isLeftOut(node, variables)) return [];
    if (node.kind === Kind.INLINE_FRAGMENT)
      return rootFields(node.selectionSet.selections, fragments, variables);
    if (node.kind === Kind.FRAGMENT_SPREAD)
      return rootFields(fragments.get(node.name.value)!.selectionSet.selections, fragments, variables);
    return [{ ...node, directives: node.directives?.filter(({ name }) => !conditions.has(name.value)) }];
  });

/**
 * A valid subscription with its root conditions decided, alone with its fragments; null where they do not leave one field.
 * @param variables coerced, defaults filled in
 */
export const withoutRootConditions = (
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): DocumentNode | null => {
  const fragments = document.definitions.filter(
    (one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION,
  );
  const byName = new Map(fragments.map((one) => [one.name.value, one]));
  const selections = rootFields(operation.selectionSet.selections, byName, variables);
  const names = new Set(selections.map((field) => (field.alias ?? field.name).value));
  if (names.size !== 1 || selections[0]!.name.value.startsWith('__')) return null;
  const alone = { ...operation, selectionSet: { ...operation.selectionSet, selections } };
  return { kind: Kind.DOCUMENT, definitions: [alone, ...fragments] };
};

const aliased = (alias: string, name: string): FieldNode => ({
  kind: Kind.FIELD,
  alias: { kind: Kind.NAME, value: alias },
  name: { kind: Kind.NAME, value: name },
});

/**
 * The same document asking for `id` too, so that events of different things are told apart, and for `version`, where the
 * event's type has one that never goes back.
 */
export const withVersion = (schema: GraphQLSchema, document: DocumentNode): DocumentNode => {
  const [operation, ...fragments] = document.definitions as [
    OperationDefinitionNode,
    ...FragmentDefinitionNode[],
  ];
  const [field, ...others] = operation.selectionSet.selections as [FieldNode, ...FieldNode[]];
  const definition = schema.getSubscriptionType()?.getFields()[field.name.value];
  const type = definition && getNamedType(definition.type);
  if (!isObjectType(type) || !field.selectionSet) return document;
  const { version, id } = type.getFields();
  const hasVersion = version && isNonNullType(version.type) && String(version.type) === 'Int!';
  const asked = [
    ...(hasVersion ? [aliased(versionAlias, 'version')] : []),
    ...(id ? [aliased(idAlias, 'id')] : []),
  ];
  if (asked.length === 0) return document;
  const selectionSet = { ...field.selectionSet, selections: [...field.selectionSet.selections, ...asked] };
  const more = { ...operation.selectionSet, selections: [{ ...field, selectionSet }, ...others] };
  return { kind: Kind.DOCUMENT, definitions: [{ ...operation, selectionSet: more }, ...fragments] };
};

/** Which thing an event tells of, and how new it is. */
export const markOf = (data: unknown): { readonly key: string; readonly version: unknown } => {
  const [root] = typeof data === 'object' && data !== null ? Object.values(data) : [];
  const { [idAlias]: id = '', [versionAlias]: version } = (root ?? {}) as Record<string, unknown>;
  return { key: String(id), version };
};
