// A supergraph in memory: what clients may ask, what the subgraphs know, where they are, and who plans.
import { buildASTSchema, buildSchema, type GraphQLSchema, isEnumType, Kind, parse, visit } from 'graphql';
import { openApolloPlanner } from './apollo-planner.ts';
import { openHivePlanner } from './hive-planner.ts';
import { type Engine, type Planner, plannerOf } from './planner.ts';

export type Supergraph = {
  readonly sdl: string;
  /** what clients may ask: nothing inaccessible, nothing of federation's own */
  readonly apiSchema: GraphQLSchema;
  /** everything, for the types of what subgraphs answer */
  readonly fullSchema: GraphQLSchema;
  /** by the name that plans use */
  readonly subgraphs: ReadonlyMap<string, { readonly url: string }>;
  readonly planner: Planner;
};

const subgraphsOf = (schema: GraphQLSchema): Map<string, { readonly url: string }> => {
  const graphs = schema.getType('join__Graph');
  if (!isEnumType(graphs)) throw new TypeError('not a supergraph: it names no subgraphs (enum join__Graph)');
  const found = new Map<string, { readonly url: string }>();
  for (const { name, astNode } of graphs.getValues()) {
    const told = new Map(
      astNode?.directives
        ?.find((one) => one.name.value === 'join__graph')
        ?.arguments?.map(({ name: argument, value }) => [
          argument.value,
          value.kind === Kind.STRING ? value.value : undefined,
        ]),
    );
    found.set(told.get('name') ?? name, { url: told.get('url') ?? '' });
  }
  return found;
};

/** The Rust planner tells of introspection as if it were the supergraph's; every schema of graphql-js has its own. */
const withoutIntrospection = (apiSdl: string) =>
  visit(parse(apiSdl, { noLocation: true }), {
    FieldDefinition: ({ name }) => (name.value.startsWith('__') ? null : undefined),
    ObjectTypeDefinition: { leave: ({ name }) => (name.value.startsWith('__') ? null : undefined) },
    EnumTypeDefinition: ({ name }) => (name.value.startsWith('__') ? null : undefined),
  });

/** The Rust planner knows for sure when no subgraph can deliver a field. */
const isCertain = (error: unknown, schema: GraphQLSchema): boolean => {
  const item = error instanceof Error && /No paths found for selection item: (\w+)/.exec(error.message)?.[1];
  return Boolean(item) && schema.getType(item as string) === undefined;
};

/**
 * The Rust planner is young and refuses some operations that can be planned, with entities that are reached over several
 * keys above all. They are rare, so that the other planner, slow and on the main thread, is asked for them.
 */
const withSecondOpinion = (sdl: string, schema: GraphQLSchema): ReturnType<typeof openHivePlanner> => {
  const first = openHivePlanner(sdl);
  let second: Engine | null = null;
  return {
    apiSdl: first.apiSdl,
    engine: async (document, operationName, signal) => {
      try {
        return await first.engine(document, operationName, signal);
      } catch (error) {
        if (signal.aborted || isCertain(error, schema)) throw error;
        try {
          second ??= openApolloPlanner(sdl).engine;
          return await second(document, operationName, signal);
        } catch {
          throw error;
        }
      }
    },
  };
};

/**
 * @param options.planner 'rust' unless said otherwise; 'apollo' where the Rust planner has no binary
 * @param options.planningMs how long one plan may take
 * @throws where the SDL is no supergraph
 */
export const openSupergraph = (
  sdl: string,
  options: { readonly planner?: 'rust' | 'apollo'; readonly planningMs?: number } = {},
): Supergraph => {
  const fullSchema = buildSchema(sdl, { assumeValid: true, assumeValidSDL: true });
  const { apiSdl, engine } =
    options.planner === 'apollo' ? openApolloPlanner(sdl) : withSecondOpinion(sdl, fullSchema);
  return {
    sdl,
    apiSchema: buildASTSchema(withoutIntrospection(apiSdl), { assumeValidSDL: true }),
    fullSchema,
    subgraphs: subgraphsOf(fullSchema),
    planner: plannerOf(engine, options.planningMs ?? 1_000),
  };
};
