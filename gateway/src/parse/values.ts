// How the gateway holds what subgraphs answer. Only objects and lists of objects become JavaScript values; a leaf stays
// the JSON text that the subgraph wrote, as a binary string, from one socket to the other: nothing is unescaped to be
// escaped again, and a number keeps all its digits.
import { isInherited } from '../plan/response-keys.ts';

/** JSON text of a scalar, an enum value, or a list of those. */
export type Leaf = string;

export type Composite = { [key: string]: Value };

/**
 * Marks on objects that stand at several places: which walk passed them last, and their text. No name of GraphQL has
 * this form.
 */
export const stampKey = '$s';
export const textKey = '$t';

/** undefined: nobody delivered it. */
export type Value = Composite | Value[] | Leaf | null | undefined;

/** Stands where a subgraph answered with something of another kind. No JSON text is empty. */
export const invalid: Leaf = '';

export const isComposite = (value: Value): value is Composite =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Safe for every name, also for those that any object has. */
export const read = (object: Composite, key: string): Value =>
  isInherited(key) && !Object.hasOwn(object, key) ? undefined : object[key];

/** JavaScript that reads the key of the object in variable `object`. */
export const readCode = (object: string, key: string): string => {
  const name = JSON.stringify(key);
  return isInherited(key)
    ? `(Object.hasOwn(${object},${name})?${object}[${name}]:undefined)`
    : `${object}[${name}]`;
};
