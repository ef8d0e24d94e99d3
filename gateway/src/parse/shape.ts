// What the answer to a subgraph's operation looks like: which keys hold objects and which hold leaves, and of what kind.
import {
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  Kind,
  type NamedTypeNode,
  parse,
  type SelectionSetNode,
} from 'graphql';
import { onlyOperation } from '../plan/plannable.ts';

export type LeafKind = 'any' | 'typename' | 'string' | 'id' | 'int' | 'float' | 'boolean' | 'enum';

export type LeafShape = {
  readonly shape: 'leaf';
  readonly kind: LeafKind;
  /** of an enum: the JSON texts that clients may see */
  readonly values: ReadonlySet<string> | null;
  /** one entry for each list around the leaf, outermost first: whether its items may be null */
  readonly lists: readonly boolean[];
};

export type ObjectShape = {
  readonly shape: 'object';
  /** how many lists are around the object; null where that is not known */
  readonly depth: number | null;
  /** in the order of the operation, the fields of all types together */
  readonly fields: Map<string, Shape>;
};

export type Shape = LeafShape | ObjectShape;

const builtIn = new Map<string, LeafKind>([
  ['String', 'string'],
  ['ID', 'id'],
  ['Int', 'int'],
  ['Float', 'float'],
  ['Boolean', 'boolean'],
]);

const anything: LeafShape = { shape: 'leaf', kind: 'any', values: null, lists: [] };
const typename: LeafShape = { shape: 'leaf', kind: 'typename', values: null, lists: [] };

/** Nothing to check of a leaf that clients cannot see. */
export const leafShape = (type: GraphQLOutputType, apiSchema: GraphQLSchema): LeafShape => {
  const named = getNamedType(type);
  const visible = apiSchema.getType(named.name);
  const values = isEnumType(visible)
    ? new Set(visible.getValues().map(({ name }) => JSON.stringify(name)))
    : null;
  const kind = values ? 'enum' : isScalarType(named) ? (builtIn.get(named.name) ?? 'any') : 'any';
  const lists: boolean[] = [];
  let inner = isNonNullType(type) ? type.ofType : type;
  while (isListType(inner)) {
    const item = inner.ofType as GraphQLOutputType;
    lists.push(!isNonNullType(item));
    inner = isNonNullType(item) ? item.ofType : item;
  }
  return { shape: 'leaf', kind, values, lists };
};

const isSame = (one: LeafShape, other: LeafShape): boolean =>
  one.kind === other.kind &&
  one.lists.length === other.lists.length &&
  one.lists.every((x, i) => x === other.lists[i]);

const depthOf = (type: GraphQLOutputType): number => {
  if (isNonNullType(type)) return depthOf(type.ofType);
  return isListType(type) ? 1 + depthOf(type.ofType as GraphQLOutputType) : 0;
};

/** @throws where the operation is no GraphQL */
export const shapeOf = (
  operation: string,
  fullSchema: GraphQLSchema,
  apiSchema: GraphQLSchema,
): ObjectShape => {
  const { operation: root, fragments } = onlyOperation(parse(operation, { noLocation: true }), undefined);

  const fieldsOf = (name: string | undefined) => {
    const type = name === undefined ? undefined : fullSchema.getType(name);
    return isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
  };

  const leaf = (parent: string | undefined, field: string): LeafShape => {
    if (field === '__typename') return typename;
    const known = Object.hasOwn(fieldsOf(parent), field) ? fieldsOf(parent)[field] : undefined;
    return known ? leafShape(known.type, apiSchema) : anything;
  };

  const collect = (fields: Map<string, Shape>, set: SelectionSetNode, parent: string | undefined): void => {
    for (const one of set.selections) {
      if (one.kind !== Kind.FIELD) {
        const inner = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
        const on: NamedTypeNode | undefined = inner?.typeCondition;
        if (inner) collect(fields, inner.selectionSet, on ? on.name.value : parent);
        continue;
      }
      const key = (one.alias ?? one.name).value;
      const before = fields.get(key);
      if (one.selectionSet) {
        const known = fieldsOf(parent);
        const type = Object.hasOwn(known, one.name.value) ? known[one.name.value]!.type : undefined;
        const depth = one.name.value === '_entities' ? 1 : type ? depthOf(type) : null;
        const inner = before?.shape === 'object' ? before.fields : new Map<string, Shape>();
        const isCertain = before?.shape !== 'object' || before.depth === depth;
        fields.set(key, { shape: 'object', depth: isCertain ? depth : null, fields: inner });
        collect(inner, one.selectionSet, type && getNamedType(type).name);
        continue;
      }
      const now = leaf(parent, one.name.value);
      fields.set(key, before?.shape === 'leaf' && !isSame(before, now) ? anything : now);
    }
  };

  const shape: ObjectShape = { shape: 'object', depth: 0, fields: new Map() };
  const rootType =
    root.operation === 'mutation'
      ? fullSchema.getMutationType()
      : root.operation === 'subscription'
        ? fullSchema.getSubscriptionType()
        : fullSchema.getQueryType();
  collect(shape.fields, root.selectionSet, rootType?.name);
  return shape;
};
