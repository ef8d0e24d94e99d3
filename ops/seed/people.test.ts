import { expect, test } from 'vitest';
import { seedId } from './ids.ts';
import { customers, invoices } from './online-retail.ts';
import { guestAddress, people, signIns } from './people.ts';

const everybody = people();
const byNumber = new Map(everybody.map((person) => [person.key, person]));
const all = [...everybody, ...Object.values(signIns)];

test('each customer of the history is one person, with the id everybody derives from the number', () => {
  expect(everybody).toHaveLength(3_613);
  expect(everybody.map((person) => person.key)).toEqual(customers().map((customer) => customer.number));
  expect(byNumber.get('17850')?.id).toBe(seedId('user', '17850'));
  expect(new Set(all.map((person) => person.id)).size).toBe(all.length);
});

test('the same number makes the same person every time', () => {
  expect(people()).toEqual(everybody);
});

test('mail addresses are unique, well formed and lead nowhere', () => {
  expect(new Set(all.map((person) => person.email)).size).toBe(all.length);
  expect(all.filter((person) => !/^[a-z]+(\.[a-z]+\.\d{5})?@example\.com$/.test(person.email))).toEqual([]);
});

test('names are many, not a handful', () => {
  expect(new Set(everybody.map((person) => person.displayName)).size).toBeGreaterThan(1_500);
});

test('everybody has a complete address with nothing left to fill in', () => {
  const isComplete = ({ recipient, line1, city, postcode, country }: (typeof all)[number]['address']) =>
    [recipient, line1, city, postcode].every((part) => part !== '' && !/[#@{}]/.test(part)) &&
    /^[A-Z]{2}$/.test(country) &&
    /\d/.test(line1);
  expect(all.filter((person) => !isComplete(person.address))).toEqual([]);
  expect(all.filter((person) => person.address.recipient !== person.displayName)).toEqual([]);
});

test('British postcodes have the form the Royal Mail gives them', () => {
  const british = everybody.filter((person) => person.address.country === 'GB');
  expect(british.length).toBeGreaterThan(3_000);
  const form = /^[A-Z]{1,2}\d[\dA-Z]? \d[ABD-HJLNP-UW-Z]{2}$/;
  expect(british.filter((person) => !form.test(person.address.postcode))).toEqual([]);
});

test('customers live where the history says', () => {
  const countries = new Map(customers().map((customer) => [customer.country, customer.number]));
  const livesIn = (source: string) => byNumber.get(countries.get(source) ?? '')?.address.country;
  expect(['United Kingdom', 'EIRE', 'USA', 'Germany', 'Channel Islands', 'Unspecified'].map(livesIn)).toEqual(
    ['GB', 'IE', 'US', 'DE', 'JE', 'GB'],
  );
});

test('an invoice of any country can be delivered, to guests too', () => {
  const countries = new Set([...invoices()].map((invoice) => invoice.country));
  expect(countries.size).toBe(37);
  for (const country of countries) expect(guestAddress('536544', country).country).toMatch(/^[A-Z]{2}$/);
  expect(() => guestAddress('536544', 'Atlantis')).toThrow('Atlantis');
});

test('three people can sign in, each with a role, and the data hold no password', () => {
  expect(Object.values(signIns).map(({ email, roles }) => [email, ...roles])).toEqual([
    ['ada@example.com', 'CUSTOMER'],
    ['admin@example.com', 'ADMIN'],
    ['reviewer@example.com', 'FRAUD_REVIEWER'],
  ]);
  expect(JSON.stringify(all)).not.toMatch(/password/i);
});
