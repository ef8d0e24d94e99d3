// How an entity is named to a subgraph: the JSON text of its representation, by a function made for its type.
import { type GraphQLSchema, isAbstractType, isObjectType, Kind, parse } from 'graphql';
import { type Composite, type Leaf, readCode } from '../parse/values.ts';
import { onlyOperation } from '../plan/plannable.ts';
import type { Requirement, TypeRewrite } from '../plan/query-plan.ts';

/**
 * Answers the text; undefined where a part of the key was never delivered, null where all of it is null. A part of a key
 * that is null is left out, other fields are sent as they are. `isStrict`: any field that nobody delivered makes it
 * undefined, the call that should have may have failed.
 */
type Write = (entity: Composite, isStrict: boolean) => string | null | undefined;

export type WriteRepresentation = {
  /** among the writers of one list of representations */
  readonly index: number;
  readonly text: Write;
  /** the same for the same representation, and where possible shorter */
  readonly key: Write;
};

type Field = { readonly names: Set<string>; readonly fields: Map<string, Field> | null };

/** Whether objects of type `name` (an interface's name for an interface object) are meant by a condition on `type`. */
export const isMeant = (schema: GraphQLSchema, type: string, name: string): boolean => {
  if (type === name) return true;
  const on = schema.getType(type);
  const actual = schema.getType(name);
  return isAbstractType(on) && isObjectType(actual) && schema.isSubType(on, actual);
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

/** JavaScript of functions that call one another. */
class Unit {
  readonly functions: string[] = [];

  #add(body: string): string {
    const name = `f${this.functions.length}`;
    this.functions.push(`function ${name}(o,strict){${body}}`);
    return name;
  }

  /** The expression for the text of the value in variable `v`; undefined where a part of it is missing. */
  value({ fields }: Field): string {
    return fields ? `${this.#nested(fields)}(v,strict)` : 'v';
  }

  /** The text of an object inside of the entity, or of a list of them. */
  #nested(fields: Map<string, Field>): string {
    const members = [...fields].map(([as, field]) => {
      const start = JSON.stringify(`${JSON.stringify(as)}:`);
      // What is missing belongs to another type.
      return `v=${valueCode('o', field)};if(v!==undefined)v=${this.value(field)};if(v!==undefined){s+=c+${start}+v;c=','}`;
    });
    const one = this.#add(`let s='{',c='',v;${members.join('')}return s+'}'`);
    return this.#add(
      `if(o===null||o===undefined)return o===null?'null':undefined;if(!Array.isArray(o))return ${one}(o,strict);
      let l='[';for(let i=0;i<o.length;i++){const x=${`f${this.functions.length}`}(o[i],strict);if(x===undefined)return;l+=(i?',':'')+x}
      return l+']'`,
    );
  }

  entity(prefix: string, fields: Map<string, Field>, isKey: (name: string) => boolean): string {
    const members = [...fields].map(([as, field]) => {
      const start = JSON.stringify(`,${JSON.stringify(as)}:`);
      const read = `v=${valueCode('o', field)};if(v!==undefined&&v!==null)v=${this.value(field)};`;
      return isKey(as)
        ? `${read}if(v===undefined)return;if(v!==null){s+=${start}+v;k=true}`
        : `${read}if(v!==undefined)s+=${start}+v;else if(strict)return;`;
    });
    return this.#add(`let s='',k=false,v;${members.join('')}return k?${JSON.stringify(prefix)}+s+'}':null`);
  }
}

/** The writer for entities of one type, or null where entities of this type are not asked for. */
const writerFor = (
  schema: GraphQLSchema,
  name: string,
  requires: readonly Requirement[],
  rewrites: readonly TypeRewrite[],
  index: number,
): WriteRepresentation | null => {
  if (!requires.some((one) => one.kind === 'on' && isMeant(schema, one.type, name))) return null;
  const fields = collect(requires, (type) => isMeant(schema, type, name), new Map());
  fields.delete('__typename');
  const rewrite = rewrites.find(({ types }) => types.some((type) => isMeant(schema, type, name)));
  const keys = keyFields(schema, name);
  const hasKey = [...fields.keys()].some((as) => keys.has(as));
  const unit = new Unit();
  const prefix = `{"__typename":${JSON.stringify(rewrite?.sentAs ?? name)}`;
  const entity = unit.entity(prefix, fields, (as) => !hasKey || keys.has(as));
  // Names are in it only as string literals, and all of them went through a GraphQL parser.
  const text: Write = new Function(`'use strict';${unit.functions.join('\n')}\nreturn ${entity}`)();
  const [only, ...others] = fields.values();
  if (!only || only.fields || others.length) return { index, text, key: text };
  return { index, text, key: new Function(`return function(o){return ${valueCode('o', only)}}`)() };
};

/** Representation writers of one batch, by the JSON text of the entity's type. */
export class RepresentationWriters {
  readonly #schema: GraphQLSchema;
  readonly #requires: readonly Requirement[];
  readonly #rewrites: readonly TypeRewrite[];
  readonly #byType = new Map<Leaf, WriteRepresentation | null>();
  #lastType: unknown = undefined;
  #last: WriteRepresentation | null = null;
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
    if (typename !== this.#lastType || typename === undefined) {
      this.#last = this.#find(typename);
      this.#lastType = typename;
    }
    return this.#last;
  }

  #find(typename: unknown): WriteRepresentation | null {
    const type = typeof typename === 'string' && typename !== '' ? typename : this.#only;
    if (type === null) return null;
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    const name: unknown = JSON.parse(type);
    // Only types of the schema are kept: a subgraph could make up any number of others.
    if (typeof name !== 'string' || this.#schema.getType(name) === undefined) return null;
    const made = writerFor(this.#schema, name, this.#requires, this.#rewrites, this.#byType.size);
    this.#byType.set(type, made);
    return made;
  }
}
