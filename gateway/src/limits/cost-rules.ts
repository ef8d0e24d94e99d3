// What the schema's owners say that things cost: `@cost` and `@listSize` of the supergraph, read once.
// https://ibm.github.io/graphql-specs/cost-spec.html, with the weights of Apollo's demand control: an object, interface,
// union or input object is 1, a scalar or enum 0, a mutation 10 on top.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
} from 'graphql';
import { applicationsOf, linkedName } from '../document/linked-directives.ts';

/** `@listSize`; paths of arguments may lead into input objects, `input.first`. */
export type ListSize = {
  readonly assumedSize: number | null;
  readonly slicingArguments: readonly (readonly string[])[];
  readonly sizedFields: ReadonlySet<string>;
  readonly requireOne: boolean;
};

export type FieldCost = {
  readonly weight: number | null;
  readonly argumentWeights: ReadonlyMap<string, number>;
  readonly listSize: ListSize | null;
};

export type CostRules = {
  /** by type's name */
  readonly types: ReadonlyMap<string, number>;
  /** by `Type.field`, of objects and interfaces */
  readonly fields: ReadonlyMap<string, FieldCost>;
  /** by `Input.field` */
  readonly inputs: ReadonlyMap<string, number>;
};

const feature = 'https://specs.apollo.dev/cost';

type Names = { readonly cost: string; readonly listSize: string };
type Decorated = { readonly directives?: readonly ConstDirectiveNode[] };

/** The most that any of the subgraphs says. */
const weightOf = (node: Decorated, { cost }: Names): number | null => {
  const weights = applicationsOf(node, cost)
    .map(({ weight }) => Number(weight))
    .filter(Number.isFinite);
  return weights.length > 0 ? Math.max(...weights) : null;
};

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

const listSizeOf = (node: Decorated, { listSize }: Names): ListSize | null => {
  const [first] = applicationsOf(node, listSize);
  if (!first) return null;
  const assumed = Number(first.assumedSize ?? Number.NaN);
  return {
    assumedSize: Number.isFinite(assumed) ? Math.max(assumed, 0) : null,
    slicingArguments: texts(first.slicingArguments).map((path) => path.split('.')),
    sizedFields: new Set(texts(first.sizedFields)),
    requireOne: first.requireOneSlicingArgument !== false,
  };
};

const weighed = (nodes: readonly InputValueDefinitionNode[] = [], names: Names): [string, number][] =>
  nodes.flatMap((node): [string, number][] => {
    const weight = weightOf(node, names);
    return weight === null ? [] : [[node.name.value, weight]];
  });

const fieldCost = (node: FieldDefinitionNode, names: Names): FieldCost | null => {
  const weight = weightOf(node, names);
  const argumentWeights = new Map(weighed(node.arguments, names));
  const listSize = listSizeOf(node, names);
  return weight === null && argumentWeights.size === 0 && listSize === null
    ? null
    : { weight, argumentWeights, listSize };
};

/** @param supergraph the supergraph's SDL, parsed; without the cost feature every thing has its usual weight */
export const readCostRules = (supergraph: DocumentNode): CostRules => {
  const types = new Map<string, number>();
  const fields = new Map<string, FieldCost>();
  const inputs = new Map<string, number>();
  const cost = linkedName(supergraph, feature, 'cost');
  const listSize = linkedName(supergraph, feature, 'listSize');
  if (cost === null || listSize === null) return { types, fields, inputs };
  const names = { cost, listSize };

  for (const node of supergraph.definitions) {
    if (!('name' in node) || !node.name || !('directives' in node)) continue;
    const type = node.name.value;
    const weight = weightOf(node as Decorated, names);
    if (weight !== null) types.set(type, weight);
    if (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION)
      for (const field of node.fields ?? []) {
        const found = fieldCost(field, names);
        if (found) fields.set(`${type}.${field.name.value}`, found);
      }
    if (node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION)
      for (const [name, amount] of weighed(node.fields, names)) inputs.set(`${type}.${name}`, amount);
  }
  return { types, fields, inputs };
};
