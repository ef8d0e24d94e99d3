// Arguments cost too: an input object is 1, and what `@cost` says of arguments and of fields of inputs counts for each
// time that they are given.
import {
  type FieldNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  getNullableType,
  isInputObjectType,
  isListType,
  valueFromAST,
} from 'graphql';
import type { Variables } from '../document/variables.ts';
import type { CostRules, FieldCost } from './cost-rules.ts';

const read = (argument: GraphQLArgument, node: FieldNode, variables: Variables): unknown => {
  const given = node.arguments?.find(({ name }) => name.value === argument.name);
  const value = given && valueFromAST(given.value, argument.type, variables);
  return value === undefined ? argument.defaultValue : value;
};

/** @param path an argument's name, and the fields of its input object */
export const argumentValue = (
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  path: readonly string[],
  variables: Variables,
): unknown => {
  const argument = field.args.find(({ name }) => name === path[0]);
  if (!argument) return undefined;
  let value = read(argument, node, variables);
  for (const name of path.slice(1)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
};

const valueCost = (
  rules: CostRules,
  type: GraphQLInputType,
  value: unknown,
  weight: number | undefined,
): number => {
  if (value === null || value === undefined) return 0;
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    const of = nullable.ofType as GraphQLInputType;
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    let sum = 0;
    for (const one of values) sum += valueCost(rules, of, one, weight);
    return sum;
  }
  const own = weight ?? rules.types.get(nullable.name);
  if (!isInputObjectType(nullable) || typeof value !== 'object') return own ?? 0;
  let sum = own ?? 1;
  for (const field of Object.values(nullable.getFields()))
    if (Object.hasOwn(value, field.name))
      sum += valueCost(
        rules,
        field.type,
        (value as Record<string, unknown>)[field.name],
        rules.inputs.get(`${nullable.name}.${field.name}`),
      );
  return sum;
};

export const argumentCost = (
  rules: CostRules,
  rule: FieldCost | null,
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  variables: Variables,
): number => {
  let sum = 0;
  for (const argument of field.args)
    sum += valueCost(
      rules,
      argument.type,
      read(argument, node, variables),
      rule?.argumentWeights.get(argument.name),
    );
  return sum;
};
