// Puts back what the planner had to ask for under another key.

import type { GraphQLSchema } from 'graphql';
import { isComposite, read, type Value } from '../parse/values.ts';
import type { KeyRename, RenameStep } from '../plan/query-plan.ts';
import { isMeant } from './representations.ts';

const isOf = (schema: GraphQLSchema, types: readonly string[], typename: unknown): boolean => {
  if (typeof typename !== 'string' || typename === '') return true;
  const name: unknown = JSON.parse(typename);
  return typeof name === 'string' && types.some((type) => isMeant(schema, type, name));
};

export const rename = (schema: GraphQLSchema, value: Value, { path, to }: KeyRename): void => {
  const walk = (here: Value, steps: readonly RenameStep[]): void => {
    if (Array.isArray(here)) {
      for (const item of here) walk(item, steps);
      return;
    }
    const [one, ...rest] = steps;
    if (!one || !isComposite(here)) return;
    if (one.types) {
      if (isOf(schema, one.types, here.__typename)) walk(here, rest);
      return;
    }
    const found = read(here, one.key);
    if (rest.length) {
      walk(found, rest);
    } else if (found !== undefined) {
      here[to] = found;
      here[one.key] = undefined;
    }
  };
  walk(value, path);
};
