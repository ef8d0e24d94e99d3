// @apollo/query-planner (Elastic License 2.0): for machines on which the Rust planner has no binary, and as the second
// opinion of the tests. It is the only file that knows it, and it is loaded only when it is chosen.
import { createRequire } from 'node:module';
import type * as apollo from '@apollo/query-planner';
import { Kind, parse, print, stripIgnoredCharacters, visit } from 'graphql';
import { planCheck, Unbelievable } from './plan-check.ts';
import { onlyOperation } from './plannable.ts';
import type { Engine } from './planner.ts';
import type {
  Fetch,
  KeyRename,
  Path,
  PlanNode,
  QueryPlan,
  RenameStep,
  Requirement,
  TypeRewrite,
} from './query-plan.ts';

const pathOf = (path: apollo.ResponsePath): Path =>
  path.flatMap((one, at): Path => {
    // lists in lists: one step here
    if (one === '@') return path[at - 1] === '@' ? [] : [{ step: 'each' }];
    // with a type condition: `media|[Book,Movie]`
    const [key, types] = String(one).split('|');
    const named: Path = key ? [{ step: 'key', key }] : [];
    return types ? [...named, { step: 'types', types: types.slice(1, -1).split(',') }] : named;
  });

const requirement = (selection: apollo.QueryPlanSelectionNode): Requirement[] => {
  if (selection.kind === 'InlineFragment') {
    const selections = selection.selections.flatMap(requirement);
    return selection.typeCondition ? [{ kind: 'on', type: selection.typeCondition, selections }] : selections;
  }
  const { name, alias = name, selections } = selection;
  return [
    {
      kind: 'field',
      name: alias,
      as: alias,
      selections: selections?.length ? selections.flatMap(requirement) : null,
    },
  ];
};

const onType = (segment: string): readonly string[] | null =>
  segment.startsWith('... on ') ? [segment.slice('... on '.length)] : null;

const renameStep = (segment: string): RenameStep => {
  const types = onType(segment);
  return types ? { types } : { key: segment };
};

const rewritesOf = (rewrites: readonly apollo.FetchDataRewrite[] | undefined): TypeRewrite[] =>
  (rewrites ?? []).map((one) => {
    const [on, key] = one.path;
    const types = on === undefined ? null : onType(on);
    if (one.kind !== 'ValueSetter' || !types || key !== '__typename' || one.path.length !== 2)
      throw new TypeError('an input rewrite of the planner is not understood');
    return { types, sentAs: String(one.setValueTo) };
  });

const renamesOf = (rewrites: readonly apollo.FetchDataRewrite[] | undefined): KeyRename[] =>
  (rewrites ?? []).map((one) => {
    if (one.kind !== 'KeyRenamer') throw new TypeError('an output rewrite of the planner is not understood');
    return { path: one.path.map(renameStep), to: one.renameKeyTo };
  });

/**
 * The planner sometimes declares variables of which it then has no use, and subgraphs refuse such an operation.
 * @param of the client's variables
 */
const withoutUnused = (
  operation: string,
  of: readonly string[],
): { readonly operation: string; readonly variables: readonly string[] } => {
  const isUsed = (name: string): boolean =>
    (operation.match(new RegExp(`\\$${name}(?!\\w)`, 'g'))?.length ?? 0) > 1;
  const variables = of.filter(isUsed);
  if (variables.length === of.length) return { operation, variables };
  const unused = new Set(of.filter((name) => !isUsed(name)));
  const document = visit(parse(operation, { noLocation: true }), {
    VariableDefinition: ({ variable }) => (unused.has(variable.name.value) ? null : undefined),
  });
  return { operation: stripIgnoredCharacters(print(document)), variables };
};

const fetchOf = (node: apollo.FetchNode): Fetch => ({
  kind: 'fetch',
  subgraph: node.serviceName,
  operationKind: node.operationKind,
  ...withoutUnused(node.operation, node.variableUsages ?? []),
  renames: renamesOf(node.outputRewrites),
});

const nodeOf = (node: apollo.PlanNode, under: Path): PlanNode => {
  switch (node.kind) {
    case 'Fetch':
      if (node.contextRewrites?.length) throw new TypeError('@context is not supported');
      if (!node.requires?.length) return fetchOf(node);
      return {
        kind: 'entities',
        subgraph: node.serviceName,
        ...withoutUnused(
          node.operation,
          (node.variableUsages ?? []).filter((name) => name !== 'representations'),
        ),
        batches: [
          {
            alias: '_entities',
            variable: 'representations',
            paths: [under],
            requires: node.requires.flatMap(requirement),
            rewrites: rewritesOf(node.inputRewrites),
            // written from the entity, below `_entities` and its list
            renames: renamesOf(node.outputRewrites).map(({ path, to }) => ({
              path: path[0]?.key === '_entities' ? path.slice(1) : path,
              to,
            })),
          },
        ],
      };
    case 'Flatten':
      return nodeOf(node.node, [...under, ...pathOf(node.path)]);
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
    case 'Defer':
      throw new TypeError('@defer is not supported');
  }
};

const planOf = ({ node }: apollo.QueryPlan): QueryPlan => {
  if (!node) return { source: null, node: null };
  if (node.kind !== 'Subscription') return { source: null, node: nodeOf(node, []) };
  return { source: fetchOf(node.primary), node: node.rest ? nodeOf(node.rest, []) : null };
};

const load = createRequire(import.meta.url);

/**
 * Plans that are made to choose the cheapest from. Of 10,000, its own default, an operation can take seconds and hundreds
 * of megabytes; with this many none of 150 took more than 60 ms, and two had one call more than they could have.
 */
const usualPlans = 300;

export const openApolloPlanner = (
  supergraphSdl: string,
): { readonly apiSdl: string; readonly engine: Engine } => {
  const internals = load('@apollo/federation-internals') as typeof import('@apollo/federation-internals');
  const { QueryPlanner } = load('@apollo/query-planner') as typeof import('@apollo/query-planner');
  // It refuses what is for security, unless told that somebody sees to it: nothing refused is ever planned.
  const supergraph = internals.Supergraph.build(supergraphSdl, {
    validateSupergraph: false,
    supportedFeatures: null,
  });
  const apiSchema = supergraph.apiSchema();
  const plannerOf = (plans: number) => new QueryPlanner(supergraph, { debug: { maxEvaluatedPlans: plans } });
  const usual = plannerOf(usualPlans);
  let another: typeof usual | null = null;
  const check = planCheck(supergraphSdl);
  return {
    apiSdl: internals.printSchema(apiSchema),
    engine: async (text, operationName, _signal, begun) => {
      begun();
      const { operation, fragments } = onlyOperation(parse(text, { noLocation: true }), operationName);
      const document = { kind: Kind.DOCUMENT as const, definitions: [operation, ...fragments.values()] };
      const asked = internals.operationFromDocument(apiSchema, document);
      const by = (planner: typeof usual): QueryPlan => {
        const plan = planOf(planner.buildQueryPlan(asked));
        check(plan);
        return plan;
      };
      try {
        return by(usual);
      } catch (error) {
        if (!(error instanceof Unbelievable)) throw error;
        // Of several plans it sometimes chooses one that is wrong; the only one that it makes then was right.
        another ??= plannerOf(1);
        return by(another);
      }
    },
  };
};
