// `@authenticated`, `@requiresScopes` and `@policy` as composition writes them into a supergraph, and what they mean for
// one field of a selection.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type GraphQLCompositeType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
} from 'graphql';
import { applicationsOf, linkedName } from '../document/linked-directives.ts';
import type { Requirement } from './standing.ts';

export type AuthRules = {
  /** each once; needs are places in this list */
  readonly requirements: readonly Requirement[];
  /**
   * Everything that must hold for whoever selects this field on this type: the field's rules, its parent's, and those of
   * what it leads to; through an interface, the rules of every type that may answer.
   * @returns places in `requirements`, ascending
   */
  readonly needsOf: (parent: GraphQLCompositeType, field: string) => readonly number[];
};

const features = {
  signedIn: ['https://specs.apollo.dev/authenticated', 'authenticated', ''],
  scopes: ['https://specs.apollo.dev/requiresScopes', 'requiresScopes', 'scopes'],
  policies: ['https://specs.apollo.dev/policy', 'policy', 'policies'],
} as const;

type Kind = keyof typeof features;
type Decorated = { readonly directives?: readonly ConstDirectiveNode[] };

const groups = (value: unknown): string[][] =>
  Array.isArray(value)
    ? value.map((group) => (Array.isArray(group) ? group.map(String) : [String(group)]))
    : [];

const ascending = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((a, b) => a - b);

/** Gives every distinct requirement a place. */
const numbered = (requirements: Requirement[]): ((one: Requirement) => number) => {
  const places = new Map<string, number>();
  return (one) => {
    const text = JSON.stringify(one);
    const place = places.get(text) ?? requirements.push(one) - 1;
    places.set(text, place);
    return place;
  };
};

/**
 * @param supergraph the supergraph's SDL, parsed
 * @param schema what clients may ask
 */
export const readAuthRules = (supergraph: DocumentNode, schema: GraphQLSchema): AuthRules => {
  const requirements: Requirement[] = [];
  const placeOf = numbered(requirements);
  const names = (Object.keys(features) as Kind[]).flatMap((kind) => {
    const [feature, directive, argument] = features[kind];
    const name = linkedName(supergraph, feature, directive);
    return name === null ? [] : [{ kind, name, argument }];
  });
  const rulesOf = (node: Decorated): number[] =>
    names.flatMap(({ kind, name, argument }) =>
      applicationsOf(node, name).map((args) =>
        placeOf(kind === 'signedIn' ? { kind } : { kind, anyOf: groups(args[argument]) }),
      ),
    );

  /** by `Type` and by `Type.field` */
  const own = new Map<string, number[]>();
  for (const node of supergraph.definitions) {
    if (!('name' in node) || !node.name || !('directives' in node)) continue;
    const type = node.name.value;
    own.set(type, [...(own.get(type) ?? []), ...rulesOf(node as Decorated)]);
    if ('fields' in node)
      for (const field of node.fields ?? [])
        own.set(`${type}.${field.name.value}`, rulesOf(field as Decorated));
  }
  const ownOf = (name: string): readonly number[] => own.get(name) ?? [];

  const directNeeds = (parent: GraphQLNamedType, field: string): number[] => {
    const found = 'getFields' in parent ? parent.getFields()[field] : undefined;
    if (!found) return [];
    return [
      ...ownOf(parent.name),
      ...ownOf(`${parent.name}.${field}`),
      ...ownOf(getNamedType(found.type).name),
    ];
  };
  const known = new Map<string, readonly number[]>();
  return {
    requirements,
    needsOf: (parent, field) => {
      const coordinate = `${parent.name}.${field}`;
      const before = known.get(coordinate);
      if (before) return before;
      const parents = isInterfaceType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
      const needs = ascending(parents.flatMap((one) => directNeeds(one, field)));
      known.set(coordinate, needs);
      return needs;
    },
  };
};
