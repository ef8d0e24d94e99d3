// What an operation costs: estimated from its text and variables before it runs, counted from the answer afterwards.
// Both are compiled once per operation; an estimate then takes microseconds.
import { RequestError } from '@orderstream/runtime/errors';
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  isAbstractType,
  isCompositeType,
  isListType,
  isObjectType,
  type SelectionSetNode,
} from 'graphql';
import { fragmentsOf, selectionsOn } from '../document/selections.ts';
import { isSkipped, type Variables } from '../document/variables.ts';
import { argumentCost, argumentValue } from './argument-cost.ts';
import type { CostRules, FieldCost } from './cost-rules.ts';
import { figure, type Limits, tooComplex } from './limit.ts';

export type CostSettings = Pick<Limits, 'assumedListSize' | 'listSize' | 'sizeArguments'>;

type Part = {
  readonly name: string;
  readonly nodes: readonly FieldNode[];
  readonly field: GraphQLField<unknown, unknown>;
  readonly rule: FieldCost | null;
  readonly weight: number;
  readonly isList: boolean;
  readonly below: Shape | null;
};

/** @property narrower what is only asked of some of the possible types */
type Shape = {
  readonly parts: readonly Part[];
  readonly narrower: readonly { readonly types: ReadonlySet<string>; readonly shape: Shape }[];
  readonly possible: readonly string[];
};

/**
 * How long a list is.
 * @property of names of the lists below that it is said of; null: of the field itself
 * @property isGuess by an argument's name alone, without a `@listSize`
 */
type Size = { readonly size: number; readonly of: ReadonlySet<string> | null; readonly isGuess: boolean };

export type OperationCost = {
  /**
   * The most that the operation should cost.
   * @param variables coerced, defaults filled in
   * @throws RequestError BAD_USER_INPUT for a list size that is out of bounds, QUERY_TOO_COMPLEX where `@listSize` wants
   *   one of its arguments and has none or several
   */
  readonly estimate: (variables: Variables) => number;
  /** @param data the answer's; what costs are found in it is by presence, so types need not be known */
  readonly count: (data: unknown, variables: Variables) => number;
};

const mutationWeight = 10;

const isList = (field: GraphQLField<unknown, unknown>): boolean => isListType(getNullableType(field.type));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

class Costs {
  readonly schema: GraphQLSchema;
  readonly rules: CostRules;
  readonly settings: CostSettings;

  constructor(schema: GraphQLSchema, rules: CostRules, settings: CostSettings) {
    this.schema = schema;
    this.rules = rules;
    this.settings = settings;
  }

  /** What a field says about lists, its own or those of the fields below that it names. */
  private sizeOf(part: Part, variables: Variables): Size | null {
    const { assumedListSize, listSize, sizeArguments } = this.settings;
    const rule = part.rule?.listSize;
    const paths = rule
      ? rule.slicingArguments
      : part.field.args.filter(({ name }) => sizeArguments.includes(name)).map(({ name }) => [name]);
    if (!rule && paths.length === 0) return null;
    const given = paths
      .map((path) => [path.join('.'), argumentValue(part.field, part.nodes[0]!, path, variables)] as const)
      .filter((one): one is readonly [string, number] => typeof one[1] === 'number');
    for (const [name, size] of given)
      if (size < 0 || size > listSize)
        throw new RequestError(
          'BAD_USER_INPUT',
          `${part.field.name}(${name}:) is ${figure(size)}, of ${figure(listSize)} allowed.`,
          { path: [part.field.name, name] },
        );
    if (rule?.requireOne && paths.length > 0 && given.length !== 1)
      throw tooComplex(
        `${part.field.name} needs exactly one of ${paths.map((path) => path.join('.')).join(', ')}, and has ${given.length}`,
      );
    // A page without a size is as long as pages may be.
    const unknown = rule ? (rule.assumedSize ?? assumedListSize) : listSize;
    // Of none there is one all the same: some take 0 for nothing said, and send what they usually send.
    const size = given.length > 0 ? Math.max(1, ...given.map(([, value]) => value)) : unknown;
    if (rule) return { size, of: rule.sizedFields.size > 0 ? rule.sizedFields : null, isGuess: false };
    return { size, of: part.isList ? null : connection, isGuess: true };
  }

  /** @param sized of a field above, for the lists that it sizes */
  private estimatePart(part: Part, variables: Variables, sized: Size | null): number {
    if (part.nodes.every((node) => isSkipped(node, variables))) return 0;
    const own = this.sizeOf(part, variables);
    let times = 1;
    if (part.isList)
      times =
        own && !own.of
          ? own.size
          : sized?.of?.has(part.field.name)
            ? sized.size
            : this.settings.assumedListSize;
    // A page may be wrapped in something: the search's result has one with its edges, and facets beside it.
    const passed = own?.of ? own : sized?.isGuess && !part.isList ? sized : null;
    let below = part.below ? this.estimateShape(part.below, variables, passed) : 0;
    // Whoever fills a page fills it, were it only to say whether there is a next one.
    if (own?.of && own.isGuess && below < own.size) below = own.size;
    return (
      times * (part.weight + below) +
      argumentCost(this.rules, part.rule, part.field, part.nodes[0]!, variables)
    );
  }

