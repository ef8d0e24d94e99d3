import { expect, test } from 'vitest';
import { type Cursor, connection, encodeCursor, readPage, setCursorSecret } from './paging.ts';

setCursorSecret('a secret of this test');

const cursor: Cursor = {
  sort: 'newest',
  at: '2026-11-21T10:00:00.000Z',
  id: '01900000-0000-7000-8000-000000000001',
};
const refusal = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { extensions?: unknown }).extensions;
  }
};
const badArgument = (argument: string) => ({ code: 'BAD_USER_INPUT', argument });

test('a page goes on where the cursor says', () => {
  expect(readPage({ first: 5, after: encodeCursor(cursor) }, 'newest')).toEqual({ first: 5, after: cursor });
});

test('without arguments the first twenty are shown', () => {
  expect(readPage({}, 'newest')).toEqual({ first: 20, after: null });
  expect(readPage({ first: null, after: null }, 'newest')).toEqual({ first: 20, after: null });
});

test.each([0, -1, 101, 1_000_000])('a page of %d is refused', (first) => {
  expect(refusal(() => readPage({ first }, 'newest'))).toMatchObject(badArgument('first'));
});

test('a page of one and a page of a hundred are not', () => {
  expect(readPage({ first: 1 }, 'newest').first).toBe(1);
  expect(readPage({ first: 100 }, 'newest').first).toBe(100);
});

test('the cursor of one order of the list does not fit another', () => {
  expect(refusal(() => readPage({ after: encodeCursor(cursor) }, 'price'))).toMatchObject(
    badArgument('after'),
  );
});

const own = Buffer.from(encodeCursor(cursor), 'base64url');
const changed = Buffer.from(own);
changed[own.length - 10]! ^= 1;

test.each([
  ['a word', 'cursor'],
  ['one letter', 'a'],
  ['no base64 at all', '%%%%'],
  ['a cursor with another id in it', changed.toString('base64url')],
  ['a cursor cut off', own.subarray(0, own.length - 1).toString('base64url')],
  ['the body without its signature', own.subarray(9).toString('base64url')],
  [
    'a body under a signature of zeros',
    Buffer.concat([Buffer.alloc(9), own.subarray(9)]).toString('base64url'),
  ],
  ['100 kB of something', 'A'.repeat(100_000)],
])('%s is no cursor', (_, after) => {
  expect(refusal(() => readPage({ after }, 'newest'))).toMatchObject(badArgument('after'));
});

test('a cursor signed with another secret is no cursor', () => {
  setCursorSecret('another secret');
  const after = encodeCursor(cursor);
  setCursorSecret('a secret of this test');
  expect(refusal(() => readPage({ after }, 'newest'))).toMatchObject(badArgument('after'));
});

test('one row too many tells that there is a next page', () => {
  const page = readPage({ first: 2 }, 'newest');
  const cursorOf = (id: string): Cursor => ({ ...cursor, id });
  const full = connection(['a', 'b', 'c'], page, cursorOf);
  expect(full.edges.map((edge) => edge.node)).toEqual(['a', 'b']);
  expect(full.pageInfo).toEqual({
    hasNextPage: true,
    hasPreviousPage: false,
    startCursor: full.edges[0]!.cursor,
    endCursor: full.edges[1]!.cursor,
  });
  const next = readPage({ first: 2, after: full.pageInfo.endCursor }, 'newest');
  expect(next.after?.id).toBe('b');
  expect(connection(['c'], next, cursorOf).pageInfo).toMatchObject({
    hasNextPage: false,
    hasPreviousPage: true,
  });
});

test('an empty list has a page without cursors', () => {
  expect(connection([], readPage({}, 'newest'), () => cursor)).toEqual({
    edges: [],
    pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
  });
});
