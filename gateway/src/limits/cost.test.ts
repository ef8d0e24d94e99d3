import { buildSchema, type DocumentNode, getOperationAST, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { checkCost, costOf } from './cost.ts';
import { costReportOf } from './cost-report.ts';
import { readCostRules } from './cost-rules.ts';
import { defaultLimits } from './limit.ts';
import { readVariables } from './variables.ts';

const sdl = parse(`
schema @link(url: "https://specs.apollo.dev/cost/v0.1", import: [{name: "@cost", as: "@price"}, "@listSize"]) {
  query: Query
  mutation: Mutation
}
directive @link(url: String, import: [I]) on SCHEMA
directive @price(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
scalar I
scalar Photo @price(weight: 3)
enum Mood @price(weight: 2) { GOOD }
interface Named { name: String }
type Book implements Named { name: String author: Author cover: Photo mood: Mood pages: Int @price(weight: 4) }
type Author implements Named @price(weight: 7) { name: String books: [Book] }
type Film implements Named { name: String director: Author }
union Thing = Book | Film | Author
type BookEdge { node: Book }
type BookConnection { edges: [BookEdge] total: Int }
type Found { page: BookConnection related: [Book] books: BookConnection }
input Page { first: Int }
input Filter { text: String title: String @price(weight: 5) also: [Filter!] }
type Query {
  book: Book
  books: [Book]
  shelf: [Book] @listSize(assumedSize: 40)
  best(first: Int, last: Int): [Book] @listSize(slicingArguments: ["first", "last"])
  top(first: Int = 8): [Book] @listSize(slicingArguments: ["first"])
  maybe(first: Int): [Book] @listSize(slicingArguments: ["first"], assumedSize: 9, requireOneSlicingArgument: false)
  paged(page: Page): [Book] @listSize(slicingArguments: ["page.first"])
  byCursor(first: Int): BookConnection @listSize(slicingArguments: ["first"], sizedFields: ["edges"])
  connection(first: Int, after: String): BookConnection
  plain(first: Int): [Book]
  search(first: Int): Found
  find(filter: Filter, limit: Int @price(weight: 6)): Book
  things: [Thing] @listSize(assumedSize: 10)
  named: Named
}
type Mutation { buy(filter: Filter): Book }
`);
const schema = buildSchema(sdl.loc!.source.body);
const rules = readCostRules(sdl);

const compiled = (text: string) => {
  const document: DocumentNode = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const cost = costOf(schema, rules, defaultLimits, document);
  const operation = getOperationAST(document)!;
  return {
    estimate: (given: Record<string, unknown> = {}) => cost.estimate(readVariables(schema, operation, given)),
    count: (data: unknown, given: Record<string, unknown> = {}) =>
      cost.count(data, readVariables(schema, operation, given)),
  };
};

test.each<[string, string, number, Record<string, unknown>?]>([
  ['an object is 1 and its scalars nothing', '{book {name}}', 1],
  ['an object inside is dearer by its own weight', '{book {author {name}}}', 8],
  ['a scalar and an enum may have a price', '{book {cover mood}}', 6],
  ['a field may have a price', '{book {pages}}', 5],
  ['a list of unknown length is taken for five', '{books {name}}', 5],
  ['a list of assumed length', '{shelf {pages}}', 40 * 5],
  ['a list as long as asked for', '{best(first: 3) {name}}', 3],
  ['a list as long as a variable says', 'query ($n: Int) {best(last: $n) {name}}', 20, { n: 20 }],
  ['a list as long as its default says', '{top {name}}', 8],
  ['a list as long as a default of the operation says', 'query ($n: Int = 6) {top(first: $n) {name}}', 6],
  ['a list without its size is as long as assumed', '{maybe {name}}', 9],
  ['a list whose size stands in an input object', '{paged(page: {first: 4}) {name}}', 1 + 4],
  [
    'a page sizes its edges and not its total',
    '{byCursor(first: 10) {total edges {node {name}}}}',
    1 + 10 * 2,
  ],
  ['a connection without directives', '{connection(first: 10) {edges {node {name}}}}', 1 + 10 * 2],
  ['a connection without a size is as long as may be', '{connection {edges {node {name}}}}', 1 + 100 * 2],
  ['a sized list without directives', '{plain(first: 7) {name}}', 7],
  ['a sized list that says no size is as long as may be', '{plain {name}}', 100],
  ['a sized list whose size is null, too', '{plain(first: null) {name}}', 100],
  ['of a page of none there is one', '{connection(first: 0) {edges {node {name}}}}', 1 + 2],
  ['a page is filled were it only counted', '{connection(first: 30) {total}}', 1 + 30],
  ['a page that owners have sized costs what they say', '{byCursor(first: 30) {total}}', 1],
  [
    'a page may be wrapped in what asks for it',
    '{search(first: 50) {page {edges {node {name}}} related {name}}}',
    1 + (1 + 50 * 2) + 5,
  ],
  ['lists inside lists multiply', '{books {author {books {name}}}}', 5 * (1 + 7 + 5)],
  ['an input object is 1, its fields what they cost', '{find(filter: {text: "a"}) {name}}', 1 + 1],
  ['a dear argument', '{find(limit: 3) {name}}', 1 + 6],
  [
    'input objects in lists each cost',
    '{find(filter: {title: "a", also: [{title: "b"}, {}]}) {name}}',
    1 + (1 + 5) + (1 + 5) + 1,
  ],
  ['a mutation is ten more', 'mutation {buy {name}}', 11],
  [
    'of several types the dearest counts',
    '{things {... on Book {pages} ... on Film {director {name}}}}',
    10 * (1 + 7),
  ],
  [
    'fragments on one type add up',
    '{things {... on Book {pages} ... on Book {cover} ... on Film {name}}}',
    10 * (1 + 4 + 3),
  ],
  [
    'what all types share is counted once',
    '{named {name ... on Named {name} ... on Book {author {name}}}}',
    1 + 7,
  ],
  ['a field twice is one field', '{book {author {name}} book {author {name} pages}}', 1 + 7 + 4],
  ['two names for a field are two fields', '{a: book {name} b: book {name}}', 2],
  [
    'what is skipped is free',
    'query ($no: Boolean!) {book @include(if: $no) {name} shelf @skip(if: true) {name}}',
    0,
    { no: false },
  ],
  ['introspection is free', '{__typename __schema {types {name fields {name}}} book {__typename}}', 1],
])('%s', (_what, text, cost, given) => {
  expect(compiled(text).estimate(given)).toBe(cost);
});

test.each([
  ['more than a page', '{best(first: 1000000) {name}}', '1,000,000, of 100 allowed'],
  ['less than nothing', '{connection(first: -1) {total}}', 'connection(first:) is -1'],
])('a list of %s is refused as bad input', (_what, text, message) => {
  expect(() => compiled(text).estimate()).toThrow(
    expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringContaining(message) }),
  );
});

