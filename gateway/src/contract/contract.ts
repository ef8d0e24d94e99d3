// A contract: a supergraph of which somebody sees a part, chosen by `@tag`. The rest becomes @inaccessible, which every
// planner and every router understands; subgraphs are asked as before, and rules about who may ask stay as they are.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type InputValueDefinitionNode,
  Kind,
  type NamedTypeNode,
  parse,
  print,
  specifiedScalarTypes,
  type TypeNode,
} from 'graphql';
import { applicationsOf, linkedName } from '../document/linked-directives.ts';
import { type Named, type Type, typesIn, withHidden } from './hidden.ts';

/**
 * What has a tag of `exclude` is not there. Where `include` names tags, a union, or a field of an object or interface, is
 * there only if it or its type has one of them. Arguments, inputs, enums and scalars come with the fields that need them,
 * and types to which nothing leads go.
 */
export type ContractFilter = { readonly include: readonly string[]; readonly exclude?: readonly string[] };

const tagFeature = 'https://specs.apollo.dev/tag';
const inaccessibleFeature = 'https://specs.apollo.dev/inaccessible';

const namedType = (type: TypeNode): string =>
  type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);

const builtIn = new Set(specifiedScalarTypes.map(({ name }) => name));

const isRequired = ({ type, defaultValue }: InputValueDefinitionNode): boolean =>
  type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined;

/** Finds what is shown. Places are `Type`, `Type.field`, `Type.VALUE` and `Type.field(argument:)`. */
class Choosing {
  readonly hidden = new Set<string>();
  readonly problems: string[] = [];
  readonly #types: ReadonlyMap<string, Type>;
  readonly #tag: string | null;
  readonly #inaccessible: string | null;
  readonly #filter: ContractFilter;

