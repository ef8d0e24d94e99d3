// Takes out of an operation what somebody may not see.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { type Fragments, fragmentsOf } from '../document/selections.ts';
import type { AuthRules } from './rules.ts';

/** An operation and the fragments that it uses. */
export type Parts = { readonly operation: OperationDefinitionNode; readonly fragments: Fragments };

export type Stripped = {
  readonly document: DocumentNode;
  /** the fields of the original document that are gone */
  readonly refused: ReadonlySet<FieldNode>;
  /** the selections of the original document that lost something, themselves or further down */
  readonly touched: ReadonlySet<SelectionSetNode>;
  /** the response name under which such a selection tells the type where it may be one of several */
  readonly typeName: string;
};

const spreadsIn = (node: OperationDefinitionNode | FragmentDefinitionNode): Set<string> => {
  const names = new Set<string>();
  visit(node, {
    FragmentSpread: ({ name }) => {
      names.add(name.value);
    },
  });
  return names;
};

export const reachable = (document: DocumentNode, operation: OperationDefinitionNode): Parts => {
  const all = fragmentsOf(document.definitions);
  const fragments = new Map<string, FragmentDefinitionNode>();
  const follow = (names: Iterable<string>): void => {
    for (const name of names) {
      const fragment = all.get(name);
      if (!fragment || fragments.has(name)) continue;
      fragments.set(name, fragment);
      follow(spreadsIn(fragment));
    }
  };
  follow(spreadsIn(operation));
  return { operation, fragments };
};

type Look = (parent: GraphQLCompositeType, node: FieldNode) => void;

const eachField = (schema: GraphQLSchema, { operation, fragments }: Parts, look: Look): void => {
  const walk = (set: SelectionSetNode, type: unknown): void => {
    if (!isCompositeType(type)) return;
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        look(type, node);
        if (node.selectionSet) walk(node.selectionSet, typeBelow(type, node));
      } else if (node.kind === Kind.INLINE_FRAGMENT) walk(node.selectionSet, narrowed(schema, type, node));
    }
  };
  walk(operation.selectionSet, schema.getRootType(operation.operation));
  for (const fragment of fragments.values())
    walk(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value));
};

const typeBelow = (parent: GraphQLCompositeType, node: FieldNode): unknown => {
  const field = 'getFields' in parent ? parent.getFields()[node.name.value] : undefined;
  return field && getNamedType(field.type);
};

const narrowed = (
  schema: GraphQLSchema,
  type: GraphQLCompositeType,
  { typeCondition }: { readonly typeCondition?: { readonly name: { readonly value: string } } },
): unknown => (typeCondition ? schema.getType(typeCondition.name.value) : type);

/** Every requirement that anything in the operation has. */
export const needsWithin = (schema: GraphQLSchema, rules: AuthRules, parts: Parts): number[] => {
  const needs = new Set<number>();
  eachField(schema, parts, (parent, node) => {
    for (const one of rules.needsOf(parent, node.name.value)) needs.add(one);
  });
  return [...needs].sort((a, b) => a - b);
};

/** `__typename`, unless the document calls something else so. */
const freeTypeName = ({ operation, fragments }: Parts): string => {
  const taken = new Set<string>();
  for (const node of [operation, ...fragments.values()])
    visit(node, {
      Field: ({ alias, name }) => {
        if (alias && name.value !== '__typename') taken.add(alias.value);
      },
    });
  let name = '__typename';
  for (let i = 0; taken.has(name); i++) name = `type_${i}`;
  return name;
};

const typeNameField = (responseName: string): FieldNode => ({
  kind: Kind.FIELD,
  name: { kind: Kind.NAME, value: '__typename' },
  ...(responseName !== '__typename' && { alias: { kind: Kind.NAME, value: responseName } }),
});

