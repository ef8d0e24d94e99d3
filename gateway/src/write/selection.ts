// A client's selection on one type, with fragments resolved and variables left open: which fields, in which order, under
// which conditions.
import {
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { keyOf } from '../execute/asked.ts';
import { readCode } from '../parse/values.ts';

/** All of them must hold. */
export type Conditions = readonly { readonly variable: string; readonly isSet: boolean }[];

/** A selection set that counts under conditions. */
export type ConditionalSet = { readonly set: SelectionSetNode; readonly when: Conditions };

export type SelectedField = {
  readonly key: string;
  readonly name: string;
  readonly nodes: { readonly node: FieldNode; readonly when: Conditions }[];
};

/** A field at one place where it may stand. It stands there if none of its earlier places counts. */
export type Place = {
  readonly field: SelectedField;
  readonly when: Conditions;
  readonly unless: Conditions[];
};

/** Fragments in fragments can be written so that they unfold without end; no such document gets a writer of its own. */
const mostNodes = 20_000;

export class TooManyNodes extends Error {}

/** null: never. */
const conditionsOf = (node: SelectionNode, around: Conditions): Conditions | null => {
  const conditions = [...around];
  for (const { name, arguments: given } of node.directives ?? []) {
    if (name.value !== 'skip' && name.value !== 'include') continue;
    const value = given?.find((one) => one.name.value === 'if')?.value;
    const wanted = name.value === 'include';
    if (value?.kind === Kind.BOOLEAN && value.value !== wanted) return null;
    if (value?.kind !== Kind.VARIABLE) continue;
    const variable = value.name.value;
    const before = conditions.find((one) => one.variable === variable);
    if (before && before.isSet !== wanted) return null;
    if (!before) conditions.push({ variable, isSet: wanted });
  }
  return conditions;
};

export class Selections {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  #visited = 0;

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#fragments = fragments;
  }

  /** `holds`: whether a type condition is met. */
  places(sets: readonly ConditionalSet[], holds: (type: string) => boolean): Place[] {
    const fields = new Map<string, SelectedField>();
    const places: Place[] = [];
    const always = new Set<string>();

    const add = ({ set, when: around }: ConditionalSet): void => {
      for (const one of set.selections) {
        if (++this.#visited > mostNodes) throw new TooManyNodes();
        const when = conditionsOf(one, around);
        if (!when) continue;
        if (one.kind === Kind.FIELD) {
          this.#addField(one, when, fields, places);
          continue;
        }
        if (one.kind === Kind.FRAGMENT_SPREAD) {
          if (always.has(one.name.value)) continue;
          if (!when.length) always.add(one.name.value);
        }
        const inner = one.kind === Kind.INLINE_FRAGMENT ? one : this.#fragments.get(one.name.value);
        const on = inner?.typeCondition?.name.value;
        if (inner && (on === undefined || holds(on))) add({ set: inner.selectionSet, when });
      }
    };
    for (const one of sets) add(one);
    return places;
  }

  #addField(node: FieldNode, when: Conditions, fields: Map<string, SelectedField>, places: Place[]): void {
    const key = keyOf(node);
    const before = fields.get(key);
    const field = before ?? { key, name: node.name.value, nodes: [] };
    const unless = field.nodes.map((one) => one.when);
    field.nodes.push({ node, when });
    fields.set(key, field);
    // After a place that always counts there is no other.
    if (unless.every((conditions) => conditions.length > 0)) places.push({ field, when, unless });
  }
}

/** The selection sets below a field, given that it stands in the answer. */
export const setsBelow = ({ nodes }: SelectedField): ConditionalSet[] =>
  nodes.flatMap(({ node, when }) =>
    node.selectionSet ? [{ set: node.selectionSet, when: nodes.length === 1 ? [] : when }] : [],
  );

const allCode = (conditions: Conditions): string =>
  conditions
    .map(({ variable, isSet }) => `${readCode('v', variable)}${isSet ? '===' : '!=='}true`)
    .join('&&') || 'true';

/** JavaScript of when a field stands at this place, over the variables `v`; null for always. */
export const placeCode = ({ when, unless }: Place): string | null => {
  const parts = [...(when.length ? [allCode(when)] : []), ...unless.map((one) => `!(${allCode(one)})`)];
  return parts.length ? parts.join('&&') : null;
};
