// What the schema says of itself is answered without any subgraph.

import type { DocumentNode, FragmentDefinitionNode } from 'graphql';
import { executeSync, type GraphQLSchema, Kind, type OperationDefinitionNode, visit } from 'graphql';
import { toBinary } from '../transport/binary.ts';
import type { Variables } from './operation.ts';

/** JSON text of the root fields `__schema` and `__type`, by response key. */
export type Introspect = (variables: Variables) => ReadonlyMap<string, string>;

const nothing: ReadonlyMap<string, string> = new Map();

const isIntrospection = (name: string): boolean => name === '__schema' || name === '__type';

/** The document with nothing at the root but introspection; null where there is none. */
const introspectionOnly = (
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  rootType: string,
): DocumentNode | null => {
  let found = false;
  const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments.values()] };
  // Inside `__schema` everything stays; beside it, all fields go.
  const kept = visit(document, {
    Field: (field) => {
      if (!isIntrospection(field.name.value)) return null;
      found = true;
      return false;
    },
    FragmentDefinition: (fragment) =>
      fragment.typeCondition.name.value.startsWith('__') ? false : undefined,
  });
  if (!found) return null;
  const typename = { kind: Kind.FIELD as const, name: { kind: Kind.NAME as const, value: '__typename' } };
  const used = new Set<string>();
  visit(kept, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void used.add(name.value),
  });
  return visit(kept, {
    // Values that were coerced once are not always fit to be coerced again.
    VariableDefinition: (one) => (used.has(one.variable.name.value) ? undefined : null),
    SelectionSet: (set) => (set.selections.length ? undefined : { ...set, selections: [typename] }),
    FragmentDefinition: (fragment) =>
      fragment.typeCondition.name.value === rootType || fragment.typeCondition.name.value.startsWith('__')
        ? undefined
        : false,
  });
};

export const introspector = (
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): Introspect => {
  const document = introspectionOnly(operation, fragments, schema.getQueryType()?.name ?? 'Query');
  if (!document) return () => nothing;
  const answer: Introspect = (variables) => {
    const { data } = executeSync({ schema, document, variableValues: { ...variables } });
    return new Map(
      Object.entries(data ?? {})
        .filter(([key]) => key !== '__typename')
        .map(([key, value]) => [key, toBinary(JSON.stringify(value))]),
    );
  };
  if (operation.variableDefinitions?.length) return answer;
  let once: ReadonlyMap<string, string> | null = null;
  return (variables) => {
    once ??= answer(variables);
    return once;
  };
};
