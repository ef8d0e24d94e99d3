// The size of a document, taken from the parsed text alone, ahead of validation, whose own rules take quadratic time on
// the documents that are refused here. Counting stops at the limit, so a value is told as "more than".
import {
  type DocumentNode,
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { rootNames } from '../document/root-names.ts';
import { type Fragments, fragmentsOf } from '../document/selections.ts';
import { figure, type Limits, tooComplex } from './limit.ts';

/** The answer's shape: fields under one response name come together, as they do in validation. */
type Place = { count: number; readonly below: Map<string, Place> };

const newPlace = (): Place => ({ count: 0, below: new Map() });

const over = (what: string, limit: number, value: number): Error =>
  tooComplex(`${what} ${figure(value)}, of ${figure(limit)} allowed`);

class Measure {
  readonly limits: Limits;
  readonly fragments: Fragments;
  readonly seen = new Set<string>();
  selections = 0;
  aliases = 0;

  constructor(limits: Limits, fragments: Fragments) {
    this.limits = limits;
    this.fragments = fragments;
  }

  private addSelection(): void {
    this.selections += 1;
    if (this.selections > this.limits.selections)
      throw over('fields and fragments written out are at least', this.limits.selections, this.selections);
  }

  private field(field: FieldNode, place: Place, depth: number): Place {
    const { limits } = this;
    this.addSelection();
    if (field.alias) this.aliases += 1;
    if (this.aliases > limits.aliases) throw over('aliases are at least', limits.aliases, this.aliases);
    if (depth > limits.depth) throw over('its levels are at least', limits.depth, depth);
    const name = (field.alias ?? field.name).value;
    const next = place.below.get(name) ?? newPlace();
    place.below.set(name, next);
    next.count += 1;
    if (next.count > limits.repeats) throw over(`'${name}' repeats at least`, limits.repeats, next.count);
    return next;
  }

  // A fragment inside itself is left to validation, which names it; here it is only not followed.
  walk(set: SelectionSetNode, place: Place, depth: number, within: readonly string[]): void {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const next = this.field(selection, place, depth);
        if (selection.selectionSet) this.walk(selection.selectionSet, next, depth + 1, within);
        continue;
      }
      this.addSelection();
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        this.walk(selection.selectionSet, place, depth, within);
        continue;
      }
      const name = selection.name.value;
      const fragment = this.fragments.get(name);
      this.seen.add(name);
      if (fragment && !within.includes(name))
        this.walk(fragment.selectionSet, place, depth, [...within, name]);
    }
  }

  operation(operation: OperationDefinitionNode): void {
    const { limits } = this;
    const root = newPlace();
    this.walk(operation.selectionSet, root, 1, []);
    const fields = root.below.size;
    const most = operation.operation === 'mutation' ? limits.rootMutations : limits.rootFields;
    if (fields > most) throw over('fields at its root are', most, fields);
    if (operation.operation !== 'mutation') return;
    const alone = rootNames(operation.selectionSet, this.fragments).filter((name) =>
      limits.alone.includes(name),
    );
    if (alone.length > 1)
      throw tooComplex(`${alone[0]} goes alone, once in a request, and stands ${alone.length} times`);
  }
}

/**
 * Every operation of the document and every fragment of it, used or not: they are all validated.
 * @throws RequestError QUERY_TOO_COMPLEX
 */
export const measure = (document: DocumentNode, limits: Limits): void => {
  const fragments = fragmentsOf(document.definitions);
  const measured = new Measure(limits, fragments);
  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION) measured.operation(definition);
  for (const [name, fragment] of fragments)
    if (!measured.seen.has(name)) measured.walk(fragment.selectionSet, newPlace(), 1, [name]);
};
