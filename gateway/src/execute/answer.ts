// Writes the client's answer out of what the subgraphs delivered, value by value. It is the one place that knows the
// whole truth: nulls that climb, values that no client may see, types that nobody told, and an error for each. The
// writers made for one operation write what has nothing wrong with it and leave all else to this one.
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { isPromised, itemsOf } from '../parse/leaf.ts';
import { type LeafShape, leafShape } from '../parse/shape.ts';
import { type Composite, invalid, isComposite, read, type Value } from '../parse/values.ts';
import { keyOf } from './asked.ts';
import type { ErrorPath, FieldError, Variables } from './operation.ts';

/** What a selection is written of; an interface stands for objects that do not say their type. */
type Writable = GraphQLObjectType | GraphQLInterfaceType;

export type AnswerPlan = {
  readonly apiSchema: GraphQLSchema;
  readonly rootType: GraphQLObjectType;
  readonly selectionSet: SelectionSetNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** our response key -> the client's, where they differ */
  readonly names: ReadonlyMap<string, string>;
  /** where one object stands at several places: it is written once */
  readonly stubs: ReadonlySet<string>;
};

const isIncluded = (node: SelectionNode, variables: Variables): boolean =>
  (node.directives ?? []).every(({ name, arguments: given }) => {
    if (name.value !== 'skip' && name.value !== 'include') return true;
    const value = given?.find((one) => one.name.value === 'if')?.value;
    const isSet =
      value?.kind === Kind.VARIABLE
        ? Object.hasOwn(variables, value.name.value) && variables[value.name.value] === true
        : value?.kind === Kind.BOOLEAN && value.value;
    return isSet === (name.value === 'include');
  });

/** Whether a condition on type `on` holds for objects of `type`. */
export const holds = (schema: GraphQLSchema, on: string, type: Writable): boolean => {
  if (on === type.name) return true;
  const condition = schema.getType(on);
  return isAbstractType(condition) && schema.isSubType(condition, type);
};

const leafShapes = new WeakMap<GraphQLOutputType, LeafShape>();

export class Answer {
  readonly #plan: AnswerPlan;
  readonly #variables: Variables;
  readonly #introspection: ReadonlyMap<string, string>;
  /** what was reported by subgraphs, and what is found on the way */
  readonly errors: FieldError[];
  readonly #path: (string | number)[] = [];
  /** every place at or below which an error is told already */
  readonly #explained = new Set<string>();

  constructor(
    plan: AnswerPlan,
    variables: Variables,
    introspection: ReadonlyMap<string, string>,
    errors: readonly FieldError[],
  ) {
    this.#plan = plan;
    this.#variables = variables;
    this.#introspection = introspection;
    this.errors = [...errors];
    for (const { path } of errors) this.#explain(path ?? []);
  }

  /** JSON text of the whole data; null where a null climbed to the top. */
  write(data: Composite): string {
    const { rootType, selectionSet } = this.#plan;
    return this.#object(rootType, this.#collect(rootType, [selectionSet]), data, true) ?? 'null';
  }

