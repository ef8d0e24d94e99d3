// The answer to what was left of an operation becomes the answer to the whole of it: null and an error where something
// was refused, and where null may not stand, null for what is around it.
import { RequestError } from '@orderstream/runtime/errors';
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { isSkipped, type Variables } from '../document/variables.ts';
import type { Refusal } from './standing.ts';
import type { Parts, Stripped } from './stripping.ts';

type Path = readonly (string | number)[];

export type Refused = { readonly path: readonly string[]; readonly code: Refusal };

type AnswerError = {
  readonly message: string;
  readonly path?: Path;
  readonly extensions?: Readonly<Record<string, unknown>>;
};

export type Answer = {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly AnswerError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
};

/** What a client is told of a refusal. */
export type Worded = (refusal: RequestError, path: Path) => AnswerError;

export type Completion = (answer: Answer, variables: Variables, worded?: Worded) => Answer;

const plainly: Worded = ({ message, extensions }, path) => ({ message, path, extensions });

/** Errors with places in lists; a field that is refused ten thousand times is told once more, without a place. */
const mostPlaces = 100;

const nameOf = (node: FieldNode): string => (node.alias ?? node.name).value;

/** Where the refused fields would have stood. */
export const refusedPaths = (
  { operation, fragments }: Parts,
  refused: ReadonlySet<FieldNode>,
  code: Refusal,
): Refused[] => {
  const found = new Map<string, Refused>();
  const walk = (set: SelectionSetNode, path: readonly string[]): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.INLINE_FRAGMENT) walk(node.selectionSet, path);
      else if (node.kind === Kind.FRAGMENT_SPREAD) walk(fragments.get(node.name.value)!.selectionSet, path);
      else if (refused.has(node)) {
        const whole = [...path, nameOf(node)];
        found.set(whole.join('.'), { path: whole, code });
      } else if (node.selectionSet) walk(node.selectionSet, [...path, nameOf(node)]);
    }
  };
  walk(operation.selectionSet, []);
  return [...found.values()];
};

/** Null that may not stand where it is. Never shown: whoever holds the nearest nullable place replaces it. */
const bubbling = Symbol('bubbling');

type Values = Readonly<Record<string, unknown>>;

class Completing {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly stripped: Stripped;
  readonly code: Refusal;
  readonly variables: Variables;
  readonly worded: Worded;
  readonly errors: AnswerError[] = [];
  readonly told = new Set<string>();

  constructor(
    schema: GraphQLSchema,
    parts: Parts,
    stripped: Stripped,
    code: Refusal,
    variables: Variables,
    worded: Worded,
  ) {
    this.schema = schema;
    this.fragments = parts.fragments;
    this.stripped = stripped;
    this.code = code;
    this.variables = variables;
    this.worded = worded;
  }

  private tell(path: Path): void {
    const isPlaced = this.errors.length < mostPlaces;
    const shown = isPlaced ? path : path.filter((step) => typeof step === 'string');
    const text = shown.join('.');
    if (this.told.has(text)) return;
    this.told.add(text);
    this.errors.push(this.worded(new RequestError(this.code), shown));
  }

  /** The fields of an object of this type, by response name, in the order they were asked for. */
  private collect(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): Map<string, FieldNode[]> {
    const collected = new Map<string, FieldNode[]>();
    const within = (condition: string | undefined, set: SelectionSetNode): void => {
      const on = condition === undefined ? type : this.schema.getType(condition);
      if (on === type || (isAbstractType(on) && this.schema.isSubType(on, type))) take(set);
    };
    const take = (set: SelectionSetNode): void => {
      for (const node of set.selections) {
        if (isSkipped(node, this.variables)) continue;
        if (node.kind === Kind.INLINE_FRAGMENT) within(node.typeCondition?.name.value, node.selectionSet);
        else if (node.kind === Kind.FRAGMENT_SPREAD) {
          const { typeCondition, selectionSet } = this.fragments.get(node.name.value)!;
          within(typeCondition.name.value, selectionSet);
        } else {
          const present = collected.get(nameOf(node));
          if (present) present.push(node);
          else collected.set(nameOf(node), [node]);
        }
      }
    };
    for (const set of sets) take(set);
    return collected;
  }

  object(
    asked: GraphQLCompositeType,
    sets: readonly SelectionSetNode[],
    value: Values,
    path: Path,
  ): Values | typeof bubbling {
    const { refused, touched, typeName } = this.stripped;
    if (!sets.some((set) => touched.has(set))) return value;
    const told = value[typeName];
    const type = isAbstractType(asked) && typeof told === 'string' ? this.schema.getType(told) : asked;
    // A type that clients do not know: what there is of it is what was planned, and stays.
    if (!isObjectType(type)) return value;
    const whole: Record<string, unknown> = Object.create(null);
    let isLost = false;
    for (const [name, nodes] of this.collect(type, sets)) {
      const field = type.getFields()[nodes[0]!.name.value];
      const inner = nodes.every((node) => refused.has(node))
        ? this.refusedField(field?.type, [...path, name])
        : this.keptField(field?.type, nodes, Object.hasOwn(value, name) ? value[name] : undefined, [
            ...path,
            name,
          ]);
      if (inner === bubbling) isLost = true;
      else if (inner !== undefined) whole[name] = inner;
    }
    return isLost ? bubbling : whole;
  }

  private refusedField(type: GraphQLOutputType | undefined, path: Path): null | typeof bubbling {
    this.tell(path);
    return isNonNullType(type) ? bubbling : null;
  }

  private keptField(
    type: GraphQLOutputType | undefined,
    nodes: readonly FieldNode[],
    value: unknown,
    path: Path,
  ): unknown {
    const sets = nodes.flatMap((node) => (node.selectionSet ? [node.selectionSet] : []));
    return type && sets.length > 0 ? this.value(type, sets, value, path) : value;
  }

  private value(
    type: GraphQLOutputType,
    sets: readonly SelectionSetNode[],
    value: unknown,
    path: Path,
  ): unknown {
    if (value === null || value === undefined || typeof value !== 'object') return value;
    const nullable = getNullableType(type);
    const inner = isListType(nullable)
      ? this.list(nullable.ofType, sets, value, path)
      : this.object(getNamedType(nullable) as GraphQLCompositeType, sets, value as Values, path);
    if (inner !== bubbling) return inner;
    return isNonNullType(type) ? bubbling : null;
  }

  private list(
    type: GraphQLOutputType,
    sets: readonly SelectionSetNode[],
    values: object,
    path: Path,
  ): unknown[] | typeof bubbling {
    if (!Array.isArray(values)) return [];
    const whole = values.map((value, index) => this.value(type, sets, value, [...path, index]));
    return whole.includes(bubbling) ? bubbling : whole;
  }
}

export const completionOf =
  (schema: GraphQLSchema, parts: Parts, stripped: Stripped, code: Refusal): Completion =>
  (answer, variables, worded = plainly) => {
    if (!answer.data) return answer;
    const completing = new Completing(schema, parts, stripped, code, variables, worded);
    const { selectionSet, operation } = parts.operation;
    const data = completing.object(schema.getRootType(operation)!, [selectionSet], answer.data, []);
    const errors = [...(answer.errors ?? []), ...completing.errors];
    return {
      ...answer,
      ...(errors.length > 0 && { errors }),
      data: data === bubbling ? null : data,
    };
  };
