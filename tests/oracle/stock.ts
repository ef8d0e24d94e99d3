// The stock executor of @apollo/gateway, and its planner.
import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import { QueryPlanner } from '@apollo/query-planner';
import { type FragmentDefinitionNode, Kind } from 'graphql';
import type { Answer } from './answer.ts';
import { type Asking, askSubgraph, type Contestant, type SubgraphRequest } from './contest.ts';
import { subgraphNames, supergraphSdl } from './schemas.ts';

const source = (name: string): GraphQLDataSource =>
  ({
    process: async ({ request, context }: { request: SubgraphRequest; context: Asking }) => {
      if (context.away === name) throw new Error('away');
      return askSubgraph(name, request, context);
    },
  }) as unknown as GraphQLDataSource;

export const openStock = (): Contestant => {
  const supergraph = Supergraph.build(supergraphSdl, { validateSupergraph: false });
  const apiSchema = supergraph.apiSchema();
  const schema = apiSchema.toGraphQLJSSchema();
  const fullSchema = supergraph.schema.toGraphQLJSSchema();
  const planner = new QueryPlanner(supergraph);
  const sources = Object.fromEntries(subgraphNames.map((name) => [name, source(name)]));
  return {
    name: 'the stock executor',
    answer: async ({ document, variables }, asking) => {
      const operation = document.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION)!;
      const fragments = Object.fromEntries(
        document.definitions
          .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
          .map((one) => [one.name.value, one]),
      );
      const plan = planner.buildQueryPlan(operationFromDocument(apiSchema, document));
      const answer = await executeQueryPlan(
        plan,
        sources,
        { request: { variables }, context: asking, metrics: {} } as unknown as Parameters<
          typeof executeQueryPlan
        >[2],
        { schema, operation, fragments },
        fullSchema,
        apiSchema,
      );
      return JSON.parse(JSON.stringify(answer)) as Answer;
    },
  };
};
