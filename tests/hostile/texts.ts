// Inputs 1 to 4: texts that are more work than they look.
import { type Expected, type Input, invalid, query, times, tooComplex, type Words } from './input.ts';

const doubling = (depth: number, serial: number): string =>
  `query Q${serial} { ...F0 } ${times(depth, (level) => `fragment F${level} on Query { ...F${level + 1} ...F${level + 1} }`)} fragment F${depth} on Query { __typename }`;

const ring = (size: number, serial: number): string =>
  `query Q${serial} { ...F0 } ${times(size, (at) => `fragment F${at} on Query { ...F${(at + 1) % size} }`)}`;

/** Each of them in all the others: as many circles as there are ways through them. */
const web = (size: number, serial: number): string =>
  `query Q${serial} { ...F0 } ${times(size, (at) => `fragment F${at} on Query { ${times(size, (to) => (to === at ? '' : `...F${to}`))} }`)}`;

export const texts = ({ list, leaf, next, guess, wide }: Words): Input[] => {
  const input = (
    number: number,
    what: string,
    text: (serial: number) => string,
    expected: Expected,
  ): Input => ({
    number,
    what,
    pieces: (serial) => query(text(serial)),
    expected,
  });
  const guesses = (count: number) => times(count, (at) => `a${at}: ${guess}`);
  return [
    input(1, 'fragments that double forty times', (n) => doubling(40, n), tooComplex),
    input(1, 'fragments that double ten times', (n) => doubling(10, n), tooComplex),
    input(
      1,
      'four thousand levels',
      (n) => `query Q${n} { ${list} ${`{ ${next} `.repeat(4_000)}${'}'.repeat(4_000)} }`,
      tooComplex,
    ),
    input(2, 'a fragment in itself', (n) => `query Q${n} { ...F0 } fragment F0 on Query { ...F0 }`, invalid),
    input(2, 'a circle of two fragments', (n) => ring(2, n), invalid),
    input(2, 'a circle of a hundred fragments', (n) => ring(100, n), invalid),
    input(
      2,
      'a circle among fragments that nobody uses',
      (n) => `query Q${n} { __typename } fragment A on Query { ...B } fragment B on Query { ...A }`,
      invalid,
    ),
    input(2, 'twenty-five fragments each in all the others', (n) => web(25, n), tooComplex),
    input(
      3,
      'four thousand aliases',
      (n) => `query Q${n} { ${times(4_000, (at) => `a${at}: __typename`)} }`,
      tooComplex,
    ),
    input(
      3,
      'a hundred aliases',
      (n) => `query Q${n} { ${list} { ${times(100, (at) => `a${at}: ${leaf}`)} } }`,
      tooComplex,
    ),
    input(
      3,
      'one field a thousand times',
      (n) => `query Q${n} { ${list} { ${`${leaf} `.repeat(1_000)} } }`,
      tooComplex,
    ),
    input(
      3,
      'every field of a wide type as often as may be, then once more',
      (n) => `query Q${n} { ${wide.field} { ${times(51, () => wide.names.slice(0, 30).join(' '))} } }`,
      tooComplex,
    ),
    input(4, 'a hundred guesses of a password', (n) => `mutation M${n} { ${guesses(100)} }`, tooComplex),
    input(4, 'two guesses of a password', (n) => `mutation M${n} { ${guesses(2)} }`, tooComplex),
    input(
      4,
      'two guesses of a password, one of them in a fragment',
      (n) => `mutation M${n} { a: ${guess} ...F } fragment F on Mutation { b: ${guess} }`,
      tooComplex,
    ),
  ];
};
