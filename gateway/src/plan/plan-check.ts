// Whether a plan may be believed. Planners have been seen to ask a subgraph for a field before what the field is computed
// from (`@requires`) has come: the subgraph then answers all the same, and the answer is wrong. Better no plan than that.
import {
  buildSchema,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';
import { onlyOperation } from './plannable.ts';
import type { EntityBatch, KeyRename, Path, PlanNode, QueryPlan, Requirement } from './query-plan.ts';

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

/** What a field is computed from, by name; a leaf needs nothing more. */
type Wanted = ReadonlyMap<string, Wanted>;

const below = (place: string, key: string): string => `${place}.${key}`;

const placeOf = (path: Path): string =>
  path.reduce((place, one) => (one.step === 'key' ? below(place, one.key) : place), '');

const wantedBy = (set: SelectionSetNode): Wanted => {
  const wanted = new Map<string, Wanted>();
  // What depends on the type may be missing, which is no fault of the plan.
  for (const one of set.selections)
    if (one.kind === Kind.FIELD)
      wanted.set(one.name.value, one.selectionSet ? wantedBy(one.selectionSet) : new Map());
  return wanted;
};

/** Which keys have come at each place, whatever the types. */
class Delivered {
  readonly #keys: Map<string, Set<string>>;

  constructor(before: readonly Delivered[] = []) {
    this.#keys = new Map();
    for (const one of before)
      for (const [place, keys] of one.#keys)
        this.#keys.set(place, new Set([...(this.#keys.get(place) ?? []), ...keys]));
  }

  has(place: string, key: string): boolean {
    return this.#keys.get(place)?.has(key) ?? false;
  }

  keysAt(place: string): Iterable<string> {
    return this.#keys.get(place) ?? [];
  }

  add(place: string, set: SelectionSetNode, fragments: Fragments): void {
    for (const one of set.selections) {
      if (one.kind === Kind.FIELD) {
        const key = (one.alias ?? one.name).value;
        this.#keysAt(place).add(key);
        if (one.selectionSet) this.add(below(place, key), one.selectionSet, fragments);
        continue;
      }
      const inner = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
      if (inner) this.add(place, inner.selectionSet, fragments);
    }
  }

  /** The planner had asked under a name of its own. */
  rename(place: string, { path, to }: KeyRename): void {
    const keys = path.flatMap(({ key }) => key ?? []);
    const parent = keys.slice(0, -1).reduce(below, place);
    const from = below(parent, keys.at(-1) ?? to);
    this.#keysAt(parent).add(to);
    for (const [at, found] of [...this.#keys])
      if (at === from || at.startsWith(`${from}.`))
        this.#keys.set(below(parent, to) + at.slice(from.length), found);
  }

  #keysAt(place: string): Set<string> {
    let keys = this.#keys.get(place);
    if (!keys) {
      keys = new Set();
      this.#keys.set(place, keys);
    }
    return keys;
  }
}

type RequiredField = Extract<Requirement, { readonly kind: 'field' }>;

/** by subgraph, type and field */
type Requires = ReadonlyMap<string, Wanted>;

const fieldOf = (subgraph: string, type: string, field: string): string => `${subgraph} ${type} ${field}`;

const argumentsOf = (
  directive: NonNullable<FragmentDefinitionNode['directives']>[number],
): Map<string, string> =>
  new Map(
    directive.arguments?.flatMap(({ name, value }): [string, string][] =>
      value.kind === Kind.STRING || value.kind === Kind.ENUM ? [[name.value, value.value]] : [],
    ),
  );

const requiresOf = (schema: GraphQLSchema): Requires => {
  const graphs = schema.getType('join__Graph');
  const names = new Map<string, string>();
  for (const { name, astNode } of isEnumType(graphs) ? graphs.getValues() : [])
    for (const one of astNode?.directives ?? [])
      if (one.name.value === 'join__graph') names.set(name, argumentsOf(one).get('name') ?? name);
  const found = new Map<string, Wanted>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const { name, astNode } of Object.values(type.getFields()))
      for (const one of astNode?.directives ?? []) {
        const told = argumentsOf(one);
        const [graph, requires] = [told.get('graph'), told.get('requires')];
        if (one.name.value !== 'join__field' || graph === undefined || requires === undefined) continue;
        const { operation } = onlyOperation(parse(`{${requires}}`, { noLocation: true }), undefined);
        found.set(fieldOf(names.get(graph) ?? graph, type.name, name), wantedBy(operation.selectionSet));
      }
  }
  return found;
};

/** It would ask for what cannot be known yet. */
export class Unbelievable extends Error {}

/** @throws Unbelievable, or GraphQLError where an operation of the plan is no GraphQL: the Rust planner has written such */
export type CheckPlan = (plan: QueryPlan) => void;

export const planCheck = (supergraphSdl: string): CheckPlan => {
  const schema = buildSchema(supergraphSdl, { assumeValid: true, noLocation: true });
  const requires = requiresOf(schema);

  const isOf = (one: string, other: string): boolean => {
    const [abstract, type] = [schema.getType(one), schema.getType(other)];
    return (
      isAbstractType(abstract) &&
      (isObjectType(type) || isInterfaceType(type)) &&
      schema.isSubType(abstract, type)
    );
  };
  const areKin = (one: string, other: string): boolean =>
    one === other || isOf(one, other) || isOf(other, one);

  const fieldsFor = (sent: readonly Requirement[], type: string | null): RequiredField[] =>
    sent.flatMap((one) => {
      if (one.kind === 'field') return [one];
      return type === null || areKin(one.type, type) ? fieldsFor(one.selections, type) : [];
    });

  /** Whether all of it is sent of entities of the type at the place, and has come by then. */
  const isSent = (
    wanted: Wanted,
    sent: readonly Requirement[],
    type: string | null,
    place: string,
    delivered: Delivered,
  ): boolean => {
    const fields = fieldsFor(sent, type);
    return [...wanted].every(([name, inner]) =>
      fields.some((one) => {
        if (one.name !== name && one.as !== name) return false;
        const key = [one.name, one.as].find((each) => delivered.has(place, each));
        if (key === undefined) return false;
        return inner.size === 0 || isSent(inner, one.selections ?? [], null, below(place, key), delivered);
      }),
    );
  };

  const checkEntities = (
    subgraph: string,
    batch: EntityBatch,
    set: SelectionSetNode,
    type: string | null,
    fragments: Fragments,
    delivered: Delivered,
  ): void => {
    for (const one of set.selections) {
      if (one.kind !== Kind.FIELD) {
        const inner = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
        const on = inner?.typeCondition?.name.value ?? type;
        if (inner) checkEntities(subgraph, batch, inner.selectionSet, on, fragments, delivered);
        continue;
      }
      const wanted = type === null ? undefined : requires.get(fieldOf(subgraph, type, one.name.value));
      if (!wanted) continue;
      for (const path of batch.paths)
        if (!isSent(wanted, batch.requires, type, placeOf(path), delivered))
          throw new Unbelievable(
            `a plan asks ${subgraph} for ${type}.${one.name.value} before what it requires`,
          );
    }
  };

  /** A mutation that two calls make is made twice. */
  const checkMutations = (node: PlanNode | null, made: Set<string>): void => {
    if (!node || node.kind === 'entities') return;
    if (node.kind === 'condition') {
      // One of the two is run.
      const branches = [node.yes, node.no].map((branch) => ({ branch, after: new Set(made) }));
      for (const { branch, after } of branches) checkMutations(branch, after);
      for (const { after } of branches) for (const key of after) made.add(key);
    } else if (node.kind !== 'fetch') {
      for (const one of node.nodes) checkMutations(one, made);
    } else if (node.operationKind === 'mutation') {
      const { operation, fragments } = onlyOperation(parse(node.operation, { noLocation: true }), undefined);
      const delivered = new Delivered();
      delivered.add('', operation.selectionSet, fragments);
      for (const key of delivered.keysAt('')) {
        if (made.has(key) && key !== '__typename')
          throw new Unbelievable(`a plan makes the mutation ${key} twice`);
        made.add(key);
      }
    }
  };

  /** Answers what has come after the node. */
  const follow = (node: PlanNode, before: Delivered): Delivered => {
    switch (node.kind) {
      case 'fetch': {
        const { operation, fragments } = onlyOperation(
          parse(node.operation, { noLocation: true }),
          undefined,
        );
        const after = new Delivered([before]);
        after.add('', operation.selectionSet, fragments);
        for (const one of node.renames) after.rename('', one);
        return after;
      }
      case 'entities': {
        const { operation, fragments } = onlyOperation(
          parse(node.operation, { noLocation: true }),
          undefined,
        );
        const after = new Delivered([before]);
        for (const one of operation.selectionSet.selections) {
          if (one.kind !== Kind.FIELD || !one.selectionSet) continue;
          const alias = (one.alias ?? one.name).value;
          for (const batch of node.batches) {
            if (batch.alias !== alias) continue;
            checkEntities(node.subgraph, batch, one.selectionSet, null, fragments, before);
            for (const path of batch.paths) {
              after.add(placeOf(path), one.selectionSet, fragments);
              for (const each of batch.renames) after.rename(placeOf(path), each);
            }
          }
        }
        return after;
      }
      case 'sequence':
        return node.nodes.reduce((delivered, one) => follow(one, delivered), before);
      case 'parallel':
        return new Delivered([before, ...node.nodes.map((one) => follow(one, before))]);
      case 'condition':
        return new Delivered([node.yes, node.no].map((one) => (one ? follow(one, before) : before)));
    }
  };
  return ({ source, node }) => {
    checkMutations(node, new Set());
    const first = source ? follow(source, new Delivered()) : new Delivered();
    if (node) follow(node, first);
  };
};
