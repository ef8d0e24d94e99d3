// What a selection says about one type: its fields by response name, and what it says only about some of the types that
// it may turn out to be. The same field asked for twice is one field of the answer.
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

export type Selections = {
  readonly fields: ReadonlyMap<string, FieldNode[]>;
  /** by name of a type that is narrower than, or only meets, the one that was selected on */
  readonly narrower: ReadonlyMap<string, SelectionSetNode[]>;
};

/** Whether whatever is a `type` is a `condition` as well. */
const isAlways = (
  schema: GraphQLSchema,
  type: GraphQLCompositeType,
  condition: GraphQLCompositeType,
): boolean => {
  if (type === condition) return true;
  if (!isAbstractType(condition)) return false;
  if (isObjectType(type)) return schema.isSubType(condition, type);
  return schema.getPossibleTypes(type).every((one) => schema.isSubType(condition, one));
};

const isNever = (schema: GraphQLSchema, type: GraphQLCompositeType, condition: GraphQLCompositeType) =>
  isObjectType(type) && !isAlways(schema, type, condition);

/** @param sets all of one place, of a document that is valid and small enough to be written out */
export const selectionsOn = (
  schema: GraphQLSchema,
  fragments: Fragments,
  type: GraphQLCompositeType,
  sets: readonly SelectionSetNode[],
): Selections => {
  const fields = new Map<string, FieldNode[]>();
  const narrower = new Map<string, SelectionSetNode[]>();
  const seen = new Set<string>();

  const add = <V>(to: Map<string, V[]>, name: string, value: V): void => {
    const present = to.get(name);
    if (present) present.push(value);
    else to.set(name, [value]);
  };
  const within = (condition: string | undefined, set: SelectionSetNode): void => {
    const on = condition === undefined ? type : schema.getType(condition);
    if (!isCompositeType(on)) return;
    if (isAlways(schema, type, on)) collect(set);
    else if (!isNever(schema, type, on)) add(narrower, on.name, set);
  };
  const take = (node: SelectionNode): void => {
    if (node.kind === Kind.FIELD) add(fields, (node.alias ?? node.name).value, node);
    else if (node.kind === Kind.INLINE_FRAGMENT) within(node.typeCondition?.name.value, node.selectionSet);
    else takeFragment(node.name.value);
  };
  const takeFragment = (name: string): void => {
    const fragment = fragments.get(name);
    if (!fragment || seen.has(name)) return;
    seen.add(name);
    within(fragment.typeCondition.name.value, fragment.selectionSet);
  };
  const collect = (set: SelectionSetNode): void => {
    for (const node of set.selections) take(node);
  };
  for (const set of sets) collect(set);
  return { fields, narrower };
};

export const fragmentsOf = (definitions: readonly { readonly kind: Kind }[]): Fragments =>
  new Map(
    definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((one) => [one.name.value, one]),
  );
