// How long what a subgraph answers may be kept: `@cacheControl(maxAge:, scope:, inheritMaxAge:)` in the supergraph.
// Composition keeps it there where the subgraphs say `@composeDirective(name: "@cacheControl")`; but it does not keep
// which subgraph said so. So on a type that several subgraphs share it means nothing, and their fields say it themselves.
import {
  type FieldNode,
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

const never: Keeping = { maxAge: 0, isPrivate: false };

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
   * What is asked of an entity, each field by its own hint, else its type's, else, for a leaf, its parent's.
   * @param selectionSet without fragment spreads
   * @param keys response keys that never change, and are not counted
   */
  keeping(typeName: string, selectionSet: SelectionSetNode, keys: ReadonlySet<string>): Keeping {
    const own = this.#typeHint(typeName);
    const found = this.#of(typeName, selectionSet, own?.maxAge, keys);
    const isPrivate = (own?.isPrivate ?? false) || found.isPrivate;
    return Number.isFinite(found.maxAge) && found.maxAge > 0 ? { maxAge: found.maxAge, isPrivate } : never;
  }

  #typeHint(name: string): Hint | null {
    const node = this.#schema.getType(name)?.astNode;
    return node && subgraphsOf(node) <= 1 ? hintOf(node) : null;
  }

  /** Infinity where nothing is asked but keys. */
  #of(
    parent: string,
    selectionSet: SelectionSetNode,
    inherited: number | undefined,
    keys: ReadonlySet<string>,
  ): Keeping {
    let maxAge = Number.POSITIVE_INFINITY;
    let isPrivate = false;
    const add = (one: Keeping): void => {
      maxAge = Math.min(maxAge, one.maxAge);
      isPrivate ||= one.isPrivate;
    };
    for (const one of selectionSet.selections) {
      if (one.kind === Kind.INLINE_FRAGMENT)
        add(this.#of(one.typeCondition?.name.value ?? parent, one.selectionSet, inherited, keys));
      else if (one.kind === Kind.FIELD) {
        if (one.name.value !== '__typename' && !keys.has(one.name.value))
          add(this.#ofField(parent, one, inherited));
      } else return never;
    }
    return { maxAge, isPrivate };
  }

  #ofField(parent: string, field: FieldNode, inherited: number | undefined): Keeping {
    const type = this.#schema.getType(parent);
    const definition =
      isObjectType(type) || isInterfaceType(type) ? type.getFields()[field.name.value] : undefined;
    if (!definition) return never;
    const hint = hintOf(definition.astNode);
    const returned = getNamedType(definition.type);
    const typeHint = isCompositeType(returned) ? this.#typeHint(returned.name) : null;
    const own = hint?.inherits
      ? inherited
      : (hint?.maxAge ?? typeHint?.maxAge ?? (isCompositeType(returned) ? 0 : inherited));
    const isPrivate = (hint?.isPrivate ?? false) || (typeHint?.isPrivate ?? false);
    if (own === undefined) return { maxAge: 0, isPrivate };
    if (!field.selectionSet) return { maxAge: own, isPrivate };
    const below = this.#of(returned.name, field.selectionSet, own, new Set());
    return { maxAge: Math.min(own, below.maxAge), isPrivate: isPrivate || below.isPrivate };
  }
}
