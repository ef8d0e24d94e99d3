// Variables are measured before they are read: graphql-js would walk and quote whatever it is given.
import { RequestError } from '@orderstream/runtime/errors';
import { GraphQLError, type GraphQLSchema, getVariableValues, type OperationDefinitionNode } from 'graphql';
import { figure, type Limits } from './limit.ts';

const wrong = (message: string): RequestError =>
  new RequestError('BAD_USER_INPUT', message, { path: ['variables'] });

/** Half a character cannot be written in UTF-8, nor NUL into most databases: a subgraph would read other text, or fail. */
export const isText = (value: string): boolean => value.isWellFormed() && !value.includes('\0');

/**
 * @param bytes of the variables as they came; where only the body's length is known, that
 * @throws RequestError BAD_USER_INPUT for variables that are no object, too long, too deep, or no text where they are text
 */
export const checkVariables = (variables: unknown, bytes: number, limits: Limits): void => {
  if (variables === undefined || variables === null) return;
  if (typeof variables !== 'object' || Array.isArray(variables)) throw wrong('Variables are an object.');
  if (bytes > limits.variables)
    throw wrong(`Variables have ${figure(bytes)} bytes, of ${figure(limits.variables)} allowed.`);
  let level: unknown[] = [variables];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.variableDepth)
      throw wrong(`Variables have at least ${depth} levels, of ${figure(limits.variableDepth)} allowed.`);
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value === 'string' && !isText(value)) throw wrong('Variables have text that is none.');
      if (typeof value === 'object' && value !== null)
        for (const part of Object.values(value)) below.push(part);
    }
    level = below;
  }
};

/** characters of what is wrong with a variable: graphql-js quotes the whole of it */
const longestMessage = 500;

/**
 * The variables as the operation wants them, defaults filled in.
 * @throws GraphQLError BAD_USER_INPUT for the first that is wrong. All of them are not told: there may be thousands in
 * one request, and each message would repeat the request.
 */
export const readVariables = (
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Readonly<Record<string, unknown>> | null | undefined,
): Record<string, unknown> => {
  const { coerced, errors } = getVariableValues(schema, variableDefinitions, given ?? {}, { maxErrors: 1 });
  if (coerced) return coerced;
  const { message, nodes } = errors[0]!;
  throw new GraphQLError(message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message, {
    nodes,
    extensions: { code: 'BAD_USER_INPUT', retryable: false, http: { status: 400 } },
  });
};
