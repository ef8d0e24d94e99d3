// The small port behind which operations run. Today graphql-js; a compiled executor fits here without another change.
import { type DocumentNode, execute, type GraphQLError, type GraphQLSchema } from 'graphql';

export type Done = (
  answer: { text: string } | { errors: readonly GraphQLError[]; beforeExecution: true },
) => void;

export type Operation = {
  /** Calls `done` once: with the answer as JSON text, or with the errors of variables, when nothing has run. */
  readonly run: (
    variables: Record<string, unknown> | undefined,
    context: unknown,
    done: Done,
  ) => Promise<void>;
};

export type Compile = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
  toJson: (error: GraphQLError, context: unknown) => unknown,
) => Operation;

export const compile: Compile = (schema, document, operationName, toJson) => ({
  run: async (variables, contextValue, done) => {
    const result = await execute({
      schema,
      document,
      contextValue,
      variableValues: variables,
      operationName,
    });
    if (result.errors && result.data === undefined)
      return done({ errors: result.errors, beforeExecution: true });
    const errors = result.errors?.map((error) => toJson(error, contextValue));
    done({ text: JSON.stringify(errors ? { errors, data: result.data } : { data: result.data }) });
  },
});
