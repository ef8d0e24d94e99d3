import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closest, distanceOf, interpret, type Known, readQuestion, unknownWords } from './search.ts';

const known = (word: string, more: Partial<Known> = {}): Known => ({
  word,
  isMeant: true,
  isKnown: true,
  completions: [],
  ...more,
});

describe('reading what was typed', () => {
  test.each([
    ['White Hanging HEART', 'white hanging heart'],
    ["children's T-light", 'childrens t light'],
    ['c/cover, 3.5cm!', 'c cover  3 5cm'],
    ['mug -red', 'mug -red'],
    ['"lunch bag" -"dolly girl"', '"lunch bag" -"dolly girl"'],
    ["' OR 1=1 --", 'or 1 1'],
    ['%_', ''],
    ['a\u0000b\tc', 'a b c'],
    ['cafe\u0301', 'café'],
  ])('%j is looked for as %j', (asked, text) => {
    expect(readQuestion(asked).text).toBe(text);
  });

  test.each([
    ['white hea', 'hea'],
    ['hea', 'hea'],
    ['white hea ', 'hea'],
    ['white h', null],
    ['mug -re', null],
    ['"lunch ba', null],
    ['"lunch bag"', null],
    ['red or bl', null],
    ['red or', null],
  ])('the half typed word of %j is %j', (asked, halfTyped) => {
    expect(readQuestion(asked).halfTyped).toBe(halfTyped);
  });

  test('words are listed once, and those to leave out not at all', () => {
    expect(readQuestion('mug red mug -blue -"tea cup" or').words).toEqual(['mug', 'red', 'or']);
  });

  test('whatever is typed, only words, quotes and minus signs are left of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (asked) => {
        const { text, words, halfTyped } = readQuestion(asked);
        expect(text).toMatch(/^[\p{L}\p{N}" -]*$/u);
        for (const word of words) expect(word).toMatch(/^[\p{L}\p{N}]+$/u);
        if (halfTyped !== null) expect(text.endsWith(halfTyped)).toBe(true);
      }),
    );
  });
});

describe('understanding it', () => {
  test('a half typed end may become any word that begins so', () => {
    const question = readQuestion('white decoratio');
    const words = [known('white'), known('decoratio', { completions: ['decor', "o'clock"] })];
    expect(interpret(question, words, new Map())).toEqual({
      text: 'white decoratio',
      head: 'white ',
      ending: "'decoratio':* | 'decor' | 'o''clock'",
      keywords: ['white', 'decoratio'],
    });
  });

  test('a corrected word is taken as it is now, in the text and among the keywords', () => {
    const question = readQuestion('the whiet haert');
    const words = [known('the', { isMeant: false }), known('whiet'), known('haert')];
    const corrections = new Map([
      ['whiet', 'white'],
      ['haert', 'heart'],
    ]);
    expect(interpret(question, words, corrections)).toEqual({
      text: 'the white heart',
      head: '',
      ending: null,
      keywords: ['white', 'heart'],
    });
  });

  test('only words are corrected that the shop lacks, never article numbers', () => {
    const words = [
      known('heart'),
      known('haert', { isKnown: false }),
      known('85123x', { isKnown: false }),
      known('xy', { isKnown: false }),
      known('the', { isMeant: false, isKnown: false }),
    ];
    expect(unknownWords(words)).toEqual(['haert']);
  });
});

describe('correcting slips', () => {
  test.each([
    ['haert', ['hat', 'heart', 'hearth'], 'heart'],
    ['mgu', ['mug', 'rug'], 'mug'],
    ['lantren', ['lantern', 'lance'], 'lantern'],
    ['decortion', ['decoration', 'decorative'], 'decoration'],
    ['rug', ['mug', 'jug'], 'mug'],
    ['zzzz', ['mug', 'jazz'], null],
    ['heart', [], null],
  ])('%s among %j is %j', (typed, words, meant) => {
    expect(closest(typed, words)).toBe(meant);
  });

  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });

  test('the distance is 0 to itself only, the same both ways, and 1 after one slip', () => {
    fc.assert(
      fc.property(letters, letters, fc.nat(7), (a, b, place) => {
        expect(distanceOf(a, b) === 0).toBe(a === b);
        expect(distanceOf(a, b)).toBe(distanceOf(b, a));
        expect(distanceOf(a, `${a.slice(0, place)}x${a.slice(place)}`)).toBe(1);
      }),
    );
    expect(distanceOf('ab', 'ba')).toBe(1);
    expect(distanceOf('', 'abc')).toBe(3);
  });
});
