// The supergraph in memory, and the one place that touches federation's own libraries: what clients may ask, how it is
// planned, and how a plan is run for the events of a subscription.
import { Supergraph as FederatedSupergraph, operationFromDocument } from '@apollo/federation-internals';
import { executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import { type FetchNode, type PlanNode, QueryPlanner } from '@apollo/query-planner';
import {
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import type { Asking } from './asking.ts';
import { teachScalars } from './scalars.ts';

/** Who delivers the event, and what is asked of the others for each. */
export type SubscriptionPlan = { readonly primary: FetchNode; readonly rest?: PlanNode };

export type Sources = Readonly<Record<string, GraphQLDataSource>>;

export type Supergraph = {
  /** the subgraphs' names */
  readonly names: readonly string[];
  /** what clients may ask */
  readonly schema: GraphQLSchema;
  readonly planSubscription: (document: DocumentNode) => SubscriptionPlan;
  /** Answers one event in the shape of `document`, which holds one operation and its fragments. */
  readonly answerEvent: (
    plan: SubscriptionPlan,
    document: DocumentNode,
    request: {
      readonly variables: Record<string, unknown>;
      readonly asking: Asking;
      readonly sources: Sources;
    },
    event: ExecutionResult,
  ) => Promise<ExecutionResult>;
};

/** The name under which the event is fetched; no subgraph can be called so. */
const eventSource = '(event)';

export const openSupergraph = (sdl: string): Supergraph => {
  const supergraph = FederatedSupergraph.build(sdl, { validateSupergraph: false });
  const apiSchema = supergraph.apiSchema();
  const schema = teachScalars(apiSchema.toGraphQLJSSchema());
  const supergraphSchema = supergraph.schema.toGraphQLJSSchema();
  const planner = new QueryPlanner(supergraph);

  return {
    names: supergraph.subgraphsMetadata().map(({ name }) => name),
    schema,
    planSubscription: (document) => {
      const { node } = planner.buildQueryPlan(operationFromDocument(apiSchema, document));
      if (node?.kind !== 'Subscription') throw new TypeError(`a subscription was planned as ${node?.kind}`);
      return node;
    },
    answerEvent: (plan, document, { variables, asking, sources }, event) => {
      const primary: FetchNode = { ...plan.primary, serviceName: eventSource };
      const node: PlanNode = plan.rest ? { kind: 'Sequence', nodes: [primary, plan.rest] } : primary;
      const operation = document.definitions.find(
        (one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION,
      )!;
      const fragments = Object.fromEntries(
        document.definitions
          .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
          .map((one) => [one.name.value, one]),
      );
      const delivered = { process: async () => event } as GraphQLDataSource;
      return executeQueryPlan(
        { kind: 'QueryPlan', node },
        { ...sources, [eventSource]: delivered },
        { request: { variables }, context: asking, metrics: {} } as unknown as Parameters<
          typeof executeQueryPlan
        >[2],
        { schema, operation, fragments },
        supergraphSchema,
        apiSchema,
      );
    },
  };
};
