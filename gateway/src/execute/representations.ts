// How an entity is named to a subgraph: the JSON text of its representation, by a function made for its type.
import { type GraphQLSchema, isAbstractType, isObjectType, Kind, parse } from 'graphql';
import { type Composite, type Leaf, readCode } from '../parse/values.ts';
import { onlyOperation } from '../plan/plannable.ts';
import type { Requirement, TypeRewrite } from '../plan/query-plan.ts';

/**
 * Answers the text; null where no key is known. A part of a key that is null is left out, other fields are sent as they
 * are. `isStrict`: a field that nobody delivered makes it null too, because the call that should have may have failed.
 */
export type WriteRepresentation = (entity: Composite, isStrict: boolean) => string | null;

type Field = { readonly names: Set<string>; readonly fields: Map<string, Field> | null };

/** Whether objects of type `name` (an interface's name for an interface object) are meant by a condition on `type`. */
export const isMeant = (schema: GraphQLSchema, type: string, name: string): boolean => {
  if (type === name) return true;
  const on = schema.getType(type);
  const actual = schema.getType(name);
  return isAbstractType(on) && isObjectType(actual) && schema.isSubType(on, actual);
};

/** JavaScript of an expression that is the JSON text of a nested object, a list of them, or null. */
const nestedCode = (fields: Map<string, Field>): string => {
  const members = [...fields].map(([as, field]) => {
    const value = field.fields ? `${nestedCode(field.fields)}(v)` : 'v';
    const separator = JSON.stringify(`${JSON.stringify(as)}:`);
    return `v=${valueCode('o', field)};if(v!==undefined)s+=(s?',':'')+${separator}+${value};`;
  });
  return `(function f(o){
    if(o===null||o===undefined)return'null';
    if(Array.isArray(o)){let l='';for(let i=0;i<o.length;i++)l+=(i?',':'')+f(o[i]);return'['+l+']'}
    let s='',v;${members.join('')}return'{'+s+'}'})`;
};

/** JavaScript that reads the field under the first of its names that the object has. */
const valueCode = (object: string, { names }: Field): string =>
  [...names].map((name) => readCode(object, name)).join('??');

const collect = (
  requires: readonly Requirement[],
  isOn: (type: string) => boolean,
  fields: Map<string, Field>,
): Map<string, Field> => {
  for (const one of requires) {
    if (one.kind === 'on') {
      if (isOn(one.type)) collect(one.selections, isOn, fields);
      continue;
    }
    if (one.as === '__typename' && one.selections === null && !fields.has(one.as)) {
      fields.set(one.as, { names: new Set(['__typename']), fields: null });
      continue;
    }
    const before = fields.get(one.as);
    const field = before ?? { names: new Set<string>(), fields: one.selections ? new Map() : null };
    field.names.add(one.name).add(one.as);
    // below the entity the types are not followed: what is there was asked for
    if (one.selections && field.fields) collect(one.selections, () => true, field.fields);
    fields.set(one.as, field);
  }
  return fields;
};

/** First names of the fields that are in any key of the type, or of an interface it stands for. */
const keyFields = (schema: GraphQLSchema, name: string): Set<string> => {
  const fields = new Set<string>();
  for (const directive of schema.getType(name)?.astNode?.directives ?? []) {
    const key = directive.arguments?.find((one) => one.name.value === 'key')?.value;
    if (directive.name.value !== 'join__type' || key?.kind !== Kind.STRING) continue;
    const document = parse(`{${key.value}}`, { noLocation: true });
    const { operation } = onlyOperation(document, undefined);
    for (const one of operation.selectionSet.selections)
      if (one.kind === Kind.FIELD) fields.add(one.name.value);
  }
  return fields;
};

/** The writer for entities of one type, or null where entities of this type are not asked for. */
const writerFor = (
  schema: GraphQLSchema,
  name: string,
  requires: readonly Requirement[],
  rewrites: readonly TypeRewrite[],
): WriteRepresentation | null => {
  if (!requires.some((one) => one.kind === 'on' && isMeant(schema, one.type, name))) return null;
  const fields = collect(requires, (type) => isMeant(schema, type, name), new Map());
  fields.delete('__typename');
  const rewrite = rewrites.find(({ types }) => types.some((type) => isMeant(schema, type, name)));
  const keys = keyFields(schema, name);
  const hasKey = [...fields.keys()].some((as) => keys.has(as));
  const members = [...fields].map(([as, field]) => {
    const value = field.fields ? `${nestedCode(field.fields)}(v)` : 'v';
    const isKey = !hasKey || keys.has(as);
    const wanted = isKey ? 'if(v!==null)' : '';
    const known = isKey ? ',k=true' : '';
    return `v=${valueCode('o', field)};if(v===undefined){if(strict)return null}else ${wanted}s+=${JSON.stringify(`,${JSON.stringify(as)}:`)}+${value}${known};`;
  });
  const prefix = JSON.stringify(`{"__typename":${JSON.stringify(rewrite?.sentAs ?? name)}`);
  // Names are in it only as string literals, and all of them went through a GraphQL parser.
  const make = new Function(
    `return function(o,strict){let s='',k=false,v;${members.join('')}return k?${prefix}+s+'}':null}`,
  );
  return make();
};

/** Representation writers of one batch, by the JSON text of the entity's type. */
export class RepresentationWriters {
  readonly #schema: GraphQLSchema;
  readonly #requires: readonly Requirement[];
  readonly #rewrites: readonly TypeRewrite[];
  readonly #byType = new Map<Leaf, WriteRepresentation | null>();
  /** the only type that is asked for, where there is one: for entities that do not say theirs */
  readonly #only: Leaf | null;

  constructor(schema: GraphQLSchema, requires: readonly Requirement[], rewrites: readonly TypeRewrite[]) {
    this.#schema = schema;
    this.#requires = requires;
    this.#rewrites = rewrites;
    const types = new Set(requires.map((one) => (one.kind === 'on' ? one.type : '')));
    const [only] = types;
    this.#only = types.size === 1 && only ? JSON.stringify(only) : null;
  }

  for(typename: unknown): WriteRepresentation | null {
    const type = typeof typename === 'string' && typename !== '' ? typename : this.#only;
    if (type === null) return null;
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    const name: unknown = JSON.parse(type);
    const isKnown = typeof name === 'string' && this.#schema.getType(name) !== undefined;
    const made = isKnown ? writerFor(this.#schema, name, this.#requires, this.#rewrites) : null;
    // Only types of the schema are kept: a subgraph could make up any number of others.
    if (isKnown) this.#byType.set(type, made);
    return made;
  }
}
