// How long what a subgraph answers may be kept: `@cacheControl(maxAge:, scope:, inheritMaxAge:)` in the supergraph.
// Composition keeps it there where the subgraphs say `@composeDirective(name: "@cacheControl")`; but it does not keep
// which subgraph said so. So on a type that several subgraphs share it means nothing, and their fields say it themselves.
import {
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { applicationsOf } from '../document/linked-directives.ts';

export type Hint = {
  /** seconds; undefined where only the scope is told */
  readonly maxAge: number | undefined;
  readonly isPrivate: boolean;
  /** as long as what it is part of */
  readonly inherits: boolean;
};

/** For how long a selection may be kept, and whether for one viewer only; 0 seconds for not at all. */
export type Keeping = { readonly maxAge: number; readonly isPrivate: boolean };

const directive = 'cacheControl';

type Decorated = Parameters<typeof applicationsOf>[0];

const hintOf = (node: Decorated | null | undefined): Hint | null => {
  const [told] = node ? applicationsOf(node, directive) : [];
  if (!told) return null;
  return {
    maxAge: typeof told.maxAge === 'number' ? told.maxAge : undefined,
    isPrivate: told.scope === 'PRIVATE',
    inherits: told.inheritMaxAge === true,
  };
};

const subgraphsOf = (node: Decorated): number =>
  new Set(
    (node.directives ?? [])
      .filter((one) => one.name.value === 'join__type')
      .map((one) => one.arguments?.find(({ name }) => name.value === 'graph')?.value)
      .map((value) => (value?.kind === Kind.ENUM ? value.value : '')),
  ).size;

/** A stock of goods is not known for as long as the name that another subgraph has for them. */
const isOfSome = (parent: Decorated | null | undefined, field: Decorated | null | undefined): boolean =>
  parent != null &&
  subgraphsOf(parent) > 1 &&
  (field?.directives ?? []).some(
    ({ name, arguments: given }) =>
      name.value === 'join__field' && given?.some(({ name: argument }) => argument.value === 'graph'),
  );

const never: Keeping = { maxAge: 0, isPrivate: false };

const shorter = (one: Keeping, other: Keeping): Keeping => ({
  maxAge: Math.min(one.maxAge, other.maxAge),
  isPrivate: one.isPrivate || other.isPrivate,
});

type Parent = { readonly astNode?: Decorated | null | undefined };

/** One selection, looked through once. The same part may be met under many types, and is remembered for each. */
class Look {
  readonly #hints: CacheHints;
  readonly #schema: GraphQLSchema;
  readonly #known = new Map<SelectionSetNode, Map<string, Keeping>>();

  constructor(hints: CacheHints, schema: GraphQLSchema) {
    this.#hints = hints;
    this.#schema = schema;
  }

  /**
   * @param inherited seconds, of what it is part of
   * @returns Infinity where nothing is asked but keys
   */
  of(
    parent: string,
    selectionSet: SelectionSetNode,
    inherited: number | undefined,
    keys: ReadonlySet<string>,
  ): Keeping {
    let known = this.#known.get(selectionSet);
    if (!known) {
      known = new Map();
      this.#known.set(selectionSet, known);
    }
    const name = `${parent} ${inherited}`;
    const found = known.get(name) ?? this.#ofEach(parent, selectionSet, inherited, keys);
    known.set(name, found);
    return found;
  }

  #ofEach(
    parent: string,
    selectionSet: SelectionSetNode,
    inherited: number | undefined,
    keys: ReadonlySet<string>,
  ): Keeping {
    let all: Keeping = { maxAge: Number.POSITIVE_INFINITY, isPrivate: false };
    for (const one of selectionSet.selections) {
      if (one.kind === Kind.INLINE_FRAGMENT)
        all = shorter(
          all,
          this.of(one.typeCondition?.name.value ?? parent, one.selectionSet, inherited, keys),
        );
      else if (one.kind === Kind.FIELD) {
        if (one.name.value !== '__typename' && !keys.has(one.name.value))
          all = shorter(all, this.#ofField(parent, one, inherited));
      } else return never;
    }
    return all;
  }

  /** Of a field of an interface, the shortest of all that it may turn out to be. */
  #ofField(parent: string, field: FieldNode, inherited: number | undefined): Keeping {
    const type = this.#schema.getType(parent);
    const types: readonly GraphQLObjectType[] = isInterfaceType(type)
      ? this.#schema.getPossibleTypes(type)
      : isObjectType(type)
        ? [type]
        : [];
    if (types.length === 0) return never;
    return types
      .map((one) => {
        const definition = one.getFields()[field.name.value];
        return definition ? this.#ofDefinition(one, definition, field, inherited) : never;
      })
      .reduce(shorter);
  }

  #ofDefinition(
    parent: Parent,
    definition: GraphQLField<unknown, unknown>,
    field: FieldNode,
    inherited: number | undefined,
  ): Keeping {
    const hint = hintOf(definition.astNode);
    const returned = getNamedType(definition.type);
    const typeHint = isCompositeType(returned) ? this.#hints.typeHint(returned.name) : null;
    const unsaid = isCompositeType(returned) || isOfSome(parent.astNode, definition.astNode) ? 0 : inherited;
    const own = hint?.inherits ? inherited : (hint?.maxAge ?? typeHint?.maxAge ?? unsaid);
    const isPrivate = (hint?.isPrivate ?? false) || (typeHint?.isPrivate ?? false);
    if (own === undefined) return { maxAge: 0, isPrivate };
    if (!field.selectionSet) return { maxAge: own, isPrivate };
    return shorter({ maxAge: own, isPrivate }, this.of(returned.name, field.selectionSet, own, new Set()));
  }
}

export class CacheHints {
  readonly #schema: GraphQLSchema;

  constructor(fullSchema: GraphQLSchema) {
    this.#schema = fullSchema;
  }

  /** Whether anything may be kept at all. */
  get isEmpty(): boolean {
    return !Object.values(this.#schema.getTypeMap()).some(
      (type) =>
        hintOf(type.astNode) !== null ||
        ((isObjectType(type) || isInterfaceType(type)) &&
          Object.values(type.getFields()).some(({ astNode }) => hintOf(astNode) !== null)),
    );
  }

  /**
   * What is asked of an entity or of a root, each field by its own hint, else its type's, else, for a leaf, its parent's.
   * @param selectionSet without fragment spreads
   * @param keys response keys that never change, and are not counted
   */
  keeping(typeName: string, selectionSet: SelectionSetNode, keys: ReadonlySet<string>): Keeping {
    const own = this.typeHint(typeName);
    const found = new Look(this, this.#schema).of(typeName, selectionSet, own?.maxAge, keys);
    const isPrivate = (own?.isPrivate ?? false) || found.isPrivate;
    return Number.isFinite(found.maxAge) && found.maxAge > 0 ? { maxAge: found.maxAge, isPrivate } : never;
  }

  /** What a type says of itself; nothing where several subgraphs have it. */
  typeHint(name: string): Hint | null {
    const node = this.#schema.getType(name)?.astNode;
    return node && subgraphsOf(node) <= 1 ? hintOf(node) : null;
  }
}
