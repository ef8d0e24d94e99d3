// Finds the objects at the end of a plan's path.
import type { GraphQLSchema } from 'graphql';
import {
  type Composite,
  isComposite,
  type Leaf,
  read,
  readCode,
  stampKey,
  type Value,
} from '../parse/values.ts';
import type { Path, PathStep } from '../plan/query-plan.ts';
import type { ErrorPath } from './operation.ts';
import { isMeant } from './representations.ts';
import { below } from './stubs.ts';

/** What takes the objects, one by one. */
export type Gathering = {
  /** of this walk */
  readonly stamp: number;
  /** Answers the object that stands at this place from now on: the same one, or an equal one met before. */
  take(object: Composite): Composite;
};

/** Whether a path goes on with an object of this type. Without a type it does: the representation decides. */
const isOnPath = (schema: GraphQLSchema, types: readonly string[], typename: unknown): boolean => {
  if (typeof typename !== 'string' || typename === '') return true;
  const name: unknown = JSON.parse(typename);
  return typeof name === 'string' && types.some((type) => isMeant(schema, type, name));
};

/** Remembers the answers for the schema's types. */
const typeFilter = (schema: GraphQLSchema, types: readonly string[]): ((typename: unknown) => boolean) => {
  const known = new Map<Leaf, boolean>();
  for (const name of Object.keys(schema.getTypeMap()))
    if (isOnPath(schema, types, JSON.stringify(name))) known.set(JSON.stringify(name), true);
  return (typename) => typeof typename !== 'string' || typename === '' || known.has(typename);
};

const objectCheck = (name: string): string => `${name}!==null&&typeof ${name}==='object'`;

let stamps = 0;

/** Each walk has its own, so that an object that stands at several places is passed once. */
export const nextStamp = (): number => {
  stamps = stamps === 0x3fffffff ? 1 : stamps + 1;
  return stamps;
};

/** Walks from an object. Answers what stands in its place from now on where the path ends at once. */
export type Walk = (from: Composite, to: Gathering) => Composite | undefined;

/** Lists in lists are rare, and how many there are is not known before. */
const listWalker = (
  rest: Path,
  schema: GraphQLSchema,
  stubs: ReadonlySet<string>,
  start: string,
): ((list: Value[], to: Gathering) => void) => {
  let walk: Walk | null = null;
  const visit = (list: Value[], to: Gathering): void => {
    walk ??= gatherer(rest, schema, stubs, start);
    for (let at = 0; at < list.length; at++) {
      const item = list[at];
      if (Array.isArray(item)) visit(item, to);
      else if (isComposite(item)) list[at] = walk(item, to) ?? item;
    }
  };
  return visit;
};

const stamp = JSON.stringify(stampKey);

/** A function made for the path: walks from the data and hands every object at its end over. */
export const gatherer = (path: Path, schema: GraphQLSchema, stubs: ReadonlySet<string>, start = ''): Walk => {
  const filters: ((typename: unknown) => boolean)[] = [];
  const lists: ((list: Value[], to: Gathering) => void)[] = [];
  let code = '';
  let closing = '';
  // where the object in question stands, so that it can be replaced
  let place = '';
  // the same in response keys
  let keys = start;
  const once = (object: string): string =>
    stubs.has(keys) ? `if(${object}[${stamp}]!==g.stamp){${object}[${stamp}]=g.stamp;` : '{';
  for (const [at, one] of path.entries()) {
    const here = `v${at}`;
    const next = `v${at + 1}`;
    switch (one.step) {
      case 'key': {
        const then = path[at + 1]?.step === 'each' ? '' : `&&!Array.isArray(${next})`;
        keys = below(keys, one.key);
        code += `const ${next}=${readCode(here, one.key)};if(${objectCheck(next)}${then})${then ? once(next) : '{'}`;
        closing = `}${closing}`;
        place = `${here}[${JSON.stringify(one.key)}]`;
        break;
      }
      case 'each':
        code += `if(Array.isArray(${here}))for(let i${at}=0;i${at}<${here}.length;i${at}++){const ${next}=${here}[i${at}];if(Array.isArray(${next}))L[${lists.length}](${next},g);else if(${objectCheck(next)})${once(next)}`;
        closing = `}}${closing}`;
        lists.push(listWalker(path.slice(at + 1), schema, stubs, keys));
        place = `${here}[i${at}]`;
        break;
      case 'types':
        code += `const ${next}=${here};if(F[${filters.length}](${here}.__typename)){`;
        closing = `}${closing}`;
        filters.push(typeFilter(schema, one.types));
    }
  }
  const end = `v${path.length}`;
  const taken = place ? `const t=g.take(${end});if(t!==${end})${place}=t` : `return g.take(${end})`;
  // Names are in it only as string literals, and all of them went through a GraphQL parser.
  return new Function('F', 'L', `return function(v0,g){${code}${taken}${closing}}`)(filters, lists);
};

/** The same walk, slower, with the places at which the objects stand in the client's answer. */
export const placesOf = (
  path: Path,
  schema: GraphQLSchema,
  data: Composite,
  visit: (object: Composite, place: ErrorPath) => void,
): void => {
  const walk = (value: Value, rest: readonly PathStep[], place: ErrorPath): void => {
    const [one, ...others] = rest;
    if (!one) {
      if (isComposite(value)) visit(value, place);
    } else if (one.step === 'each') {
      if (!Array.isArray(value)) return;
      value.forEach((item, index) => void walk(item, Array.isArray(item) ? rest : others, [...place, index]));
    } else if (!isComposite(value)) {
      return;
    } else if (one.step === 'key') {
      walk(read(value, one.key), others, [...place, one.key]);
    } else if (isOnPath(schema, one.types, value.__typename)) {
      walk(value, others, place);
    }
  };
  walk(data, path, []);
};
