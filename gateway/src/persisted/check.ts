// Which of the operations that were agreed on a new schema would break, before it is served.
import type { Manifest } from '@orderstream/runtime/manifest';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoDeprecatedCustomRule,
  parse,
  validate,
} from 'graphql';

export type Problem = {
  readonly message: string;
  /** of the operation's text, from 1 on; null where it is the operation as a whole */
  readonly line: number | null;
  readonly column: number | null;
  /** false: it is answered as before, with what is to go away some day */
  readonly isBreaking: boolean;
};

export type Finding = {
  readonly manifest: string;
  readonly id: string;
  readonly name: string | null;
  readonly isBroken: boolean;
  readonly problems: readonly Problem[];
};

const toProblem = ({ message, locations }: GraphQLError, isBreaking: boolean): Problem => ({
  message,
  line: locations?.[0]?.line ?? null,
  column: locations?.[0]?.column ?? null,
  isBreaking,
});

/** Validation lets an operation pass whose kind the schema has not got at all. */
const missingRoots = (schema: GraphQLSchema, { definitions }: DocumentNode): GraphQLError[] =>
  definitions
    .filter((one) => one.kind === Kind.OPERATION_DEFINITION)
    .filter(({ operation }) => !schema.getRootType(operation))
    .map((node) => new GraphQLError(`The schema has no ${node.operation}s.`, { nodes: node }));

const problemsOf = (schema: GraphQLSchema, body: string): Problem[] => {
  try {
    const document = parse(body);
    const breaking = [...missingRoots(schema, document), ...validate(schema, document)];
    const ageing = validate(schema, document, [NoDeprecatedCustomRule]);
    return [
      ...breaking.map((error) => toProblem(error, true)),
      ...ageing.map((error) => toProblem(error, false)),
    ];
  } catch (error) {
    if (error instanceof GraphQLError) return [toProblem(error, true)];
    throw error;
  }
};

/**
 * @param schema what clients would be able to ask
 * @param manifests by what they are called
 * @returns operations of which there is something to be said
 */
export const checkOperations = (schema: GraphQLSchema, manifests: ReadonlyMap<string, Manifest>): Finding[] =>
  [...manifests].flatMap(([manifest, operations]) =>
    [...operations.values()].flatMap(({ id, name, body }) => {
      const problems = problemsOf(schema, body);
      const isBroken = problems.some(({ isBreaking }) => isBreaking);
      return problems.length > 0 ? [{ manifest, id, name, isBroken, problems }] : [];
    }),
  );
