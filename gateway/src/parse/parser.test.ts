import fc from 'fast-check';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { toBinary } from '../transport/binary.ts';
import { parserFor } from './parser.ts';
import { Reader } from './reader.ts';
import { type LeafShape, type ObjectShape, type Shape, shapeOf } from './shape.ts';
import { type Composite, invalid, type Value } from './values.ts';

const schema = buildSchema(`
  scalar Any
  enum Colour { RED GREEN }
  type Query { item: Item items: [Item!]! grid: [[Item]] any: Any }
  type Item {
    id: ID! name: String count: Int price: Float isNew: Boolean colour: Colour any: Any
    ids: [ID] names: [String!] counts: [[Int!]] colours: [Colour!] item: Item items: [Item]
  }`);

const fields = `__typename id name count price isNew colour any ids names counts colours`;
const shape = shapeOf(
  `{ item { ${fields} item { ${fields} } items { ${fields} } } items { id name } grid { count } any }`,
  schema,
  schema,
);
const parse = parserFor(shape);

/** Text of any kind, with what is awkward in JSON and in UTF-8 among it. */
const word = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\\', '"', '\\"', 'ü\u0000\u2028🧀', 'null', '},{', '","id":"', '\ud800'),
);

const whole = fc.integer({ min: -99_999_999, max: 99_999_999 });

const leaf = ({ kind, values, lists }: LeafShape, depth = 0): fc.Arbitrary<unknown> => {
  if (depth < lists.length) {
    const item = leaf({ shape: 'leaf', kind, values, lists }, depth + 1);
    return fc.array(lists[depth] ? fc.option(item) : item.filter((value) => value !== null), {
      maxLength: 3,
    });
  }
  switch (kind) {
    case 'enum':
      return fc.constantFrom('RED', 'GREEN');
    case 'int':
      return whole;
    case 'float':
      return fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), whole);
    case 'boolean':
      return fc.boolean();
    case 'any':
      return fc.jsonValue({ maxDepth: 3 });
    default:
      return word;
  }
};

const value = (of: Shape): fc.Arbitrary<unknown> => {
  if (of.shape === 'leaf') return fc.option(leaf(of), { freq: 6 });
  let made: fc.Arbitrary<unknown> = object(of);
  for (let depth = 0; depth < of.depth!; depth++)
    made = fc.array(fc.option(made, { freq: 6 }), { maxLength: 3 });
  return fc.option(made, { freq: 6 });
};

/** Keys in the operation's order, some of them missing. */
function object(of: ObjectShape): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.fromEntries([...of.fields].map(([key, field]) => [key, value(field)]));
  return fc.record(members, { requiredKeys: [], noNullPrototype: true });
}

/** The values as JSON again. */
const told = (data: Value): string => {
  if (data === null || data === undefined) return 'null';
  if (typeof data === 'string') return data;
  if (Array.isArray(data)) return `[${data.map(told).join(',')}]`;
  const members = Object.entries(data).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${told(member)}`).join(',')}}`;
};

const readSlowly = (body: string): Composite | null | undefined => new Reader(body).member('data', shape);

const meaning = (data: Value): unknown => JSON.parse(Buffer.from(told(data), 'latin1').toString());

test('an answer as subgraphs write them is understood as JSON.parse understands it', () => {
  let quick = 0;
  fc.assert(
    fc.property(object(shape), (data) => {
      const text = JSON.stringify({ data });
      const parsed = parse(toBinary(text));
      if (parsed) quick++;
      const body = parsed ?? readSlowly(toBinary(text))!;
      expect(meaning(body)).toEqual(JSON.parse(JSON.stringify(data)));
    }),
    { numRuns: 600, seed: 1 },
  );
  expect(quick).toBeGreaterThan(300);
});

test('blanks, other orders and keys that nobody asked for are read slowly, and understood the same', () => {
  const shuffled = object(shape).chain((data) =>
    fc
      .record({ order: fc.shuffledSubarray(Object.keys(data), { minLength: 0 }), more: fc.jsonValue() })
      .map(({ order, more }) => ({
        wanted: Object.fromEntries(order.map((key) => [key, data[key]])),
        sent: { zebra: more, ...Object.fromEntries(order.map((key) => [key, data[key]])), extra: more },
      })),
  );
  fc.assert(
    fc.property(shuffled, fc.constantFrom(undefined, 1, '\t'), ({ wanted, sent }, indent) => {
      const body = toBinary(JSON.stringify({ extensions: sent, data: sent }, null, indent));
      expect(parse(body)).toBeUndefined();
      expect(meaning(readSlowly(body))).toEqual(JSON.parse(JSON.stringify(wanted)));
    }),
    { numRuns: 200, seed: 2 },
  );
});

