// Puts what a subgraph delivered to what others have delivered already.
import { type Composite, isComposite, type Value } from '../parse/values.ts';

/** Two objects of the answer must never be the same one by chance: each may get other fields later. */
export const copyOf = (value: Value): Value => {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isComposite(value)) return value;
  const copy: Composite = {};
  for (const key of Object.keys(value)) copy[key] = copyOf(value[key]);
  return copy;
};

/** What stands where both delivered something. A value wins over null, and composites become one. */
export const merged = (there: Value, here: Value): Value => {
  if (here === undefined || here === null) return there === undefined ? here : there;
  if (there === undefined || there === null) return here;
  if (isComposite(there) && isComposite(here)) {
    merge(there, here);
    return there;
  }
  if (!Array.isArray(there) || !Array.isArray(here) || there.length !== here.length) return here;
  for (let at = 0; at < there.length; at++) there[at] = merged(there[at], here[at]);
  return there;
};

/** Both are ordinary objects, and `source` has own keys only that a shape knows. */
export const merge = (target: Composite, source: Composite): void => {
  for (const key of Object.keys(source)) {
    const there = Object.hasOwn(target, key) ? target[key] : undefined;
    target[key] = there === undefined ? source[key] : merged(there, source[key]);
  }
};
