// A supergraph in memory: what clients may ask, what the subgraphs know, where they are, and who plans.
import {
  buildASTSchema,
  buildSchema,
  type DocumentNode,
  type GraphQLSchema,
  isEnumType,
  Kind,
  type NamedTypeNode,
  parse,
  visit,
} from 'graphql';
import { openApolloPlanner } from './apollo-planner.ts';
import { openHivePlanner } from './hive-planner.ts';
import { withInaccessibleByName } from './inaccessible.ts';
import { type Engine, type Planner, plannerOf } from './planner.ts';
import { PlannerChild } from './planner-child.ts';

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

/** Introspection, which every schema of graphql-js has of its own, and what the supergraph is put together with. */
const isMachinery = (name: string): boolean => name.startsWith('__') || name.startsWith('join__');

/**
 * The Rust planner tells of machinery as if it were for clients, and of types that are inaccessible wherever others name
 * them as interfaces, members or roots.
 */
const readable = (apiSdl: string): DocumentNode => {
  const { definitions, ...document } = parse(apiSdl, { noLocation: true });
  const kept = definitions.filter((one) => !('name' in one && one.name && isMachinery(one.name.value)));
  const there = new Set(kept.flatMap((one) => ('name' in one && one.name ? [one.name.value] : [])));
  const isThere = ({ name }: NamedTypeNode): boolean => there.has(name.value);
  const withThere = <Node extends { readonly interfaces?: readonly NamedTypeNode[] }>(node: Node): Node => ({
    ...node,
    interfaces: node.interfaces?.filter(isThere),
  });
  return visit(
    { ...document, definitions: kept },
    {
      SchemaDefinition: (node) => ({
        ...node,
        operationTypes: node.operationTypes.filter(({ type }) => isThere(type)),
      }),
      FieldDefinition: ({ name }) => (isMachinery(name.value) ? null : undefined),
      ObjectTypeDefinition: { leave: withThere },
      InterfaceTypeDefinition: { leave: withThere },
      UnionTypeDefinition: (node) => ({ ...node, types: node.types?.filter(isThere) }),
    },
  );
};

type Opened = {
  readonly apiSdl: string;
  readonly engine: Engine;
  readonly ready: () => Promise<void>;
  readonly close: () => void;
};

const openApollo = (sdl: string): Opened => ({
  ...openApolloPlanner(sdl),
  ready: async () => undefined,
  close: () => undefined,
});

/** In a process of its own. Where the machine has no binary for it, the other planner in this one. */
const openRust = (given: string): Opened => {
  const sdl = withInaccessibleByName(given);
  let apiSdl: string;
  try {
    apiSdl = openHivePlanner(sdl).apiSdl;
  } catch (error) {
    if (error instanceof Error && /native binding/.test(error.message)) return openApollo(sdl);
    throw error;
  }
  const child = new PlannerChild(sdl);
  return { apiSdl, engine: child.engine, ready: child.ready, close: () => child.close() };
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
  const { apiSdl, engine, ready, close } = options.planner === 'apollo' ? openApollo(sdl) : openRust(sdl);
  return {
    sdl,
    apiSchema: buildASTSchema(readable(apiSdl), { assumeValidSDL: true }),
    fullSchema,
    subgraphs: subgraphsOf(fullSchema),
    planner: plannerOf(engine, options.planningMs ?? 1_000, { ready, close }),
  };
};