const variablesIn = (nodes: readonly (OperationDefinitionNode | FragmentDefinitionNode)[]): Set<string> => {
  const names = new Set<string>();
  for (const node of nodes)
    visit(node, {
      VariableDefinition: () => false,
      Variable: ({ name }) => {
        names.add(name.value);
      },
    });
  return names;
};

class Stripping {
  readonly refused = new Set<FieldNode>();
  readonly touched = new Set<SelectionSetNode>();
  readonly fragments = new Map<string, FragmentDefinitionNode>();
  readonly typeName: string;
  private readonly schema: GraphQLSchema;
  private readonly rules: AuthRules;
  private readonly parts: Parts;
  private readonly unmet: ReadonlySet<number>;

  constructor(schema: GraphQLSchema, rules: AuthRules, parts: Parts, unmet: ReadonlySet<number>) {
    this.schema = schema;
    this.rules = rules;
    this.parts = parts;
    this.unmet = unmet;
    this.typeName = freeTypeName(parts);
  }

  set(set: SelectionSetNode, type: unknown): SelectionSetNode {
    // Only introspection leads to types that are not the schema's own, and nothing of it is guarded.
    if (!isCompositeType(type)) return set;
    const kept: SelectionNode[] = [];
    let isTouched = false;
    for (const node of set.selections) {
      const next = this.node(node, type);
      if (next.kept) kept.push(next.kept);
      if (next.isTouched) isTouched = true;
    }
    if (!isTouched) return set;
    this.touched.add(set);
    // Whoever completes the answer has to know which fragments were the object's at all.
    const isMarked = kept.length === 0 || isAbstractType(type);
    return { ...set, selections: isMarked ? [...kept, typeNameField(this.typeName)] : kept };
  }

  private node(
    node: SelectionNode,
    type: GraphQLCompositeType,
  ): { kept?: SelectionNode; isTouched: boolean } {
    if (node.kind === Kind.FRAGMENT_SPREAD) return { kept: node, isTouched: this.fragment(node.name.value) };
    const isField = node.kind === Kind.FIELD;
    if (isField && this.rules.needsOf(type, node.name.value).some((one) => this.unmet.has(one))) {
      this.refused.add(node);
      return { isTouched: true };
    }
    if (!node.selectionSet) return { kept: node, isTouched: false };
    const below = isField ? typeBelow(type, node) : narrowed(this.schema, type, node);
    const selectionSet = this.set(node.selectionSet, below);
    return { kept: { ...node, selectionSet }, isTouched: this.touched.has(node.selectionSet) };
  }

  /** @returns whether the fragment lost something */
  fragment(name: string): boolean {
    const before = this.parts.fragments.get(name)!;
    if (!this.fragments.has(name)) {
      const type = this.schema.getType(before.typeCondition.name.value);
      this.fragments.set(name, { ...before, selectionSet: this.set(before.selectionSet, type) });
    }
    return this.touched.has(before.selectionSet);
  }
}

/** @param unmet requirements that do not hold, by their places in the rules */
export const strip = (
  schema: GraphQLSchema,
  rules: AuthRules,
  parts: Parts,
  unmet: ReadonlySet<number>,
): Stripped => {
  const stripping = new Stripping(schema, rules, parts, unmet);
  const root = schema.getRootType(parts.operation.operation);
  const operation = { ...parts.operation, selectionSet: stripping.set(parts.operation.selectionSet, root) };
  const definitions = [operation, ...stripping.fragments.values()];
  const fragments = [...reachable({ kind: Kind.DOCUMENT, definitions }, operation).fragments.values()];
  const variables = variablesIn([operation, ...fragments]);
  const variableDefinitions = operation.variableDefinitions?.filter(({ variable }) =>
    variables.has(variable.name.value),
  );
  const { refused, touched, typeName } = stripping;
  return {
    document: { kind: Kind.DOCUMENT, definitions: [{ ...operation, variableDefinitions }, ...fragments] },
    refused,
    touched,
    typeName,
  };
};
