// How the gateway tells one event from another: by the `id` of what it is about and by its `version`, asked for under
// names of the gateway's own and left out of what clients get. Whatever has neither comes as it is.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  print,
} from 'graphql';

export type Mark = {
  /** which thing the event is about; null where it has no name */
  readonly thing: string | null;
  /** rises with each change of the thing; null where it has none */
  readonly version: number | null;
};

export type MarkReader = (event: string) => Mark;

const nothing: Mark = { thing: null, version: null };

export type Root = {
  readonly operation: OperationDefinitionNode;
  readonly fragments: readonly FragmentDefinitionNode[];
  readonly node: FieldNode;
  readonly field: GraphQLField<unknown, unknown>;
  /** null where the event is no object of one type */
  readonly type: GraphQLObjectType | null;
};

/** @param document one subscription with one field at its root, then its fragments */
export const rootOf = (schema: GraphQLSchema, document: DocumentNode): Root => {
  const [operation, ...fragments] = document.definitions as [
    OperationDefinitionNode,
    ...FragmentDefinitionNode[],
  ];
  const [node] = operation.selectionSet.selections as readonly FieldNode[];
  const field = schema.getSubscriptionType()!.getFields()[node!.name.value]!;
  const type = getNamedType(field.type);
  return { operation, fragments, node: node!, field, type: isObjectType(type) ? type : null };
};

export const isVersioned = (type: GraphQLObjectType): boolean => {
  const { version } = type.getFields();
  return version !== undefined && version.args.length === 0 && String(version.type) === 'Int!';
};

const aliased = (alias: string, name: string): FieldNode => ({
  kind: Kind.FIELD,
  alias: { kind: Kind.NAME, value: alias },
  name: { kind: Kind.NAME, value: name },
});

/** The document with another field at its root. */
export const withRoot = ({ operation, fragments }: Root, node: FieldNode): DocumentNode => {
  const selectionSet = { ...operation.selectionSet, selections: [node] };
  return { kind: Kind.DOCUMENT, definitions: [{ ...operation, selectionSet }, ...fragments] };
};

/** A name that the document does not use. */
const free = (text: string, name: string): string => (text.includes(name) ? free(text, `${name}_`) : name);

const reader =
  (id: string | null, version: string | null): MarkReader =>
  (event) => {
    const { data } = JSON.parse(event) as { readonly data?: unknown };
    const [root] = typeof data === 'object' && data !== null ? Object.values(data) : [];
    if (typeof root !== 'object' || root === null) return nothing;
    const told = root as Readonly<Record<string, unknown>>;
    const thing = id === null ? null : told[id];
    const count = version === null ? null : told[version];
    return {
      thing: thing === null || thing === undefined ? null : String(thing),
      version: typeof count === 'number' ? count : null,
    };
  };

/**
 * The document as it is planned, and how its events are told apart; `read` is null where they are not.
 * @param document one subscription with one field at its root, then its fragments
 */
export const withMarks = (
  schema: GraphQLSchema,
  document: DocumentNode,
): { readonly document: DocumentNode; readonly read: MarkReader | null } => {
  const root = rootOf(schema, document);
  const { node, type } = root;
  if (!type || !node.selectionSet) return { document, read: null };
  const { id: idField } = type.getFields();
  if (!idField && !isVersioned(type)) return { document, read: null };
  const text = print(document);
  const id = idField && idField.args.length === 0 ? free(text, 'gatewayId') : null;
  const version = isVersioned(type) ? free(text, 'gatewayVersion') : null;
  const selections = [
    ...node.selectionSet.selections,
    ...(id === null ? [] : [aliased(id, 'id')]),
    ...(version === null ? [] : [aliased(version, 'version')]),
  ];
  const marked = withRoot(root, { ...node, selectionSet: { ...node.selectionSet, selections } });
  return { document: marked, read: reader(id, version) };
};

/** versions of so many things are remembered */
const mostSeen = 10_000;

/** Lets through what is newer than anything seen of the same thing, and things without a version always. */
export const createNewer = (most: number = mostSeen): ((mark: Mark) => boolean) => {
  const seen = new Map<string, number>();
  return ({ thing, version }) => {
    if (version === null) return true;
    const key = thing ?? '';
    if (version <= (seen.get(key) ?? Number.NEGATIVE_INFINITY)) return false;
    seen.delete(key);
    seen.set(key, version);
    if (seen.size > most) seen.delete(seen.keys().next().value!);
    return true;
  };
};
