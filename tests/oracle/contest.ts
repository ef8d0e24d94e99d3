// One query, asked of everybody who can answer it.
import { type DocumentNode, execute, type GraphQLSchema, parse, validate } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import type { Answer } from './answer.ts';
import { monolith, subgraphs } from './schemas.ts';
import type { World } from './world.ts';

export type Asking = {
  readonly world: World;
  /** the subgraph that is away; null for none */
  readonly away: string | null;
  /** numbers that say who answers late */
  readonly late: () => boolean;
};

export type Query = {
  readonly document: DocumentNode;
  readonly text: string;
  readonly variables: Readonly<Record<string, unknown>>;
};

export type Contestant = {
  readonly name: string;
  readonly close?: () => void;
  readonly answer: (query: Query, asking: Asking) => Promise<Answer>;
};

/** Through JSON and back, as everything that a client sees. */
const asSent = (answer: unknown): Answer => JSON.parse(JSON.stringify(answer)) as Answer;

export const truth: Contestant = {
  name: 'the monolith',
  answer: async ({ document, variables }, { world }) =>
    asSent(await execute({ schema: monolith, document, variableValues: variables, contextValue: world })),
};

const known = new Map<string, DocumentNode>();

/** Parsed and found valid, once. */
const documentOf = (schema: GraphQLSchema, name: string, text: string): DocumentNode => {
  const key = `${name} ${text}`;
  const found = known.get(key);
  if (found) return found;
  const document = parse(text);
  const errors = validate(schema, document);
  if (errors.length > 0)
    throw new Error(`${name} was asked what it does not know: ${errors[0]!.message}\n${text}`);
  if (known.size === 5_000) known.clear();
  known.set(key, document);
  return document;
};

export type SubgraphRequest = {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
};

/** What a subgraph answers. @throws Error where it was asked wrongly */
export const askSubgraph = async (
  name: string,
  { query, variables, operationName }: SubgraphRequest,
  { world, late }: Asking,
): Promise<Answer> => {
  const schema = subgraphs.get(name);
  if (!schema) throw new Error(`there is no subgraph ${name}`);
  const document = documentOf(schema, name, query);
  if (late()) await new Promise((soon) => setImmediate(soon));
  return asSent(
    await execute({ schema, document, variableValues: variables, operationName, contextValue: world }),
  );
};

/** As a gateway does before it runs anything: null where the variables do not fit. */
export const coerced = (
  schema: GraphQLSchema,
  { document, variables }: Query,
): Record<string, unknown> | null => {
  const operation = document.definitions.find((one) => one.kind === 'OperationDefinition')!;
  const { coerced: values } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  return values ?? null;
};
