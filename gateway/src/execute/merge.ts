// Puts what a subgraph delivered to what others have delivered already.
import { type GraphQLSchema, isInterfaceType } from 'graphql';
import { type Composite, isComposite, type Leaf, readCode, type Value } from '../parse/values.ts';

/** Two objects of the answer must never be the same one by chance: each may get other fields later. */
export const copyOf = (value: Value): Value => {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isComposite(value)) return value;
  const copy: Composite = {};
  for (const key of Object.keys(value)) copy[key] = copyOf(value[key]);
  return copy;
};

export class Merging {
  /** JSON texts of the interfaces' names: what an interface object calls itself. */
  readonly #interfaces: ReadonlySet<Leaf>;

  constructor(schema: GraphQLSchema) {
    const types = Object.values(schema.getTypeMap()).filter(isInterfaceType);
    this.#interfaces = new Set(types.map(({ name }) => JSON.stringify(name)));
  }

  /** What stands where both delivered something. A value wins over null, and composites become one. */
  merged(there: Value, here: Value): Value {
    if (here === undefined || here === null) return there === undefined ? here : there;
    if (there === undefined || there === null) return here;
    if (isComposite(there) && isComposite(here)) {
      this.merge(there, here);
      return there;
    }
    if (!Array.isArray(there) || !Array.isArray(here) || there.length !== here.length) return here;
    for (let at = 0; at < there.length; at++) there[at] = this.merged(there[at], here[at]);
    return there;
  }

  /** A subgraph that knows the interface only does not say better what an object is. */
  typename(there: Value, here: Value): Value {
    const isVague = typeof here !== 'string' || this.#interfaces.has(here);
    return isVague && typeof there === 'string' ? there : here;
  }

  /** Both are ordinary objects, and `source` has own keys only that a shape knows. */
  merge(target: Composite, source: Composite): void {
    for (const key of Object.keys(source)) {
      const here = source[key];
      if (here === undefined) continue;
      const there = Object.hasOwn(target, key) ? target[key] : undefined;
      if (there === undefined) target[key] = here;
      else target[key] = key === '__typename' ? this.typename(there, here) : this.merged(there, here);
    }
  }

  /** The same, made for the keys of one shape. */
  merger(keys: Iterable<string>): (target: Composite, source: Composite) => void {
    const steps = [...keys].map((key) => {
      const name = JSON.stringify(key);
      const how = key === '__typename' ? 'typename' : 'merged';
      return `x=${readCode('s', key)};if(x!==undefined){y=${readCode('t', key)};t[${name}]=y===undefined||y===null?x:M.${how}(y,x)}`;
    });
    // Names are in it only as string literals, and all of them went through a GraphQL parser.
    return new Function('M', `return function(t,s){let x,y;${steps.join('')}}`)(this);
  }
}
