import { buildSchema, type GraphQLError, getOperationAST, parse } from 'graphql';
import { expect, test } from 'vitest';
import { defaultLimits } from './limit.ts';
import { checkVariables, readVariables } from './variables.ts';

test('variables nested beyond any input are refused, however deep, in less than 20 ms', () => {
  const text = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
  const deep = JSON.parse(text);
  // The best of three: what is measured is the work, not what else the machine is doing.
  const tookMs = [1, 2, 3].map(() => {
    const began = performance.now();
    expect(() => checkVariables(deep, 60_000, defaultLimits)).toThrow('at least 31 levels, of 30 allowed');
    return performance.now() - began;
  });
  expect(Math.min(...tookMs)).toBeLessThan(20);
});

test('variables as long as a book are refused by their size', () => {
  expect(() => checkVariables({}, 65_537, defaultLimits)).toThrow('65,537 bytes, of 65,536 allowed');
});

test.each([[[1]], ['text'], [7]])('variables that are %j are no variables', (given) => {
  expect(() => checkVariables(given, 3, defaultLimits)).toThrow(
    expect.objectContaining({ code: 'BAD_USER_INPUT' }),
  );
});

test.each([
  ['NUL', 'a\0b'],
  ['the first half of a character', 'a\ud83db'],
  ['the second half of a character', '\ude00'],
])('%s in a variable is no text, however deep it lies', (_what, text) => {
  for (const given of [{ text }, { list: [[text]] }, { input: { lines: [{ text }] } }])
    expect(() => checkVariables(given, 20, defaultLimits)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT' }),
    );
});

test('usual variables pass, and so do none', () => {
  checkVariables({ input: { lines: [{ id: 'x', amount: { currency: 'GBP 😀' } }] } }, 60, defaultLimits);
  checkVariables(undefined, 0, defaultLimits);
  checkVariables(null, 4, defaultLimits);
});

const schema = buildSchema(
  'input F { a: Int } enum C { GREEN } type Query { a(filter: F, list: [C!]): Int b(first: Int = 20): Int }',
);

test.each([
  ['unknown fields', { filter: Object.fromEntries(Array.from({ length: 6_000 }, (_, i) => [`k${i}`, 1])) }],
  ['wrong values', { list: Array(20_000).fill('red') }],
  ['one long value', { list: ['x'.repeat(60_000)] }],
])('of variables with thousands of %s the first is told, briefly', (_what, given) => {
  const operation = getOperationAST(
    parse('query ($filter: F, $list: [C!]) { a(filter: $filter, list: $list) }'),
  )!;
  let told: GraphQLError | undefined;
  try {
    readVariables(schema, operation, given);
  } catch (error) {
    told = error as GraphQLError;
  }
  expect(told).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', retryable: false } });
  expect(told!.message).toMatch(/^Variable "\$(filter|list)"/);
  expect(told!.message.length).toBeLessThan(1_000);
});

test.each([
  ['2^31', '2147483648'],
  ['1e309', '1e309'],
  ['half a thing', '1.5'],
  ['a word', '"ten"'],
])('a page of %s is no number of things', (_what, first) => {
  const operation = getOperationAST(parse('query ($first: Int) { b(first: $first) }'))!;
  const given = JSON.parse(`{"first":${first}}`);
  expect(() => readVariables(schema, operation, given)).toThrow(
    expect.objectContaining({ extensions: expect.objectContaining({ code: 'BAD_USER_INPUT' }) }),
  );
});

test('names that every object inherits are unknown variables like any other and change nothing', () => {
  const operation = getOperationAST(parse('query ($filter: F) { a(filter: $filter) }'))!;
  const given = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
  checkVariables(given, 80, defaultLimits);
  expect(Object.keys(readVariables(schema, operation, given))).toEqual([]);
  const inside = JSON.parse('{"filter":{"__proto__":{"polluted":1}}}');
  expect(() => readVariables(schema, operation, inside)).toThrow('__proto__');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
