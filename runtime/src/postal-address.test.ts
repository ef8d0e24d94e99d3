import { expect, test } from 'vitest';
import { countries } from './countries.ts';
import { checkAddress } from './postal-address.ts';

const good = {
  recipient: 'Ada Lovelace',
  line1: '12 St James’s Square',
  city: 'London',
  postcode: 'SW1Y 4JH',
  country: 'GB',
};
const problemsOf = (input: object) => {
  const outcome = checkAddress({ ...good, ...input }, ['input', 'address']);
  return 'error' in outcome ? outcome.problems.map((problem) => problem.path.join('.')) : [];
};

test('an address is tidied: no blanks around it, the country in capitals, an empty line is none', () => {
  expect(
    checkAddress({ ...good, city: ' London ', line2: '  ', country: 'gb' }, ['input', 'address']),
  ).toEqual({
    ...good,
    line2: null,
  });
});

test('everything that is wrong with an address is told at once', () => {
  expect(
    problemsOf({
      recipient: '',
      line1: 'x'.repeat(101),
      line2: 'a\nb',
      city: '\0',
      postcode: '1'.repeat(17),
      country: 'XX',
    }),
  ).toEqual(
    ['recipient', 'line1', 'line2', 'city', 'postcode', 'country'].map((field) => `input.address.${field}`),
  );
});

test('a megabyte is not an address', () => {
  expect(problemsOf({ line1: 'x'.repeat(1_000_000) })).toEqual(['input.address.line1']);
});

test('the countries are the 249 of ISO 3166, and the United Kingdom is GB', () => {
  expect(countries.size).toBe(249);
  for (const code of ['GB', 'DE', 'US', 'SS', 'CW']) expect(countries.has(code), code).toBe(true);
  for (const code of ['UK', 'EU', 'XK', 'AN', 'GBR', '']) expect(countries.has(code), code).toBe(false);
});
