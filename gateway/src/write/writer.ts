// Writers made for one operation: JavaScript that knows every key, type and order beforehand and only joins texts. They
// write answers that have nothing wrong with them. At the first surprise they stop, and the answer is written value by
// value (execute/answer.ts): these here explain nothing.
import {
  type GraphQLAbstractType,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { type AnswerPlan, holds } from '../execute/answer.ts';
import type { Variables } from '../execute/operation.ts';
import { below } from '../execute/stubs.ts';
import { type Composite, type Leaf, readCode, textKey } from '../parse/values.ts';
import { toBinary } from '../transport/binary.ts';
import {
  type ConditionalSet,
  type Place,
  placeCode,
  Selections,
  setsBelow,
  TooManyNodes,
} from './selection.ts';

/** Answers the data's JSON text. Throws `surprise` where there is something to explain. */
export type Write = (
  data: Composite,
  variables: Variables,
  introspection: ReadonlyMap<string, string>,
) => string;

type Writable = GraphQLObjectType | GraphQLInterfaceType;
type WriteObject = (
  object: Composite,
  variables: Variables,
  introspection: ReadonlyMap<string, string>,
) => string;

export const surprise = new Error('an answer that has to be looked at value by value');

const text = (value: string): string => JSON.stringify(value);

type Member = {
  /** the value's text where it is known beforehand */
  readonly constant: string | null;
  /** the expression for it */
  readonly value: string;
  /** an expression; null for always */
  readonly when: string | null;
};

type Piece =
  | { readonly constant: string; readonly code?: undefined }
  | { readonly constant?: undefined; readonly code: string };

/** An expression that joins the pieces. Neighbouring constants become one: each join costs. */
const joinCode = (pieces: readonly Piece[]): string => {
  const parts: string[] = [];
  let constant = '';
  for (const one of pieces) {
    if (one.code === undefined) {
      constant += one.constant;
      continue;
    }
    if (constant) parts.push(text(constant));
    constant = '';
    parts.push(one.code);
  }
  if (constant) parts.push(text(constant));
  return parts.join('+');
};

/** One unit of generated code: functions that call one another, and what they need from outside. */
class Unit {
  readonly #writers: Writers;
  readonly #functions: string[] = [];
  readonly #dispatchers: WriteObject[] = [];

  constructor(writers: Writers) {
    this.#writers = writers;
  }

  make(type: Writable, sets: readonly ConditionalSet[], at: string, isRoot: boolean): WriteObject {
    const name = this.#object(type, sets, at, isRoot);
    // Names are in it only as string literals, and all of them were validated.
    const code = `'use strict';${this.#functions.join('\n')}\nreturn ${name}`;
    return new Function('D', 'W', code)(this.#dispatchers, surprise);
  }

  #add(parameters: string, body: string): string {
    const name = `f${this.#functions.length}`;
    this.#functions.push(`function ${name}(${parameters}){${body}}`);
    return name;
  }

  #object(type: Writable, sets: readonly ConditionalSet[], at: string, isRoot = false): string {
    const { plan, selections } = this.#writers;
    const places = selections.places(sets, (on) => holds(plan.apiSchema, on, type));
    const reads: string[] = [];
    const checks: string[] = [];
    const members = places.map((place, index) => {
      const { key } = place.field;
      const start = toBinary(`${JSON.stringify(plan.names.get(key) ?? key)}:`);
      return { start, ...this.#member(type, place, `x${index}`, reads, checks, at, isRoot) };
    });
    const head = reads.join('') + (checks.length ? `if(${checks.join('||')})throw W;` : '');
    // One object at several places: the text is kept on it.
    const mark = `o[${text(textKey)}]`;
    const isShared = plan.stubs.has(at);
    // A text that is joined again and again is made of one piece, which is what looking at it does.
    const first = isShared
      ? `const t=${mark};if(t!==undefined){if(t.charCodeAt(0)!==123)throw W;return t}`
      : '';
    const result = isShared ? `return ${mark}=` : 'return ';
    if (members.every(({ when }) => when === null)) {
      const pieces = members.flatMap(({ start, constant, value }, index): Piece[] => [
        { constant: `${index ? ',' : ''}${start}${constant ?? ''}` },
        ...(constant === null ? [{ code: value }] : []),
      ]);
      const joined = joinCode([{ constant: '{' }, ...pieces, { constant: '}' }]);
      return this.#add('o,v,i', `${first}${head}${result}${joined}`);
    }
    const steps = members.map(
      ({ start, value, when }) => `${when === null ? '' : `if(${when})`}{s+=c+${text(start)}+${value};c=','}`,
    );
    return this.#add('o,v,i', `${first}${head}let s='{',c='';${steps.join('')}${result}s+'}'`);
  }

  /** The expression of a field's text. What it reads and when that is wrong goes to the function's head. */
  #member(
    type: Writable,
    place: Place,
    local: string,
    reads: string[],
    checks: string[],
    at: string,
    isRoot: boolean,
  ): Member {
    const { key, name } = place.field;
    const when = placeCode(place);
    if (name === '__typename') {
      // Of an interface object whose type nobody has told.
      if (!isObjectType(type)) checks.push(when === null ? 'true' : when);
      return { constant: JSON.stringify(type.name), value: text(JSON.stringify(type.name)), when };
    }
    if (isRoot && (name === '__schema' || name === '__type'))
      return { constant: null, value: `i.get(${text(key)})`, when };
    const field = type.getFields()[name];
    if (!field) throw new TypeError(`${type.name} has no field ${name}`);
    reads.push(`const ${local}=${readCode('o', key)};`);
    if (isNonNullType(field.type)) {
      const isMissing = `${local}===null||${local}===undefined`;
      checks.push(when === null ? isMissing : `(${when})&&(${isMissing})`);
    }
    return {
      constant: null,
      value: this.#value(field.type, setsBelow(place.field), local, below(at, key)),
      when,
    };
  }

  /** The expression for a value in variable `local`, which is checked already where it may not be null. */
  #value(type: GraphQLOutputType, sets: readonly ConditionalSet[], local: string, at: string): string {
    const isNonNull = isNonNullType(type);
    const inner = isNonNull ? type.ofType : type;
    let named: GraphQLOutputType = inner;
    while (isListType(named) || isNonNullType(named)) named = named.ofType as GraphQLOutputType;
    // The text of a leaf, or of a list of leaves; null joins as the word that is wanted.
    if (isLeafType(named)) return isNonNull ? local : `(${local}===undefined?'null':${local})`;
    let written: string;
    if (isListType(inner)) written = `${this.#list(inner.ofType as GraphQLOutputType, sets, at)}(${local},v)`;
    else if (isObjectType(inner)) written = `${this.#object(inner, sets, at)}(${local},v)`;
    else if (isAbstractType(inner))
      written = `D[${this.#dispatchers.push(this.#writers.dispatcher(inner, sets, at)) - 1}](${local},v)`;
    else throw new TypeError(`${String(type)} cannot be written`);
    return isNonNull ? written : `(${local}===null||${local}===undefined?'null':${written})`;
  }

  #list(item: GraphQLOutputType, sets: readonly ConditionalSet[], at: string): string {
    const check = isNonNullType(item) ? 'if(x===null||x===undefined)throw W;' : '';
    const value = this.#value(item, sets, 'x', at);
    return this.#add(
      'a,v',
      `if(!Array.isArray(a))throw W;const n=a.length;if(n===0)return'[]';let s='[';
      for(let k=0;k<n;k++){const x=a[k];${check}if(k!==0)s+=',';s+=${value}}return s+']'`,
    );
  }
}

