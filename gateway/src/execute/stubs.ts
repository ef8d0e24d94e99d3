// Places where a plan finds nothing but names of entities. A list of reviews may name the same author fifty times; as
// fifty equal objects, all that is known of the author would be put to each, looked through for each by every later
// fetch, and written fifty times. So the first one takes the place of all, where this cannot be told from outside: the
// objects hold nothing but what names the entity, and whatever stands there is asked the same by the client.
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  getNamedType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { ObjectShape } from '../parse/shape.ts';
import type { EntityBatch, Path, PlanNode, QueryPlan } from '../plan/query-plan.ts';
import { keyOf } from './asked.ts';

/** A place as response keys, lists left out. */
export const placeOf = (path: Path): string =>
  path.flatMap((one) => (one.step === 'key' ? [one.key] : [])).join('.');

export const below = (place: string, key: string): string => (place ? `${place}.${key}` : key);

/** The keys that lie on objects at each place. */
type Known = Map<string, Set<string>>;

const learn = (known: Known, place: string, shape: ObjectShape): void => {
  const keys = known.get(place) ?? new Set();
  known.set(place, keys);
  for (const [key, field] of shape.fields) {
    keys.add(key);
    if (field.shape === 'object') learn(known, below(place, key), field);
  }
};

/** Names of the leaves that a representation is made of; null where it has more than leaves. */
const namingKeys = ({ requires }: EntityBatch): Set<string> | null => {
  const keys = new Set(['__typename']);
  for (const one of requires) {
    if (one.kind !== 'on') return null;
    for (const field of one.selections) {
      if (field.kind !== 'field' || field.selections) return null;
      keys.add(field.name).add(field.as);
    }
  }
  return keys;
};

const isStub = (known: Known, path: Path, batch: EntityBatch): boolean => {
  const naming = namingKeys(batch);
  const there = known.get(placeOf(path));
  return naming !== null && there !== undefined && [...there].every((key) => naming.has(key));
};

const fieldsAt = (
  sets: readonly SelectionSetNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  key: string,
): FieldNode[] =>
  sets.flatMap((set) =>
    set.selections.flatMap((one): FieldNode[] => {
      if (one.kind === Kind.FIELD) return keyOf(one) === key ? [one] : [];
      const inner = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
      return inner ? fieldsAt([inner.selectionSet], fragments, key) : [];
    }),
  );

type Client = {
  readonly rootType: GraphQLObjectType;
  readonly selectionSet: SelectionSetNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
};

/** Whether the client asks one thing only at this place: on the way, no type makes a difference. */
const isAskedAlike = ({ rootType, selectionSet, fragments }: Client, path: Path): boolean => {
  let type: unknown = rootType;
  let sets: readonly SelectionSetNode[] = [selectionSet];
  for (const one of path) {
    if (one.step === 'types') return false;
    if (one.step === 'each') continue;
    if (!isObjectType(type)) return false;
    const nodes = fieldsAt(sets, fragments, one.key);
    const [node] = nodes;
    const field = node && type.getFields()[node.name.value];
    if (!field) return false;
    type = getNamedType(field.type);
    sets = nodes.flatMap(({ selectionSet: inner }) => inner ?? []);
  }
  return true;
};

/** The places where equal stubs become one object. `shapeOf`: what a node's call answers. */
export const stubPlaces = (
  { source, node: root }: QueryPlan,
  client: Client,
  shapeOf: (operation: string) => ObjectShape,
): Set<string> => {
  const found = new Set<string>();
  const known: Known = new Map();
  const learnNode = (node: PlanNode): void => {
    if (node.kind === 'fetch') {
      learn(known, '', shapeOf(node.operation));
    } else if (node.kind === 'entities') {
      for (const { alias, paths } of node.batches) {
        const shape = shapeOf(node.operation).fields.get(alias);
        if (shape?.shape === 'object') for (const path of paths) learn(known, placeOf(path), shape);
      }
    }
  };
  const visit = (node: PlanNode | null): void => {
    if (!node) return;
    if (node.kind === 'entities') {
      for (const batch of node.batches)
        for (const path of batch.paths)
          if (
            path.some(({ step }) => step === 'each') &&
            isStub(known, path, batch) &&
            isAskedAlike(client, path)
          )
            found.add(placeOf(path));
    }
    if (node.kind === 'condition') {
      visit(node.yes);
      visit(node.no);
    } else if (node.kind === 'sequence' || node.kind === 'parallel') {
      for (const one of node.nodes) visit(one);
    }
    learnNode(node);
  };
  if (source) learnNode(source);
  visit(root);
  return found;
};