  estimateShape(shape: Shape, variables: Variables, sized: Size | null): number {
    let common = 0;
    for (const part of shape.parts) common += this.estimatePart(part, variables, sized);
    if (shape.narrower.length === 0) return common;
    const each = shape.narrower.map(
      ({ types, shape: narrow }) => [types, this.estimateShape(narrow, variables, sized)] as const,
    );
    // One object is of one type: the dearest of them counts.
    let most = 0;
    for (const type of shape.possible) {
      let sum = 0;
      for (const [types, cost] of each) if (types.has(type)) sum += cost;
      if (sum > most) most = sum;
    }
    return common + most;
  }

  /** The shape's parts that are in an object, each once: a name may stand in several fragments. */
  countObject(shape: Shape, value: Record<string, unknown>, variables: Variables, seen: Set<string>): number {
    let sum = 0;
    for (const part of shape.parts) {
      const inner = Object.hasOwn(value, part.name) ? value[part.name] : undefined;
      if (inner === undefined || seen.has(part.name)) continue;
      seen.add(part.name);
      sum += argumentCost(this.rules, part.rule, part.field, part.nodes[0]!, variables);
      sum += this.countValue(part, inner, variables);
    }
    const type = value.__typename;
    for (const { types, shape: narrow } of shape.narrower)
      if (typeof type !== 'string' || types.has(type))
        sum += this.countObject(narrow, value, variables, seen);
    return sum;
  }

  private countValue(part: Part, value: unknown, variables: Variables): number {
    if (value === null || value === undefined) return 0;
    if (Array.isArray(value)) {
      let sum = 0;
      for (const one of value) sum += this.countValue(part, one, variables);
      return sum;
    }
    const below =
      part.below && isObject(value) ? this.countObject(part.below, value, variables, new Set()) : 0;
    return part.weight + below;
  }

  compile(document: DocumentNode, type: GraphQLCompositeType, set: SelectionSetNode): Shape {
    const fragments = fragmentsOf(document.definitions);
    const shapeOf = (on: GraphQLCompositeType, sets: readonly SelectionSetNode[]): Shape => {
      const { fields, narrower } = selectionsOn(this.schema, fragments, on, sets);
      const parts: Part[] = [];
      for (const [name, nodes] of fields) {
        const field = 'getFields' in on ? on.getFields()[nodes[0]!.name.value] : undefined;
        // `__typename`, `__schema` and `__type` are answered here and cost nothing.
        if (!field) continue;
        const of = getNamedType(field.type);
        const rule = this.rules.fields.get(`${on.name}.${field.name}`) ?? null;
        const weight = rule?.weight ?? this.rules.types.get(of.name) ?? (isCompositeType(of) ? 1 : 0);
        const sets = nodes.flatMap((node) => (node.selectionSet ? [node.selectionSet] : []));
        const below = isCompositeType(of) ? shapeOf(of, sets) : null;
        parts.push({ name, nodes, field, rule, weight, isList: isList(field), below });
      }
      return {
        parts,
        narrower: [...narrower].map(([name, inner]) => {
          const to = this.schema.getType(name) as GraphQLCompositeType;
          return { types: new Set(this.namesOf(to)), shape: shapeOf(to, inner) };
        }),
        possible: narrower.size > 0 ? this.namesOf(on) : [],
      };
    };
    return shapeOf(type, [set]);
  }

  private namesOf(type: GraphQLCompositeType): string[] {
    if (isObjectType(type)) return [type.name];
    return isAbstractType(type) ? this.schema.getPossibleTypes(type).map(({ name }) => name) : [];
  }
}

/** the lists of a Relay connection, which are as long as the page */
const connection: ReadonlySet<string> = new Set(['edges', 'nodes']);

/**
 * @param document valid, and small enough to be walked with its fragments written out
 * @param operationName null where the document has one operation
 */
export const costOf = (
  schema: GraphQLSchema,
  rules: CostRules,
  settings: CostSettings,
  document: DocumentNode,
  operationName: string | null = null,
): OperationCost => {
  const operation = getOperationAST(document, operationName)!;
  const root = schema.getRootType(operation.operation);
  const costs = new Costs(schema, rules, settings);
  // Validation lets an operation pass whose kind the schema has not got at all.
  const shape = root
    ? costs.compile(document, root, operation.selectionSet)
    : { parts: [], narrower: [], possible: [] };
  const base = operation.operation === 'mutation' ? mutationWeight : 0;
  return {
    estimate: (variables) => base + costs.estimateShape(shape, variables, null),
    count: (data, variables) =>
      base + (isObject(data) ? costs.countObject(shape, data, variables, new Set()) : 0),
  };
};

export const mostCost = (isSignedIn: boolean, { cost }: Pick<Limits, 'cost'>): number =>
  isSignedIn ? cost.signedIn : cost.anonymous;

/** @throws RequestError QUERY_TOO_COMPLEX */
export const checkCost = (estimate: number, isSignedIn: boolean, limits: Pick<Limits, 'cost'>): void => {
  const most = mostCost(isSignedIn, limits);
  if (estimate > most) throw tooComplex(`its cost is ${figure(estimate)}, of ${figure(most)} allowed`);
};
