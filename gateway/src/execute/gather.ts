// Finds the objects at the end of a plan's path.
import type { GraphQLSchema } from 'graphql';
import { type Composite, isComposite, type Leaf, read, readCode, type Value } from '../parse/values.ts';
import type { Path, PathStep } from '../plan/query-plan.ts';
import type { ErrorPath } from './operation.ts';
import { isMeant } from './representations.ts';

/** What takes the objects, one by one. */
export type Gathering = {
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

/** A function made for the path: walks from the data and hands every object at its end over. */
export const gatherer = (path: Path, schema: GraphQLSchema): ((data: Composite, to: Gathering) => void) => {
  const filters: ((typename: unknown) => boolean)[] = [];
  let code = '';
  let closing = '';
  let at = 0;
  // where the object in question stands, so that it can be replaced
  let place = '';
  for (const one of path) {
    const here = `v${at}`;
    const next = `v${at + 1}`;
    switch (one.step) {
      case 'key':
        code += `if(!Array.isArray(${here})){const ${next}=${readCode(here, one.key)};if(${objectCheck(next)}){`;
        closing = `}}${closing}`;
        place = `${here}[${JSON.stringify(one.key)}]`;
        at++;
        break;
      case 'each':
        code += `if(Array.isArray(${here}))for(let i${at}=0;i${at}<${here}.length;i${at}++){const ${next}=${here}[i${at}];if(${objectCheck(next)}){`;
        closing = `}}${closing}`;
        place = `${here}[i${at}]`;
        at++;
        break;
      case 'types':
        code += `if(F[${filters.length}](${here}.__typename)){`;
        closing = `}${closing}`;
        filters.push(typeFilter(schema, one.types));
    }
  }
  const end = `v${at}`;
  const taken = place
    ? `if(!Array.isArray(${end})){const t=g.take(${end});if(t!==${end})${place}=t}`
    : `g.take(${end})`;
  // Names are in it only as string literals, and all of them went through a GraphQL parser.
  return new Function('F', `return function(v0,g){${code}${taken}${closing}}`)(filters);
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
      if (Array.isArray(value)) value.forEach((item, index) => void walk(item, others, [...place, index]));
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
