/**
 * The people of the demo shop. The source knows customers by number only; names and addresses are invented from the
 * number, the same every time, and every e-mail address is at example.com, where nobody can be reached (RFC 2606).
 */
import { seedFraction, seedId, shopOpened } from './ids.ts';
import { type Customer, customers } from './online-retail.ts';
import { places } from './places.ts';

export type Address = {
  readonly recipient: string;
  readonly line1: string;
  readonly city: string;
  readonly postcode: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
};

export type Role = 'CUSTOMER' | 'ADMIN' | 'FRAUD_REVIEWER';

export type Person = {
  /** `seedId('user', key)`. */
  readonly id: string;
  /** The customer number, or for a sign-in the part of the e-mail address before the @. */
  readonly key: string;
  readonly displayName: string;
  readonly email: string;
  readonly roles: readonly Role[];
  readonly createdAt: Date;
  readonly address: Address;
};

const givenNames =
  'Ada Alan Amira Anna Arthur Beatrix Ben Carla Cedric Clara Daniel Dora Edith Elias Emma Erik Esther Felix Fiona Frida ' +
  'George Grace Hanna Harold Helen Hugo Ida Ines Isaac Ivy Jack Jane Jonas Julia Karim Kate Laura Leo Lina Louis Lucy ' +
  'Marco Maria Martin Maya Milo Nadia Nina Noah Nora Olive Oscar Paula Peter Rosa Ruth Samuel Sara Simon Sofia Theo ' +
  'Thomas Vera Victor';
const familyNames =
  'Abbott Adler Ashdown Barlow Becker Bellamy Birch Blake Bramley Brook Carver Clayton Cole Cooper Dale Dawson Drake ' +
  'Ellery Fairfax Farrow Fenn Finch Fletcher Ford Frost Garland Grant Greene Hale Hartley Hayes Heath Holm Holt Keller ' +
  'Kent Lane Larkin Linden Lowell Marsh Mercer Miller Moreau Moss Norden Oakes Page Parrish Perrin Quill Ridley Rivers ' +
  'Rowan Sanders Shaw Stone Thorne Turner Vale Vance Walker Webb Weston Winter Wood Yates';

const given = givenNames.split(' ');
const family = familyNames.split(' ');

/** One of the list, chosen by what is decided and for whom. */
const chosen = <T>(from: readonly T[], what: string, key: string): T =>
  from[Math.floor(seedFraction(what, key) * from.length)]!;

const ukLetters = [...'ABDEFGHJLNPQRSTUWXYZ'];

const filled = (form: string, key: string): string =>
  form
    .replace(/#/g, (_, at: number) => String(Math.floor(seedFraction(`digit ${at}`, key) * 10)))
    .replace(/@/g, (_, at: number) => chosen(ukLetters, `letter ${at}`, key));

/** Throws for a country the source does not have: its place is missing in places.ts. */
const addressOf = (key: string, recipient: string, sourceCountry: string): Address => {
  const place = places[sourceCountry];
  if (!place) throw new Error(`No place is known for the country "${sourceCountry}"`);
  const [city, form] = chosen(place.cities, 'city', key);
  const house = 1 + Math.floor(seedFraction('house', key) * 180);
  return {
    recipient,
    line1: chosen(place.streets, 'street', key).replace('{n}', String(house)),
    city,
    postcode: filled(form, key),
    country: place.country,
  };
};

/** Somebody who never was, the same for the same key; `country` as the source writes it. */
export const invented = (
  key: string,
  country: string,
  { id, createdAt }: Pick<Person, 'id' | 'createdAt'>,
): Person => {
  const names = [chosen(given, 'given name', key), chosen(family, 'family name', key)] as const;
  const displayName = names.join(' ');
  return {
    id,
    key,
    displayName,
    // The key keeps it unique; names repeat.
    email: `${names.join('.')}.${key}@example.com`.toLowerCase(),
    roles: ['CUSTOMER'],
    createdAt,
    address: addressOf(key, displayName, country),
  };
};

const personOf = ({ number, country, firstInvoiceAt }: Customer): Person =>
  invented(number, country, { id: seedId('user', number), createdAt: firstInvoiceAt });

/** The 3,613 customers of the history, by number. They have no password and cannot sign in. */
export const people = (): Person[] => customers().map(personOf);

/** Where a guest was delivered to: an address for an invoice without a customer, in the invoice's country. */
export const guestAddress = (invoice: string, sourceCountry: string): Address =>
  addressOf(`guest ${invoice}`, 'Guest', sourceCountry);

const signIn = (key: string, displayName: string, role: Role): Person => ({
  id: seedId('user', key),
  key,
  displayName,
  email: `${key}@example.com`,
  roles: [role],
  createdAt: shopOpened,
  address: addressOf(key, displayName, 'United Kingdom'),
});

/** The three to try the shop with. Passwords are not data: whoever stores these people brings them. */
export const signIns = {
  customer: signIn('ada', 'Ada Linden', 'CUSTOMER'),
  admin: signIn('admin', 'Martin Hale', 'ADMIN'),
  reviewer: signIn('reviewer', 'Nora Finch', 'FRAUD_REVIEWER'),
} as const;