class Writers {
  readonly plan: AnswerPlan;
  readonly selections: Selections;

  constructor(plan: AnswerPlan) {
    this.plan = plan;
    this.selections = new Selections(plan.fragments);
  }

  /** Writes each object as what it says it is. The code for a type is made when the first one comes. */
  dispatcher(type: GraphQLAbstractType, sets: readonly ConditionalSet[], at: string): WriteObject {
    const byType = new Map<Leaf | undefined, WriteObject>();
    let lastType: Leaf | undefined | null = null;
    let last: WriteObject | null = null;
    return (object, variables, introspection) => {
      const typename = object.__typename as Leaf | undefined;
      if (typename !== lastType || !last) {
        let found = byType.get(typename);
        if (!found) {
          const actual = this.#actualType(type, typename);
          if (!actual) throw surprise;
          found = new Unit(this).make(actual, sets, at, false);
          byType.set(typename, found);
        }
        last = found;
        lastType = typename;
      }
      return last(object, variables, introspection);
    };
  }

  /** null: nothing that a client may see, or nothing that is understood. */
  #actualType(type: GraphQLAbstractType, typename: Leaf | undefined): Writable | null {
    const { apiSchema } = this.plan;
    const name: unknown = typename ? JSON.parse(typename) : undefined;
    const actual = typeof name === 'string' ? apiSchema.getType(name) : undefined;
    if (isObjectType(actual)) return apiSchema.isSubType(type, actual) ? actual : null;
    return isInterfaceType(type) && (name === undefined || isInterfaceType(actual)) ? type : null;
  }
}

/** null: the operation is written value by value always. */
export const writerFor = (plan: AnswerPlan): Write | null => {
  try {
    return new Unit(new Writers(plan)).make(plan.rootType, [{ set: plan.selectionSet, when: [] }], '', true);
  } catch (error) {
    if (error instanceof TooManyNodes) return null;
    throw error;
  }
};
