// What a new version of the API would take away from clients that were written against an older one.
import {
  buildASTSchema,
  type DocumentNode,
  findBreakingChanges,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  parse,
  visit,
} from 'graphql';

type Node = { readonly directives?: readonly { readonly name: { readonly value: string } }[] };

const isDeprecated = (node: Node): boolean =>
  node.directives?.some((directive) => directive.name.value === 'deprecated') ?? false;

const cut = (node: Node) => (isDeprecated(node) ? null : undefined);

/** Nobody may rely on what has been marked as going away. */
const withoutDeprecated = (document: DocumentNode): DocumentNode =>
  visit(document, { FieldDefinition: cut, EnumValueDefinition: cut, InputValueDefinition: cut });

/** Names of the types that an operation can still get at. */
const reachable = (schema: GraphQLSchema): Set<string> => {
  const seen = new Set<string>();
  const follow = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const type = schema.getType(name);
    if (isUnionType(type)) for (const member of type.getTypes()) follow(member.name);
    if (isInterfaceType(type)) for (const one of schema.getPossibleTypes(type)) follow(one.name);
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const one of type.getInterfaces()) follow(one.name);
      for (const field of Object.values(type.getFields())) {
        follow(getNamedType(field.type).name);
        for (const argument of field.args) follow(getNamedType(argument.type).name);
      }
    }
    if (isInputObjectType(type))
      for (const field of Object.values(type.getFields())) follow(getNamedType(field.type).name);
  };
  for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()])
    if (root) follow(root.name);
  return seen;
};

/** One sentence for each change that breaks a client without having been announced by @deprecated in `before`. */
export const breakingChanges = (before: string, after: string): string[] => {
  const old = buildASTSchema(withoutDeprecated(parse(before)), { assumeValidSDL: true, assumeValid: true });
  const used = reachable(old);
  return findBreakingChanges(old, buildASTSchema(parse(after)))
    .filter(({ type, description }) => type !== 'TYPE_REMOVED' || used.has(description.split(' ')[0]!))
    .map(({ description }) => description);
};
