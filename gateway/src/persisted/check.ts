// Which of the operations that were agreed on a new schema would break, before it is served.

import type { Manifest } from '@orderstream/runtime/manifest';
import { type DocumentNode, GraphQLError, type GraphQLSchema, Kind, parse, validate } from 'graphql';

export type Broken = {
  readonly manifest: string;
  readonly id: string;
  readonly name: string | null;
  /** sentences, with the line of the operation's text where it is known */
  readonly problems: readonly string[];
};

const sentence = ({ message, locations }: GraphQLError): string =>
  locations?.[0] ? `${message} (line ${locations[0].line})` : message;

/** Validation lets an operation pass whose kind the schema has not got at all. */
const missingRoots = (schema: GraphQLSchema, { definitions }: DocumentNode): string[] =>
  definitions
    .filter((one) => one.kind === Kind.OPERATION_DEFINITION)
    .filter(({ operation }) => !schema.getRootType(operation))
    .map(({ operation }) => `The schema has no ${operation}s.`);

const problemsOf = (schema: GraphQLSchema, body: string): string[] => {
  try {
    const document = parse(body);
    return [...missingRoots(schema, document), ...validate(schema, document).map(sentence)];
  } catch (error) {
    if (error instanceof GraphQLError) return [sentence(error)];
    throw error;
  }
};

/**
 * @param schema what clients would be able to ask
 * @param manifests by what they are called
 */
export const checkOperations = (schema: GraphQLSchema, manifests: ReadonlyMap<string, Manifest>): Broken[] =>
  [...manifests].flatMap(([manifest, operations]) =>
    [...operations.values()].flatMap(({ id, name, body }) => {
      const problems = problemsOf(schema, body);
      return problems.length > 0 ? [{ manifest, id, name, problems }] : [];
    }),
  );
