// What is left of a subscription's root after @skip and @include: planners take no conditions there.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  visit,
} from 'graphql';
import type { Variables } from '../execute/operation.ts';

const isLeftOut = (node: SelectionNode, variables: Variables): boolean =>
  getDirectiveValues(GraphQLSkipDirective, node, variables)?.if === true ||
  getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if === false;

const conditions = new Set(['skip', 'include']);

const fragmentsOf = (document: DocumentNode): FragmentDefinitionNode[] =>
  document.definitions.filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION);

/** Whether the root is not the same for all variables. */
export const hasRootConditions = (document: DocumentNode, operation: OperationDefinitionNode): boolean => {
  const fragments = new Map(fragmentsOf(document).map((one) => [one.name.value, one]));
  const isConditional = (node: SelectionNode): boolean => {
    if (node.directives?.some(({ name }) => conditions.has(name.value))) return true;
    if (node.kind === Kind.INLINE_FRAGMENT) return node.selectionSet.selections.some(isConditional);
    return (
      node.kind === Kind.FRAGMENT_SPREAD &&
      fragments.get(node.name.value)!.selectionSet.selections.some(isConditional)
    );
  };
  return operation.selectionSet.selections.some(isConditional);
};

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

/** Fragments that are still reached, for a document with others is not valid. */
const reached = (root: OperationDefinitionNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>) => {
  const found = new Set<FragmentDefinitionNode>();
  const look = (node: OperationDefinitionNode | FragmentDefinitionNode): void => {
    visit(node, {
      FragmentSpread: ({ name }) => {
        const fragment = fragments.get(name.value);
        if (!fragment || found.has(fragment)) return;
        found.add(fragment);
        look(fragment);
      },
    });
  };
  look(root);
  return [...found];
};

/**
 * A valid subscription with its root conditions decided, alone with its fragments; null where they do not leave one field.
 * @param variables coerced, defaults filled in
 */
export const withoutRootConditions = (
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): DocumentNode | null => {
  const fragments = new Map(fragmentsOf(document).map((one) => [one.name.value, one]));
  const selections = rootFields(operation.selectionSet.selections, fragments, variables);
  const names = new Set(selections.map((field) => (field.alias ?? field.name).value));
  if (names.size !== 1 || selections[0]!.name.value.startsWith('__')) return null;
  // The same field several times is one field with all that is selected of it.
  const [first] = selections as [FieldNode, ...FieldNode[]];
  const below = selections.flatMap(({ selectionSet }) => selectionSet?.selections ?? []);
  const field = first.selectionSet
    ? { ...first, selectionSet: { ...first.selectionSet, selections: below } }
    : first;
  const alone = { ...operation, selectionSet: { ...operation.selectionSet, selections: [field] } };
  return { kind: Kind.DOCUMENT, definitions: [alone, ...reached(alone, fragments)] };
};

/** The same without the variables that nothing uses any more, so that they do not keep equal subscriptions apart. */
export const withoutUnusedVariables = (document: DocumentNode): DocumentNode => {
  const used = new Set<string>();
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void used.add(name.value),
  });
  return visit(document, {
    VariableDefinition: ({ variable }) => (used.has(variable.name.value) ? false : null),
  });
};
