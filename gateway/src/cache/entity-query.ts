// An operation that asks a subgraph for entities, understood once: which lists of representations it takes, and for each
// type what is asked and how long that may be kept.
import { createHash } from 'node:crypto';
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  OperationTypeNode,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { inlined } from '../document/inlined.ts';
import { fragmentsOf } from '../document/selections.ts';
import { isMeant } from '../execute/representations.ts';
import type { CacheHints } from './cache-hints.ts';
import type { EntityKeys } from './entity-keys.ts';

/** What is asked of the entities of one type. */
export type Asked = {
  /** the same for the same selection, whichever operation it is part of */
  readonly selection: string;
  /** milliseconds */
  readonly forMs: number;
  readonly isPrivate: boolean;
};

export type EntityList = {
  /** response key */
  readonly alias: string;
  /** the variable that holds the representations */
  readonly variable: string;
  /** Null for what may not be kept. */
  readonly asked: (type: string) => Asked | null;
};

export type EntityQuery = {
  readonly lists: readonly EntityList[];
  /** whose lists of representations they are */
  readonly variables: ReadonlySet<string>;
};

export const digest = (text: string): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, 22);

const representationsOf = (field: FieldNode): string | null => {
  const [given, ...others] = field.arguments ?? [];
  return given?.name.value === 'representations' && given.value.kind === Kind.VARIABLE && !others.length
    ? given.value.name.value
    : null;
};

class TypesAsked {
  readonly #schema: GraphQLSchema;
  readonly #hints: CacheHints;
  readonly #keys: EntityKeys;
  readonly #selections: readonly SelectionNode[];
  readonly #known = new Map<string, Asked | null>();

  constructor(
    schema: GraphQLSchema,
    hints: CacheHints,
    keys: EntityKeys,
    selections: readonly SelectionNode[],
  ) {
    this.#schema = schema;
    this.#hints = hints;
    this.#keys = keys;
    this.#selections = selections;
  }

  asked = (type: string): Asked | null => {
    const known = this.#known.get(type);
    if (known !== undefined) return known;
    // Types come from representations, which the executor made of types that exist.
    const made = this.#schema.getType(type) ? this.#make(type) : null;
    this.#known.set(type, made);
    return made;
  };

  #make(type: string): Asked | null {
    const selectionSet: SelectionSetNode = {
      kind: Kind.SELECTION_SET,
      selections: this.#selections.filter(
        (one) =>
          one.kind !== Kind.INLINE_FRAGMENT ||
          !one.typeCondition ||
          isMeant(this.#schema, one.typeCondition.name.value, type),
      ),
    };
    const { maxAge, isPrivate } = this.#hints.keeping(type, selectionSet, this.#keys.fields(type));
    return maxAge > 0 ? { selection: digest(print(selectionSet)), forMs: maxAge * 1_000, isPrivate } : null;
  }
}

/** @returns null where nothing of it may be kept, or something else is asked as well */
export const readEntityQuery = (
  text: string,
  fullSchema: GraphQLSchema,
  hints: CacheHints,
  keys: EntityKeys,
): EntityQuery | null => {
  let document: DocumentNode;
  try {
    document = parse(text, { noLocation: true });
  } catch {
    return null;
  }
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  const fragments = fragmentsOf(document.definitions);
  const [operation] = operations;
  if (operations.length !== 1 || operation?.operation !== OperationTypeNode.QUERY) return null;

  const lists: EntityList[] = [];
  for (const field of operation.selectionSet.selections) {
    if (field.kind !== Kind.FIELD || field.name.value !== '_entities' || !field.selectionSet) return null;
    const variable = representationsOf(field);
    if (variable === null || field.directives?.length) return null;
    const { selections } = inlined(field.selectionSet, fragments);
    const types = new TypesAsked(fullSchema, hints, keys, selections);
    lists.push({ alias: field.alias?.value ?? '_entities', variable, asked: types.asked });
  }
  return lists.length ? { lists, variables: new Set(lists.map(({ variable }) => variable)) } : null;
};
