// Writes down in a supergraph what is hidden from clients.
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type EnumTypeDefinitionNode,
  type InputObjectTypeDefinitionNode,
  type InputValueDefinitionNode,
  type InterfaceTypeDefinitionNode,
  Kind,
  type NameNode,
  type ObjectTypeDefinitionNode,
  parse,
  type ScalarTypeDefinitionNode,
  type SchemaDefinitionNode,
  type TypeNode,
  type UnionTypeDefinitionNode,
} from 'graphql';

export type Type =
  | ObjectTypeDefinitionNode
  | InterfaceTypeDefinitionNode
  | UnionTypeDefinitionNode
  | EnumTypeDefinitionNode
  | InputObjectTypeDefinitionNode
  | ScalarTypeDefinitionNode;

/** A type, or a field, input field or value of one. */
export type Named = {
  readonly name: NameNode;
  readonly directives?: readonly ConstDirectiveNode[];
  readonly type?: TypeNode;
  readonly arguments?: readonly InputValueDefinitionNode[];
};

const kinds: ReadonlySet<string> = new Set([
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.UNION_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.INPUT_OBJECT_TYPE_DEFINITION,
  Kind.SCALAR_TYPE_DEFINITION,
]);

/** Names with two underscores are the supergraph's own: clients never see them. */
const isType = (node: DefinitionNode): node is Type =>
  kinds.has(node.kind) && 'name' in node && node.name?.value.includes('__') === false;

export const typesIn = (document: DocumentNode): ReadonlyMap<string, Type> =>
  new Map(document.definitions.filter(isType).map((type) => [type.name.value, type]));

const inaccessibleLink = '@link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)';
const inaccessibleDefinition = `directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION |
  ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION`;

/** The supergraph with what `@inaccessible` needs to be understood. */
const withFeature = (document: DocumentNode): DocumentNode => {
  const { definitions } = parse(`schema ${inaccessibleLink} { query: Query } ${inaccessibleDefinition}`, {
    noLocation: true,
  });
  const [schema, definition] = definitions as [SchemaDefinitionNode, DefinitionNode];
  return {
    ...document,
    definitions: [
      ...document.definitions.map((node) =>
        node.kind === Kind.SCHEMA_DEFINITION
          ? { ...node, directives: [...(node.directives ?? []), ...(schema.directives ?? [])] }
          : node,
      ),
      definition,
    ],
  };
};

/**
 * @param hidden places: `Type`, `Type.field`, `Type.VALUE` and `Type.field(argument:)`
 * @param name what @inaccessible is called there; null where it is not known yet
 */
export const withHidden = (
  document: DocumentNode,
  hidden: ReadonlySet<string>,
  name: string | null,
): DocumentNode => {
  const mark: ConstDirectiveNode = {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: name ?? 'inaccessible' },
  };
  const marked = <Node extends Named>(node: Node, place: string): Node =>
    hidden.has(place) && !node.directives?.some((one) => one.name.value === mark.name.value)
      ? { ...node, directives: [...(node.directives ?? []), mark] }
      : node;
  const part = <Node extends Named>(type: string, node: Node): Node => {
    const place = `${type}.${node.name.value}`;
    const own = node.arguments
      ? { ...node, arguments: node.arguments.map((one) => marked(one, `${place}(${one.name.value}:)`)) }
      : node;
    return marked(own, place);
  };
  const type = (node: DefinitionNode): DefinitionNode => {
    // Not every planner expects a root of which clients may not know.
    if (node.kind === Kind.SCHEMA_DEFINITION)
      return {
        ...node,
        operationTypes: node.operationTypes.filter((root) => !hidden.has(root.type.name.value)),
      };
    if (!isType(node)) return node;
    const place = node.name.value;
    // What is in a hidden type is hidden with it.
    if (hidden.has(place)) return marked(node, place);
    if ('fields' in node)
      return { ...node, fields: node.fields?.map((field: Named) => part(place, field)) } as DefinitionNode;
    if ('values' in node) return { ...node, values: node.values?.map((value) => part(place, value)) };
    return node;
  };
  const whole = { ...document, definitions: document.definitions.map(type) };
  return name === null ? withFeature(whole) : whole;
};