  constructor(document: DocumentNode, filter: ContractFilter) {
    this.#types = typesIn(document);
    this.#tag = linkedName(document, tagFeature, 'tag');
    this.#inaccessible = linkedName(document, inaccessibleFeature, 'inaccessible');
    this.#filter = filter;
    for (const type of this.#types.values()) this.#choose(type);
    const reached = this.#reach(document);
    for (const name of this.#types.keys()) if (!reached.has(name)) this.hidden.add(name);
    for (const name of reached) this.#check(this.#types.get(name)!);
  }

  #tags(node: { readonly directives?: readonly ConstDirectiveNode[] }): string[] {
    return this.#tag === null ? [] : applicationsOf(node, this.#tag).map(({ name }) => String(name));
  }

  #isOut(node: Named, tags: readonly string[]): boolean {
    const isInaccessible = node.directives?.some(({ name }) => name.value === this.#inaccessible) ?? false;
    return isInaccessible || (this.#filter.exclude ?? []).some((tag) => tags.includes(tag));
  }

  #isIn(tags: readonly string[]): boolean {
    const { include } = this.#filter;
    return include.length === 0 || include.some((tag) => tags.includes(tag));
  }

  #choose(type: Type): void {
    const name = type.name.value;
    const own = this.#tags(type);
    if (this.#isOut(type, own)) this.hidden.add(name);
    if (type.kind === Kind.UNION_TYPE_DEFINITION && !this.#isIn(own)) this.hidden.add(name);
    const isOutput =
      type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION;
    const parts: readonly Named[] =
      'fields' in type ? (type.fields ?? []) : 'values' in type ? (type.values ?? []) : [];
    let isEmpty = isOutput;
    for (const part of parts) {
      const place = `${name}.${part.name.value}`;
      const tags = [...own, ...this.#tags(part)];
      if (this.#isOut(part, tags) || (isOutput && !this.#isIn(tags))) this.hidden.add(place);
      else isEmpty = false;
      for (const argument of part.arguments ?? [])
        if (this.#isOut(argument, this.#tags(argument))) this.hidden.add(`${place}(${argument.name.value}:)`);
    }
    if (isEmpty) this.hidden.add(name);
  }

  /** What is shown of a type's fields, input fields or values. */
  #shown<Part extends Named>(type: Type, parts: readonly Part[] | undefined): Part[] {
    return (parts ?? []).filter((part) => !this.hidden.has(`${type.name.value}.${part.name.value}`));
  }

  #reach(document: DocumentNode): Set<string> {
    const reached = new Set<string>();
    const follow = (name: string): void => {
      const type = this.#types.get(name);
      if (!type || reached.has(name) || this.hidden.has(name)) return;
      reached.add(name);
      for (const one of this.#leadsTo(type)) follow(one);
    };
    for (const node of document.definitions)
      if (node.kind === Kind.SCHEMA_DEFINITION)
        for (const { type } of node.operationTypes) follow(type.name.value);
    return reached;
  }

  #leadsTo(type: Type): string[] {
    if (type.kind === Kind.UNION_TYPE_DEFINITION) return (type.types ?? []).map(({ name }) => name.value);
    const implementing =
      type.kind === Kind.INTERFACE_TYPE_DEFINITION
        ? [...this.#types.values()].filter((one) =>
            implemented(one).some(({ name }) => name.value === type.name.value),
          )
        : [];
    const fields = 'fields' in type ? this.#shown(type, type.fields as readonly Named[] | undefined) : [];
    return [
      ...implementing.map(({ name }) => name.value),
      ...implemented(type).map(({ name }) => name.value),
      ...fields.flatMap((field) => [
        ...(field.type ? [namedType(field.type)] : []),
        ...(field.arguments ?? [])
          .filter(({ name }) => !this.hidden.has(`${type.name.value}.${field.name.value}(${name.value}:)`))
          .map((argument) => namedType(argument.type)),
      ]),
    ];
  }

  #isThere(type: string): boolean {
    return builtIn.has(type) || (this.#types.has(type) && !this.hidden.has(type));
  }

  #check(type: Type): void {
    const name = type.name.value;
    const parts: readonly Named[] =
      'fields' in type ? (type.fields ?? []) : 'values' in type ? (type.values ?? []) : [];
    const shown = this.#shown(type, parts);
    if (parts.length > 0 && shown.length === 0) this.problems.push(`${name} is shown, and nothing of it`);
    if (type.kind === Kind.UNION_TYPE_DEFINITION && !type.types?.some((one) => this.#isThere(one.name.value)))
      this.problems.push(`${name} is shown, and none of its types`);
    for (const part of shown) this.#checkPart(`${name}.${part.name.value}`, part);
    if (type.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION)
      for (const field of type.fields ?? [])
        if (isRequired(field) && !shown.includes(field))
          this.problems.push(`${name}.${field.name.value} is required, and not shown`);
    for (const one of implemented(type)) {
      const face = this.#types.get(one.name.value);
      if (face?.kind !== Kind.INTERFACE_TYPE_DEFINITION || this.hidden.has(one.name.value)) continue;
      for (const field of this.#shown(face, face.fields))
        if (!shown.some((part) => part.name.value === field.name.value))
          this.problems.push(`${face.name.value}.${field.name.value} is shown, and not that of ${name}`);
    }
  }

  #checkPart(place: string, part: Named): void {
    if (part.type && !this.#isThere(namedType(part.type)))
      this.problems.push(`${place} is shown, and not its type ${namedType(part.type)}`);
    for (const argument of part.arguments ?? []) {
      const at = `${place}(${argument.name.value}:)`;
      const isHidden = this.hidden.has(at);
      if (isHidden && isRequired(argument)) this.problems.push(`${at} is required, and not shown`);
      if (!isHidden && !this.#isThere(namedType(argument.type)))
        this.problems.push(`${at} is shown, and not its type ${namedType(argument.type)}`);
    }
  }
}

const implemented = (type: Type): readonly NamedTypeNode[] =>
  'interfaces' in type ? (type.interfaces ?? []) : [];

const queryOf = (document: DocumentNode): string => {
  for (const node of document.definitions)
    if (node.kind === Kind.SCHEMA_DEFINITION)
      for (const { operation, type } of node.operationTypes)
        if (operation === 'query') return type.name.value;
  return 'Query';
};

/**
 * The same supergraph with the rest @inaccessible.
 * @throws Error naming everything that would lead nowhere, a line each
 */
export const contractOf = (supergraphSdl: string, filter: ContractFilter): string => {
  const document = parse(supergraphSdl, { noLocation: true });
  const { hidden, problems } = new Choosing(document, filter);
  const all = hidden.has(queryOf(document))
    ? ['nothing that can be asked for is in it', ...problems]
    : problems;
  if (all.length > 0)
    throw new Error(`The contract is not whole:\n${all.map((problem) => `  ${problem}`).join('\n')}`);
  const name = linkedName(document, inaccessibleFeature, 'inaccessible');
  return `${print(withHidden(document, hidden, name))}\n`;
};
