import fc from 'fast-check';
import {
  buildSchema,
  type GraphQLOutputType,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
} from 'graphql';
import { expect, test } from 'vitest';
import { Answer, type AnswerPlan } from '../execute/answer.ts';
import type { Composite, Value } from '../parse/values.ts';
import { onlyOperation } from '../plan/plannable.ts';
import { surprise, writerFor } from './writer.ts';

const schema = buildSchema(`
  enum Colour { RED GREEN }
  interface Thing { id: ID! thing: Thing }
  type Box implements Thing { id: ID! thing: Thing size: Int! inside: [Any] colour: Colour }
  type Bag implements Thing { id: ID! thing: Thing size: Int handles: [String!]! boxes: [[Box!]!] }
  union Any = Box | Bag
  type Query { box: Box! bag: Bag thing: Thing things: [Thing!]! any: [Any] }`);

const queries = [
  '{ box { id size colour } bag { handles boxes { id } } }',
  '{ thing { id thing { id __typename } } things { __typename ... on Box { size } ... on Bag { handles } } }',
  '{ any { ... on Thing { id } ... on Box { inside { __typename ... on Bag { size } } } } any { ... on Bag { id size } } }',
  'query ($a: Boolean, $b: Boolean) { box @include(if: $a) { id } bag @skip(if: $b) { size } box { size @skip(if: $a) colour @include(if: $b) } }',
  'query ($a: Boolean, $b: Boolean) { things { ...A @include(if: $a) ...A @include(if: $b) id } } fragment A on Thing { id thing { ...B } } fragment B on Box { size @skip(if: $b) inside { ... on Box { id } } }',
  'query ($a: Boolean, $b: Boolean) { ... @include(if: $a) { x: thing { ... on Box { s: size } ... @skip(if: $b) { id } } } x: thing { i: id __typename } t: __typename }',
  'query ($a: Boolean, $b: Boolean) { bag { a: handles @include(if: $a) a: handles @include(if: $b) boxes @include(if: $a) @skip(if: $b) { id } } }',
];

const planOf = (query: string): AnswerPlan => {
  const { operation, fragments } = onlyOperation(parse(query), undefined);
  return {
    apiSchema: schema,
    rootType: schema.getQueryType()!,
    selectionSet: operation.selectionSet,
    fragments,
    names: new Map(),
    stubs: new Set(),
  };
};

/** Any value of the type as subgraphs could deliver it, every key that some query asks for included. */
const value = (type: GraphQLOutputType, depth: number): fc.Arbitrary<Value> => {
  if (isNonNullType(type)) return fc.option(value(type.ofType, depth), { freq: 60 });
  let made: fc.Arbitrary<Value>;
  if (isListType(type)) {
    const inner = type.ofType as GraphQLOutputType;
    made = leafList.has(String(inner))
      ? fc.constantFrom('[]', '["a"]')
      : fc.array(value(inner, depth), { maxLength: 3 });
  } else if (isEnumType(type)) made = fc.constantFrom('"RED"', '"GREEN"');
  else if (isObjectType(type) || isAbstractType(type)) made = object(String(type), depth + 1);
  else made = String(type) === 'ID' ? fc.constantFrom('"1"', '"ü"') : fc.constantFrom('1', '-20');
  return fc.option(made, { freq: 8, nil: fc.sample(fc.constantFrom(null, undefined), 1)[0] });
};

const leafList = new Set(['String!']);
const possible: Record<string, string[]> = {
  Thing: ['Box', 'Bag', 'Thing', 'Unknown'],
  Any: ['Box', 'Bag', 'Query'],
};
const renamed: Record<string, string[]> = { size: ['size', 's'], id: ['id', 'i'], handles: ['handles', 'a'] };

function object(name: string, depth: number): fc.Arbitrary<Composite> {
  return fc.constantFrom(...(possible[name] ?? [name])).chain((actual) => {
    const known = schema.getType(actual) ?? schema.getType('Box');
    const fields =
      isObjectType(known) || (known && 'getFields' in known)
        ? Object.values((known as ReturnType<typeof schema.getQueryType>)!.getFields())
        : [];
    const members: Record<string, fc.Arbitrary<Value>> = { __typename: fc.constant(JSON.stringify(actual)) };
    for (const field of fields)
      for (const key of renamed[field.name] ?? [field.name])
        members[key] = depth > 4 ? fc.constant(null) : value(field.type, depth);
    if (depth === 0) members.x = value(schema.getQueryType()!.getFields().thing!.type, 0);
    return fc.record(members, {
      requiredKeys: name in possible ? [] : Object.keys(members),
      noNullPrototype: true,
    });
  });
}

test.each(queries)('the writer of %s writes what is written value by value, or nothing', (query) => {
  const plan = planOf(query);
  const write = writerFor(plan)!;
  let quick = 0;
  fc.assert(
    fc.property(object('Query', 0), fc.boolean(), fc.boolean(), (data, a, b) => {
      const variables = { a, b };
      const answer = new Answer(plan, variables, new Map(), []);
      const slowly = answer.write(data);
      let quickly: string;
      try {
        quickly = write(data, variables, new Map());
      } catch (error) {
        // It may give up only where there is something that needs a closer look.
        expect(error).toBe(surprise);
        expect(answer.errors.length > 0 || slowly.includes('null')).toBe(true);
        return;
      }
      quick++;
      expect(quickly).toBe(slowly);
      expect(answer.errors).toEqual([]);
    }),
    { numRuns: 200, seed: 7 },
  );
  expect(quick).toBeGreaterThan(20);
});

test('fragments that unfold without end get no writer of their own', () => {
  const spread = (name: string) => `...${name} @include(if: $a) ...${name} @include(if: $b)`;
  const fragments = Array.from(
    { length: 20 },
    (_, at) => `fragment F${at} on Box { ${at ? spread(`F${at - 1}`) : 'id'} }`,
  );
  const plan = planOf(`query ($a: Boolean, $b: Boolean) { box { ${spread('F19')} } } ${fragments.join(' ')}`);
  expect(writerFor(plan)).toBeNull();
});