test.each(['{best {name}}', '{best(first: 1, last: 1) {name}}'])(
  '%s does not say how much it wants',
  (text) => {
    expect(() => compiled(text).estimate()).toThrow('best needs exactly one of first, last');
  },
);

test('what an answer cost is counted from what is in it', () => {
  const { estimate, count } = compiled('{best(first: 50) {pages author {name}} find(limit: 2) {name}}');
  expect(estimate()).toBe(50 * (1 + 4 + 7) + 7);
  expect(
    count({ best: [{ pages: 3, author: null }, { pages: null, author: { name: 'A' } }, null], find: null }),
  ).toBe(1 + 4 + (1 + 7) + 6);
});

test('an answer of several types is counted by what each one shows', () => {
  const { count } = compiled('{things {... on Book {pages} ... on Film {director {name}}}}');
  expect(count({ things: [{ pages: 1 }, { director: { name: 'A' } }, {}] })).toBe(1 + 4 + 1 + 7 + 1);
});

test('no answer costs what the asking costs', () => {
  expect(compiled('mutation {buy {name}}').count(null)).toBe(10);
});

test('an answer never costs more than was estimated when its lists are as long as said', () => {
  const { estimate, count } = compiled('{byCursor(first: 2) {total edges {node {pages mood}}}}');
  const node = { pages: 1, mood: 'GOOD' };
  expect(count({ byCursor: { total: 2, edges: [{ node }, { node }] } })).toBe(estimate());
});

test('a supergraph without the feature has usual costs', () => {
  const bare = buildSchema('type Query { a: A } type A { b: Int }');
  const cost = costOf(bare, readCostRules(parse('type Query { a: A }')), defaultLimits, parse('{a {b}}'));
  expect(cost.estimate({})).toBe(1);
});

test('an operation of a kind that the schema has not got costs nothing that could be counted', () => {
  expect(compiled('subscription {anything}').estimate()).toBe(0);
});

test('who asks is told what was charged, what it came to, and what would have been too much', () => {
  const document = parse('{best(first: 50) {pages}}');
  const cost = costOf(schema, rules, defaultLimits, document);
  const data = { best: [{ pages: 3 }, { pages: 4 }] };
  expect(costReportOf(cost, {}, data, true, defaultLimits)).toEqual({
    estimated: 250,
    actual: 10,
    limit: 5_000,
  });
  expect(costReportOf(cost, {}, null, false, defaultLimits)).toEqual({
    estimated: 250,
    actual: 0,
    limit: 1_000,
  });
});

test('whoever is not signed in may ask for less', () => {
  checkCost(1_000, false, defaultLimits);
  expect(() => checkCost(1_001, false, defaultLimits)).toThrow('its cost is 1,001, of 1,000 allowed');
  checkCost(1_001, true, defaultLimits);
  expect(() => checkCost(5_001, true, defaultLimits)).toThrow(
    expect.objectContaining({ code: 'QUERY_TOO_COMPLEX' }),
  );
});

test('an operation at the limit of fields, on a type of 200 kinds, is estimated in less than 20 ms', () => {
  const kinds = Array.from({ length: 200 }, (_, i) => `type T${i} implements N { n: N v${i}: Int }`).join(
    '\n',
  );
  const wide = buildSchema(`interface N { n: N } ${kinds} type Query { n: N }`);
  const inside = Array.from({ length: 180 }, (_, i) => `... on T${i} { v${i} }`).join(' ');
  const document = parse(`{${'n {'.repeat(9)} ${inside} ${'...on T3 {v3} }'.repeat(9)}}`, {
    noLocation: true,
  });
  const timings = [1, 2, 3].map(() => {
    const began = performance.now();
    const cost = costOf(wide, readCostRules(document), defaultLimits, document).estimate({});
    expect(cost).toBe(9);
    return performance.now() - began;
  });
  expect(Math.min(...timings)).toBeLessThan(20);
});