  #explain(path: ErrorPath): void {
    for (let length = 0; length <= path.length; length++)
      this.#explained.add(JSON.stringify(path.slice(0, length)));
  }

  #report(message: string): null {
    const path = [...this.#path];
    this.errors.push({
      message,
      path,
      extensions: { code: 'INTERNAL', retryable: false },
      subgraph: null,
      failure: null,
    });
    this.#explain(path);
    return null;
  }

  #collect(type: Writable, sets: readonly SelectionSetNode[]): Map<string, FieldNode[]> {
    const fields = new Map<string, FieldNode[]>();
    const visited = new Set<string>();
    const add = (set: SelectionSetNode): void => {
      for (const one of set.selections) {
        if (!isIncluded(one, this.#variables)) continue;
        if (one.kind === Kind.FIELD) {
          const nodes = fields.get(keyOf(one));
          if (nodes) nodes.push(one);
          else fields.set(keyOf(one), [one]);
          continue;
        }
        if (one.kind === Kind.FRAGMENT_SPREAD) {
          if (visited.has(one.name.value)) continue;
          visited.add(one.name.value);
        }
        const inner = one.kind === Kind.INLINE_FRAGMENT ? one : this.#plan.fragments.get(one.name.value);
        const on = inner?.typeCondition?.name.value;
        if (inner && (on === undefined || holds(this.#plan.apiSchema, on, type))) add(inner.selectionSet);
      }
    };
    for (const set of sets) add(set);
    return fields;
  }

  /** null: one of its fields is null and may not be. */
  #object(
    type: Writable,
    fields: ReadonlyMap<string, readonly FieldNode[]>,
    value: Composite,
    isRoot = false,
  ): string | null {
    let text = '';
    for (const [key, nodes] of fields) {
      const name = nodes[0]!.name.value;
      this.#path.push(key);
      const written = this.#field(type, key, name, nodes, value, isRoot);
      this.#path.pop();
      if (written === null) return null;
      text += `${text ? ',' : ''}${JSON.stringify(this.#plan.names.get(key) ?? key)}:${written}`;
    }
    return `{${text}}`;
  }

  /** null: the field is null and may not be. */
  #field(
    type: Writable,
    key: string,
    name: string,
    nodes: readonly FieldNode[],
    object: Composite,
    isRoot: boolean,
  ): string | null {
    if (name === '__typename') return this.#typename(type);
    if (isRoot && (name === '__schema' || name === '__type')) return this.#introspection.get(key) ?? 'null';
    const field = type.getFields()[name];
    if (!field) return 'null';
    const value = read(object, key);
    const written = this.#value(field.type, nodes, value);
    if (written !== null || !isNonNullType(field.type)) return written ?? 'null';
    // The null takes the object with it; one error in there says why.
    if (!this.#explained.has(JSON.stringify(this.#path.slice(0, -1))))
      this.#report(`Cannot return null for non-nullable field ${type.name}.${name}.`);
    return null;
  }

  /** null: only the interface is known, because who knows the type was not asked or gave no answer. */
  #typename(type: Writable): string | null {
    if (isObjectType(type)) return JSON.stringify(type.name);
    if (!this.#explained.has(JSON.stringify(this.#path.slice(0, -1))))
      this.#report(`No subgraph has told which ${type.name} this is.`);
    return null;
  }

  #value(type: GraphQLOutputType, nodes: readonly FieldNode[], value: Value): string | null {
    const nullable = isNonNullType(type) ? type.ofType : type;
    if (value === null || value === undefined) return null;
    if (value === invalid) return this.#report('A subgraph answered with something of another kind.');
    if (isListType(nullable)) return this.#list(nullable.ofType as GraphQLOutputType, nodes, value);
    if (isLeafType(nullable)) return this.#leaf(nullable, value);
    if (!isComposite(value)) return this.#report('A subgraph answered with something of another kind.');
    const actual = isObjectType(nullable)
      ? nullable
      : this.#actualType(nullable as GraphQLInterfaceType, value);
    if (!actual) return null;
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    return this.#object(actual, this.#collect(actual, sets), value);
  }

  #list(item: GraphQLOutputType, nodes: readonly FieldNode[], value: Value): string | null {
    const isLeafText = typeof value === 'string' && value.charCodeAt(0) === 91;
    if (!Array.isArray(value) && !isLeafText)
      return this.#report('A subgraph answered with something of another kind.');
    const items = isLeafText ? itemsOf(value as string) : (value as Value[]);
    let text = '';
    for (let index = 0; index < items.length; index++) {
      this.#path.push(index);
      const told = items[index];
      const written = this.#value(item, nodes, isLeafText && told === 'null' ? null : told);
      const isLost = written === null && isNonNullType(item);
      if (isLost && !this.#explained.has(JSON.stringify(this.#path.slice(0, -1))))
        this.#report('Cannot return null for a non-nullable item of a list.');
      this.#path.pop();
      if (isLost) return null;
      text += `${index ? ',' : ''}${written ?? 'null'}`;
    }
    return `[${text}]`;
  }

  #leaf(type: GraphQLOutputType, value: Value): string | null {
    let shape = leafShapes.get(type);
    if (!shape) {
      shape = leafShape(type, this.#plan.apiSchema);
      leafShapes.set(type, shape);
    }
    if (typeof value !== 'string') return this.#report('A subgraph answered with something of another kind.');
    if (isPromised(value, shape))
      return shape.kind === 'id' && value.charCodeAt(0) !== 34 ? `"${value}"` : value;
    // A value of an enum that clients may not see is none.
    if (shape.kind === 'enum' && value.charCodeAt(0) === 34) return null;
    return this.#report(`A subgraph answered with something that is no ${String(type)}.`);
  }

  /** null: of a type that clients may not see. */
  #actualType(type: GraphQLInterfaceType, value: Composite): Writable | null {
    const told = read(value, '__typename');
    const name: unknown = typeof told === 'string' && told ? JSON.parse(told) : undefined;
    const schema = this.#plan.apiSchema;
    const actual = typeof name === 'string' ? schema.getType(name) : undefined;
    if (isObjectType(actual)) return schema.isSubType(type, actual) ? actual : null;
    // Interface objects do not know what they are: what the interface has can be told of them.
    return isInterfaceType(type) && (name === undefined || isInterfaceType(actual)) ? type : null;
  }
}
