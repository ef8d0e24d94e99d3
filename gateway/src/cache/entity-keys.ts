// By what an entity is known: the fields of its keys, in one form whatever order they come in.
import { type GraphQLSchema, Kind, parse, type SelectionSetNode, valueFromASTUntyped } from 'graphql';

/** Fields of a key, such as `{ id: "…" }`; those of objects nested in it as well. */
export type Key = { readonly [field: string]: unknown };

type KeyFields = readonly { readonly name: string; readonly below: KeyFields | null }[];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same text for the same key; 1 and "1" are the same, since an ID may be written either way. */
export const keyText = (key: Key): string =>
  JSON.stringify(
    Object.keys(key)
      .sort()
      .map((name) => [name, isRecord(key[name]) ? keyText(key[name]) : String(key[name])]),
  );

const fieldsOf = (selectionSet: SelectionSetNode): KeyFields =>
  selectionSet.selections.flatMap((one) =>
    one.kind === Kind.FIELD
      ? [{ name: one.name.value, below: one.selectionSet ? fieldsOf(one.selectionSet) : null }]
      : [],
  );

const parseFields = (text: string): KeyFields => {
  const [operation] = parse(`{${text}}`, { noLocation: true }).definitions;
  return operation?.kind === Kind.OPERATION_DEFINITION ? fieldsOf(operation.selectionSet) : [];
};

/** The part of an object that is the key; null where it is not all there. */
const pick = (fields: KeyFields, from: Record<string, unknown>): Key | null => {
  const key: Record<string, unknown> = {};
  for (const { name, below } of fields) {
    if (name === '__typename') continue;
    const value = Object.hasOwn(from, name) ? from[name] : undefined;
    if (value === undefined || value === null) return null;
    if (!below) key[name] = value;
    else {
      const nested = isRecord(value) ? pick(below, value) : null;
      if (!nested) return null;
      key[name] = nested;
    }
  }
  return key;
};

type JoinType = { readonly graph?: string; readonly key?: string };

/** The keys that one subgraph knows a type by, those it was declared with first. */
export class EntityKeys {
  readonly #schema: GraphQLSchema;
  /** the subgraph's name in the supergraph's enum */
  readonly #graph: string | undefined;
  readonly #known = new Map<string, readonly KeyFields[]>();

  constructor(fullSchema: GraphQLSchema, subgraph: string) {
    this.#schema = fullSchema;
    const graphs = fullSchema.getType('join__Graph')?.astNode;
    const values = graphs?.kind === Kind.ENUM_TYPE_DEFINITION ? (graphs.values ?? []) : [];
    this.#graph = values.find(
      ({ name, directives }) =>
        directives?.some(
          ({ name: directive, arguments: given }) =>
            directive.value === 'join__graph' &&
            given?.some(
              ({ name: argument, value }) =>
                argument.value === 'name' && value.kind === Kind.STRING && value.value === subgraph,
            ),
        ) || name.value === subgraph,
    )?.name.value;
  }

  /** Names of fields that are part of any key. */
  fields(type: string): ReadonlySet<string> {
    return new Set(this.#of(type).flatMap((fields) => fields.map(({ name }) => name)));
  }

  /** The first key that a representation has all of; null where it has none. */
  keyIn(type: string, representation: Record<string, unknown>): Key | null {
    for (const fields of this.#of(type)) {
      const key = pick(fields, representation);
      if (key) return key;
    }
    return null;
  }

  #of(type: string): readonly KeyFields[] {
    const known = this.#known.get(type);
    if (known) return known;
    const found = (this.#schema.getType(type)?.astNode?.directives ?? [])
      .filter(({ name }) => name.value === 'join__type')
      .map(
        ({ arguments: given = [] }) =>
          Object.fromEntries(
            given.map(({ name, value }) => [name.value, valueFromASTUntyped(value)]),
          ) as JoinType,
      )
      .filter(({ graph, key }) => graph === this.#graph && key)
      .map(({ key }) => parseFields(key!));
    this.#known.set(type, found);
    return found;
  }
}
