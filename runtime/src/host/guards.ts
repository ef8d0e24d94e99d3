// The rules that a subgraph's schema states are held here, for every field and before its resolver runs, whoever planned
// the request and however it came. The gateway holds the same ones; a request that did not pass through it meets them
// all the same. What depends on the object (own, or for staff) is the subgraph's own affair.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  defaultFieldResolver,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  valueFromASTUntyped,
} from 'graphql';
import { RequestError } from '../errors.ts';
import { meets, type Requirement, refusalOf, standingOf } from '../standing.ts';
import type { Context } from '../subgraph.ts';

/** By `Type.field`: all of them have to hold. */
export type Guards = ReadonlyMap<string, readonly Requirement[]>;

const directives = ['authenticated', 'requiresScopes', 'policy'] as const;
type Directive = (typeof directives)[number];

const argumentsOf = (directive: ConstDirectiveNode): Record<string, unknown> =>
  Object.fromEntries(
    (directive.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)]),
  );

/** What federation's directives are called in this document: as imported, or else `federation__name`. */
const namesIn = ({ definitions }: DocumentNode): ReadonlyMap<string, Directive> => {
  const links = definitions
    .filter((one) => one.kind === Kind.SCHEMA_EXTENSION || one.kind === Kind.SCHEMA_DEFINITION)
    .flatMap((one) => one.directives ?? [])
    .filter(({ name }) => name.value === 'link')
    .map(argumentsOf);
  const link = links.find(({ url }) => String(url).startsWith('https://specs.apollo.dev/federation/'));
  const imports = Array.isArray(link?.import) ? link.import : [];
  const nameOf = (directive: Directive): string => {
    const found = imports.find((one) => one === `@${directive}` || one?.name === `@${directive}`);
    if (found === undefined) return `${link?.as ?? 'federation'}__${directive}`;
    return typeof found === 'string' ? directive : String(found.as ?? found.name).slice(1);
  };
  return new Map(directives.map((directive) => [nameOf(directive), directive]));
};

type Decorated = { readonly directives?: readonly ConstDirectiveNode[] };

/** @throws TypeError for a rule that could not be held here */
const requirementsOf = (place: string, node: Decorated, names: ReadonlyMap<string, Directive>) =>
  (node.directives ?? []).flatMap((directive): Requirement[] => {
    const kind = names.get(directive.name.value);
    if (kind === undefined) return [];
    if (kind === 'authenticated') return [{ kind: 'signedIn' }];
    if (kind === 'policy')
      throw new TypeError(`${place} has a @policy, and nobody tells subgraphs which policies hold for whom`);
    const { scopes } = argumentsOf(directive);
    const anyOf: string[][] = Array.isArray(scopes) ? scopes.map((group) => [group].flat().map(String)) : [];
    if (anyOf.length === 0 || anyOf.some((group) => group.length === 0))
      throw new TypeError(`${place} names no scopes: nobody could ever have them`);
    return [{ kind: 'scopes', anyOf }];
  });

/** By `Type` and by `Type.field`, what is written there and nowhere else. */
const statedIn = (document: DocumentNode): Guards => {
  const names = namesIn(document);
  const stated = new Map<string, Requirement[]>();
  for (const node of document.definitions) {
    if (!('name' in node) || !node.name || !('directives' in node)) continue;
    const type = node.name.value;
    const isInterface =
      node.kind === Kind.INTERFACE_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_EXTENSION;
    const note = (place: string, decorated: Decorated): void => {
      const found = requirementsOf(place, decorated, names);
      // No resolver of an interface ever runs: the types that implement it have to say it.
      if (found.length > 0 && isInterface) throw new TypeError(`${place} is of an interface, and has a rule`);
      stated.set(place, [...(stated.get(place) ?? []), ...found]);
    };
    note(type, node as Decorated);
    if ('fields' in node)
      for (const field of node.fields ?? []) note(`${type}.${field.name.value}`, field as Decorated);
  }
  return stated;
};

/**
 * The rules of every field that has any: its own, those of its type, and those of the type it leads to.
 * @param document the subgraph's own, of which `schema` was made
 * @throws TypeError for a rule that could not be held here
 */
export const guardsOf = (schema: GraphQLSchema, document: DocumentNode): Guards => {
  const stated = statedIn(document);
  const of = (place: string): readonly Requirement[] => stated.get(place) ?? [];
  const guards = new Map<string, readonly Requirement[]>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const place = `${type.name}.${field.name}`;
      const all = [...of(type.name), ...of(place), ...of(getNamedType(field.type).name)];
      if (all.length > 0) guards.set(place, all);
    }
  }
  return guards;
};

type Resolve = GraphQLFieldResolver<unknown, Context>;

const guarded =
  (resolve: Resolve, requirements: readonly Requirement[]): Resolve =>
  (source, args, ctx, info) => {
    const standing = standingOf(ctx.viewer);
    if (!requirements.every((one) => meets(standing, one))) throw new RequestError(refusalOf(standing));
    return resolve(source, args, ctx, info);
  };

/** Puts the rules of the document before the schema's resolvers. @throws TypeError for one that could not be held */
export const guardFields = (schema: GraphQLSchema, document: DocumentNode): void => {
  for (const [place, requirements] of guardsOf(schema, document)) {
    const [type = '', name = ''] = place.split('.');
    const parent = schema.getType(type);
    const field = isObjectType(parent) ? parent.getFields()[name] : undefined;
    if (!field) throw new TypeError(`${place} is gone`);
    field.resolve = guarded(field.resolve ?? defaultFieldResolver, requirements);
    if (field.subscribe) field.subscribe = guarded(field.subscribe, requirements);
  }
};
