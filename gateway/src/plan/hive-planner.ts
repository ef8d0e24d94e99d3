// The planner in Rust (MIT). It is the only file that knows it, and it is loaded only when it is used: not every machine
// has a binary.
import { createRequire } from 'node:module';
import type * as hive from '@graphql-hive/router-query-planner';
import type { Engine } from './planner.ts';
import type {
  EntityBatch,
  Fetch,
  KeyRename,
  Path,
  PlanNode,
  QueryPlan,
  RenameStep,
  Requirement,
  TypeRewrite,
} from './query-plan.ts';

const pathOf = (segments: readonly hive.FlattenNodePathSegment[]): Path =>
  segments.map((one) => {
    if (one === '@') return { step: 'each' };
    return 'Field' in one ? { step: 'key', key: one.Field } : { step: 'types', types: one.TypeCondition };
  });

const requirement = (selection: hive.RequiresSelection): Requirement => {
  switch (selection.kind) {
    case 'Field':
      return {
        kind: 'field',
        name: selection.name,
        as: selection.alias ?? selection.name,
        selections: selection.selections?.length ? selection.selections.map(requirement) : null,
      };
    case 'InlineFragment':
      return {
        kind: 'on',
        type: selection.typeCondition,
        selections: selection.selections.map(requirement),
      };
    case 'FragmentSpread':
      throw new TypeError('a representation with a fragment spread is not understood');
  }
};

const rewritesOf = (rewrites: readonly hive.FetchRewrite[] | null | undefined): TypeRewrite[] =>
  (rewrites ?? []).map((one) => {
    const setter = 'ValueSetter' in one ? one.ValueSetter : 'setValueTo' in one ? one : null;
    const [on, key] = setter?.path ?? [];
    if (!setter || !on || !key || !('TypenameEquals' in on) || !('Key' in key) || key.Key !== '__typename')
      throw new TypeError('an input rewrite of the planner is not understood');
    return { types: on.TypenameEquals, sentAs: setter.setValueTo };
  });

const renameStep = (segment: hive.FetchNodePathSegment): RenameStep =>
  'Key' in segment ? { key: segment.Key } : { types: segment.TypenameEquals };

const renamesOf = (rewrites: readonly hive.FetchRewrite[] | null | undefined): KeyRename[] =>
  (rewrites ?? []).map((one) => {
    if (!('KeyRenamer' in one)) throw new TypeError('an output rewrite of the planner is not understood');
    return { path: one.KeyRenamer.path.map(renameStep), to: one.KeyRenamer.renameKeyTo };
  });

const fetchOf = (node: Omit<hive.FetchNode, 'kind'>): Fetch => ({
  kind: 'fetch',
  subgraph: node.serviceName,
  operationKind: node.operationKind ?? 'query',
  operation: node.operation,
  variables: node.variableUsages ?? [],
  renames: renamesOf(node.outputRewrites),
});

const entitiesOf = (node: hive.FetchNode, path: Path): PlanNode => ({
  kind: 'entities',
  subgraph: node.serviceName,
  operation: node.operation,
  variables: node.variableUsages ?? [],
  batches: [
    {
      alias: '_entities',
      variable: 'representations',
      paths: [path],
      requires: (node.requires ?? []).map(requirement),
      rewrites: rewritesOf(node.inputRewrites),
      renames: renamesOf(node.outputRewrites),
    },
  ],
});

const batchOf = (one: hive.EntityBatchAlias): EntityBatch => ({
  alias: one.alias,
  variable: one.representationsVariableName,
  paths: one.paths.map(pathOf),
  requires: one.requires.map(requirement),
  rewrites: rewritesOf(one.inputRewrites),
  renames: renamesOf(one.outputRewrites),
});

const nodeOf = (node: hive.PlanNode, under: Path): PlanNode => {
  switch (node.kind) {
    case 'Fetch':
      return node.requires?.length ? entitiesOf(node, under) : fetchOf(node);
    case 'Flatten':
      return nodeOf(node.node, [...under, ...pathOf(node.path)]);
    case 'BatchFetch':
      return {
        kind: 'entities',
        subgraph: node.serviceName,
        operation: node.operation,
        variables: node.variableUsages ?? [],
        batches: node.entityBatch.aliases.map(batchOf),
      };
    case 'Sequence':
      return { kind: 'sequence', nodes: node.nodes.map((one) => nodeOf(one, under)) };
    case 'Parallel':
      return { kind: 'parallel', nodes: node.nodes.map((one) => nodeOf(one, under)) };
    case 'Condition':
      return {
        kind: 'condition',
        variable: node.condition,
        yes: node.ifClause ? nodeOf(node.ifClause, under) : null,
        no: node.elseClause ? nodeOf(node.elseClause, under) : null,
      };
    case 'Subscription':
    case 'Defer':
      throw new TypeError(`a ${node.kind} inside a plan is not understood`);
  }
};

const planOf = ({ node }: hive.QueryPlan): QueryPlan => {
  if (!node) return { source: null, node: null };
  if (node.kind === 'Subscription') return { source: fetchOf(node.primary), node: null };
  if (node.kind !== 'Sequence' || node.nodes[0]?.kind !== 'Subscription')
    return { source: null, node: nodeOf(node, []) };
  const [first, ...rest] = node.nodes;
  return {
    source: fetchOf(first.primary),
    node: rest.length ? { kind: 'sequence', nodes: rest.map((one) => nodeOf(one, [])) } : null,
  };
};

const load = createRequire(import.meta.url);

/** `apiSdl`: what clients may ask, in SDL. */
export const openHivePlanner = (
  supergraphSdl: string,
): { readonly apiSdl: string; readonly engine: Engine } => {
  const { QueryPlanner } = load('@graphql-hive/router-query-planner') as typeof hive;
  const planner = new QueryPlanner(supergraphSdl);
  return {
    apiSdl: planner.consumerSchema,
    engine: async (document, operationName, signal, begun) => {
      begun();
      return planOf(await planner.planAsync(document, operationName, new Set(), 0, signal));
    },
  };
};
