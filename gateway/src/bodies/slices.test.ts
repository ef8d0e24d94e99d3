import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countAt, elementsAt, endOfValue, membersAt } from './slices.ts';

const padded = (value: unknown, indent: number): string => JSON.stringify(value, null, indent);

test('the elements of any list are cut where JSON.parse would cut them', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 2), (list, indent) => {
      const text = `x${padded(list, indent)}y`;
      expect(elementsAt(text, 1)!.map((one) => JSON.parse(one))).toEqual(JSON.parse(JSON.stringify(list)));
      expect(countAt(text, 1)).toBe(list.length);
      expect(endOfValue(text, 1)).toBe(text.length - 1);
    }),
  );
});

test('the members of any object are found where they stand', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 1), (object, indent) => {
      const text = padded(object, indent);
      const found = membersAt(text, 0)!.map(({ name, from, to }) => [
        JSON.parse(`"${name}"`),
        JSON.parse(text.slice(from, to)),
      ]);
      expect(found).toEqual(Object.entries(JSON.parse(text)));
    }),
  );
});

test('a text that ends too early has no parts, wherever it ends', () => {
  const text = '[{"a":"\\\\\\"]","b":[1,{"c":null}]},"x",12]';
  expect(elementsAt(text, 0)).toHaveLength(3);
  for (let end = 0; end < text.length; end += 1) expect(elementsAt(text.slice(0, end), 0)).toBeNull();
});

test.each(['', 'null', '{}', '"["', '[1 2]', '[,]'])('%j is no list', (text) => {
  expect(elementsAt(text, 0)).toBeNull();
});

test.each(['', '[]', '{a:1}', '{"a" 1}', '{"a":}', '{"a":1 "b":2}'])('%j is no object', (text) => {
  expect(membersAt(text, 0)).toBeNull();
});