test('a damaged answer is never taken for something that JSON.parse would not read', () => {
  const damaged = fc
    .tuple(
      object(shape),
      fc.nat(),
      fc.nat(3),
      fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', ' ', '0', 'e', '-', '.', 'null', 'x'),
    )
    .map(([data, at, length, put]) => {
      const text = toBinary(JSON.stringify({ data }));
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + length);
    });
  fc.assert(
    fc.property(damaged, (body) => {
      const parsed = parse(body);
      if (!parsed) return;
      // What is inside of a string is the subgraph's own affair; every other byte is checked.
      const inStrings = body.replaceAll(/"(?:[^"\\]|\\[\s\S])*"/g, (string) => {
        try {
          JSON.parse(string);
          return string;
        } catch {
          return '"?"';
        }
      });
      expect(() => JSON.parse(inStrings)).not.toThrow();
      expect(told(parsed).replaceAll(/"(?:[^"\\]|\\[\s\S])*"/g, '"?"')).toBe(
        told(readSlowly(inStrings) ?? null).replaceAll(/"(?:[^"\\]|\\[\s\S])*"/g, '"?"'),
      );
    }),
    { numRuns: 2_000, seed: 3 },
  );
});

test.each([
  ['errors beside the data', '{"data":{"item":null},"errors":[{"message":"x"}]}'],
  ['errors before the data', '{"errors":[],"data":{"item":null}}'],
  ['no data', '{"data":null}'],
  ['nothing', ''],
  ['a half', '{"data":{"item":{"id":"1"'],
  ['more than one answer', '{"data":{"item":null}}{"data":{"item":null}}'],
  ['a key twice', '{"data":{"item":{"id":"1","id":"2"}}}'],
  ['a comma too many', '{"data":{"item":{"id":"1",}}}'],
  ['a number where a word was promised', '{"data":{"item":{"__typename":"Item","id":1}}}'],
  ['an enum value that nobody may see', '{"data":{"item":{"id":"1","colour":"BLUE"}}}'],
  ['a number too large', '{"data":{"item":{"id":"1","count":3000000000}}}'],
  ['a number that starts with nothing', '{"data":{"item":{"id":"1","price":01}}}'],
  ['a number that ends with nothing', '{"data":{"item":{"id":"1","price":1.}}}'],
  ['a list where an object was promised', '{"data":{"item":[]}}'],
  ['an object where a list was promised', '{"data":{"items":{}}}'],
  ['a null in a list that has none', '{"data":{"item":{"id":"1","names":[null]}}}'],
])('%s is a surprise', (_, body) => {
  expect(parse(body)).toBeUndefined();
});

test.each([
  ['a new line at the end', '{"data":{"item":null}}\n'],
  ['what the subgraph says about itself', '{"data":{"item":null},"extensions":{"cost":[1,{"a":" \\" }"}]}}'],
  ['an empty object', '{"data":{}}'],
])('%s is none', (_, body) => {
  expect(parse(body)).toBeDefined();
});

test('a number keeps all its digits', () => {
  const longest = '{"any":[12345678901234567890.12345678901234567890]}';
  const found = parse(`{"data":{"any":${longest}}}`) ?? {};
  expect(found.any).toBe(longest);
  const slowly = readSlowly(`{ "data": { "any": ${longest.replace(':', ' : ')} } }`)!;
  expect(slowly.any).toBe(longest);
});

test('what is of another kind is marked, and what is missing stays missing', () => {
  const reader = new Reader('{"data":{"item":7,"items":[{"id":{}}]}}');
  expect(reader.member('data', shape)).toEqual({ item: invalid, items: [{ id: '{}' }] });
  expect(reader.isSuspect).toBe(true);
});

test('a deep answer of a subgraph gone mad is an error, not the end', () => {
  const deep = `{"data":{"grid":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`;
  expect(parse(deep)).toBeUndefined();
  const any = `{"data":{"any":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`;
  expect(parse(any)).toBeDefined();
});
