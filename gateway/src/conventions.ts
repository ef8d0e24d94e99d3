// The rules of our schemas that composition does not know. Each answers with a sentence for every breach.
import {
  buildSchema,
  type DefinitionNode,
  type FieldDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  isObjectType,
  isUnionType,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
} from 'graphql';
import type { Document } from './composition.ts';

const isError = (type: GraphQLNamedType): boolean =>
  isObjectType(type) && type.getInterfaces().some((one) => one.name === 'UserError');

const breachesOfUnion = (mutation: string, type: GraphQLNamedType | undefined): string[] => {
  if (!isUnionType(type)) return [`${mutation} answers ${type?.name}, which is no union of outcomes`];
  const successes = type.getTypes().filter((member) => !isError(member));
  return successes.length === 1
    ? []
    : [`${type.name} has ${successes.length} members that are no UserError, and should have one`];
};

/** A batch counts what went well and lists an outcome, a union again, for each item. */
const breachesOfBatch = (mutation: string, schema: GraphQLSchema, type: GraphQLNamedType): string[] => {
  if (!isObjectType(type)) return breachesOfUnion(mutation, type);
  const fields = type.getFields();
  const item = schema.getType(String(fields.items?.type ?? '').replace(/[![\]]/g, ''));
  const outcome = isObjectType(item) ? item.getFields().outcome : undefined;
  if (!fields.succeeded || !fields.failed || !outcome)
    return [
      `${mutation} answers ${type.name}, which is neither a union nor a batch with succeeded, failed and items`,
    ];
  return breachesOfUnion(mutation, schema.getType(String(outcome.type).replace('!', '')));
};

/** Every mutation is `verb(input: VerbInput!): VerbResult!`. */
export const mutationBreaches = (api: string): string[] => {
  const schema = buildSchema(api);
  return Object.values(schema.getMutationType()?.getFields() ?? {}).flatMap(({ name, args, type }) => {
    const capital = name[0]!.toUpperCase() + name.slice(1);
    const [input, ...more] = args;
    const wrongInput =
      input?.name !== 'input' || String(input.type) !== `${capital}Input!` || more.length > 0
        ? [`${name} should take (input: ${capital}Input!) and nothing else`]
        : [];
    if (String(type) !== `${capital}Result!`)
      return [...wrongInput, `${name} should answer ${capital}Result!`];
    return [...wrongInput, ...breachesOfBatch(name, schema, schema.getType(`${capital}Result`)!)];
  });
};

type Part = { readonly subgraph: string; readonly type: ObjectTypeDefinitionNode };

const isKeyed = (type: ObjectTypeDefinitionNode): boolean =>
  type.directives?.some((directive) => directive.name.value === 'key') ?? false;

const implementsNode = ({ type }: Part): boolean =>
  type.interfaces?.some((one) => one.name.value === 'Node') ?? false;

const partsOfEntities = (documents: readonly Document[]): Map<string, Part[]> => {
  const parts = documents.flatMap(({ name, text }) =>
    parse(text)
      .definitions.filter((definition) => definition.kind === Kind.OBJECT_TYPE_DEFINITION)
      .filter(isKeyed)
      .map((type): Part => ({ subgraph: name, type })),
  );
  return Map.groupBy(parts, ({ type }) => type.name.value);
};

const breachesOfPart = ({ subgraph, type }: Part, entities: ReadonlySet<string>, own: boolean): string[] =>
  (type.fields ?? [])
    .filter(
      (field: FieldDefinitionNode) => field.name.value !== 'id' && field.type.kind === Kind.NON_NULL_TYPE,
    )
    .filter((field) => !own || isReferenceAway(field, entities))
    .map(
      (field) =>
        `${type.name.value}.${field.name.value} in ${subgraph} crosses a border and should be nullable`,
    );

const isReferenceAway = (field: FieldDefinitionNode, foreign: ReadonlySet<string>): boolean => {
  const inner = field.type.kind === Kind.NON_NULL_TYPE ? field.type.type : field.type;
  return inner.kind === Kind.NAMED_TYPE && foreign.has(inner.name.value);
};

/**
 * One subgraph owns an entity: there it implements Node. What others give to it, and references to what others own, are
 * nullable, so that one outage costs one field.
 */
export const borderBreaches = (documents: readonly Document[]): string[] => {
  const entities = partsOfEntities(documents);
  const ownerOf = new Map(
    [...entities].map(([name, parts]) => [
      name,
      parts.filter(implementsNode).map(({ subgraph }) => subgraph),
    ]),
  );
  const foreignTo = (subgraph: string): Set<string> =>
    new Set([...ownerOf].filter(([, owners]) => !owners.includes(subgraph)).map(([name]) => name));
  return [...entities].flatMap(([name, parts]) => {
    const owners = ownerOf.get(name)!;
    const owned = parts.flatMap((part) =>
      breachesOfPart(part, foreignTo(part.subgraph), owners.includes(part.subgraph)),
    );
    // The owner may not be written yet; two owners are always wrong.
    return owners.length > 1 ? [`${name} is owned by ${owners.join(' and ')}`, ...owned] : owned;
  });
};

/** An enum that stands in two subgraphs has to be changed in both at once, so it stands in one. */
export const enumBreaches = (documents: readonly Document[]): string[] => {
  const shared = documents.flatMap(({ name, text }) =>
    parse(text)
      .definitions.filter((definition) => definition.kind === Kind.ENUM_TYPE_DEFINITION)
      .map((definition) => ({ name, type: definition.name.value })),
  );
  return [...Map.groupBy(shared, ({ type }) => type)]
    .filter(([, places]) => places.length > 1)
    .map(([type, places]) => `${type} stands in ${places.map(({ name }) => name).join(' and ')}`);
};

const roots = new Set(['Query', 'Mutation', 'Subscription']);

const isFieldsOfObject = (definition: DefinitionNode): definition is ObjectTypeDefinitionNode =>
  definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.OBJECT_TYPE_EXTENSION;

/** What a field says about who may ask for it. */
const rulesOn = (field: FieldDefinitionNode): string[] =>
  (field.directives ?? []).flatMap(({ name, arguments: args }) => {
    if (name.value === 'authenticated' || name.value === 'requiresScopes') return [`@${name.value}`];
    const [tag] = args ?? [];
    const value = name.value === 'tag' && tag?.value.kind === Kind.STRING ? tag.value.value : '';
    return value === 'everyone' || value === 'owner' ? [value] : [];
  });

/**
 * Whoever adds a field at the root has to think of who may ask for it, and to write it down: as a rule that is held to
 * everywhere, or that there is none because it is for everyone, or because the code looks at whose each thing is.
 */
export const unstatedRules = (documents: readonly Document[]): string[] =>
  documents.flatMap(({ name, text }) =>
    parse(text)
      .definitions.filter(isFieldsOfObject)
      .filter((type) => roots.has(type.name.value))
      .flatMap((type) => (type.fields ?? []).map((field) => ({ type, field, rules: rulesOn(field) })))
      .flatMap(({ type, field, rules }) => {
        const place = `${type.name.value}.${field.name.value} in ${name}`;
        if (rules.length === 0)
          return [
            `${place} does not say who may ask: @authenticated, @requiresScopes(scopes: …), ` +
              '@tag(name: "everyone"), or @tag(name: "owner") where the code looks at whose each thing is',
          ];
        return rules.includes('everyone') && rules.length > 1
          ? [`${place} is for everyone, and has ${rules.filter((rule) => rule !== 'everyone').join(' and ')}`]
          : [];
      }),
  );
