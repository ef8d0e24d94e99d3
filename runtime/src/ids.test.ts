import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestError } from './errors.ts';
import { decodeId, encodeId, type Kind, newId, parseId, prefixes, uuidv7 } from './ids.ts';

const kinds = Object.keys(prefixes) as Kind[];

test('every uuid comes back from its id, in capitals or small letters', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.constantFrom(...kinds), (uuid, kind) => {
      const id = encodeId(kind, uuid);
      expect(id).toMatch(/^[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}$/);
      expect(parseId(kind, id)).toBe(uuid);
      const [prefix, text] = id.split('_');
      expect(parseId(kind, `${prefix}_${text!.toLowerCase()}`)).toBe(uuid);
    }),
  );
});

test('an id of one kind is no id of another', () => {
  const uuid = newId();
  for (const kind of kinds)
    for (const other of kinds.filter((one) => one !== kind))
      expect(parseId(other, encodeId(kind, uuid))).toBeNull();
});

test('no two kinds share a prefix', () => {
  expect(new Set(Object.values(prefixes)).size).toBe(kinds.length);
});

test.each([
  ['nothing', ''],
  ['a bare uuid', '01900000-0000-7000-8000-000000000001'],
  ['no text behind the prefix', 'ord_'],
  ['one letter too few', `ord_${'0'.repeat(25)}`],
  ['one letter too many', `ord_${'0'.repeat(27)}`],
  ['a letter that Crockford leaves out', `ord_${'0'.repeat(25)}U`],
  ['more than 128 bits', `ord_8${'0'.repeat(25)}`],
  ['two underscores', `ord_${'0'.repeat(26)}_`],
  ['a long s, whose capital is S', `ord_${'0'.repeat(25)}ſ`],
  ['a sharp s, whose capitals are two', `ord_${'0'.repeat(25)}ß`],
])('%s is not the id of an order', (_, id) => {
  expect(parseId('order', id)).toBeNull();
  expect(() => decodeId('order', id, ['input', 'orderId'])).toThrow(RequestError);
});

test('a malformed id is the caller’s fault, and the answer names the argument', () => {
  try {
    decodeId('variant', 'prd_1', ['input', 'variantId']);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', argument: 'input.variantId' } });
  }
});

test('ids made one after another sort by time, and each is new', () => {
  const ids = Array.from({ length: 2_000 }, (_, ms) => newId(new Date(1_790_000_000_000 + ms)));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(Array.from({ length: 2_000 }, () => newId())).size).toBe(2_000);
});

test('an id is of version 7 and carries its milliseconds', () => {
  const id = uuidv7(1_645_557_742_000, new Uint8Array(10).fill(255));
  expect(id).toBe('017f22e2-79b0-7fff-bfff-ffffffffffff');
});
