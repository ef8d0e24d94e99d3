// An entry of the address book.
import { countries } from './countries.ts';
import type { AddressInput, InputProblem } from './generated/resolvers.ts';
import { type InvalidInput, invalidInput, type Line, problemOf, tidy } from './text.ts';

export type Address = {
  readonly id: string;
  readonly userId: string;
  readonly recipient: string;
  readonly line1: string;
  readonly line2: string | null;
  readonly city: string;
  readonly postcode: string;
  readonly country: string;
};

/** What is written on the label. */
export type Label = Omit<Address, 'id' | 'userId'>;

/** addresses in one book */
export const mostAddresses = 50;

const lines: Readonly<Record<Exclude<keyof Label, 'country'>, Line>> = {
  recipient: { name: 'The recipient', least: 1, most: 100 },
  line1: { name: 'The first line', least: 1, most: 100 },
  line2: { name: 'The second line', least: 0, most: 100 },
  city: { name: 'The city', least: 1, most: 100 },
  postcode: { name: 'The postcode', least: 1, most: 16 },
};

export const checkAddress = (input: AddressInput): Label | InvalidInput => {
  const label = {
    recipient: tidy(input.recipient),
    line1: tidy(input.line1),
    line2: tidy(input.line2 ?? ''),
    city: tidy(input.city),
    postcode: tidy(input.postcode),
    country: tidy(input.country).toUpperCase(),
  };
  const problems: InputProblem[] = [];
  const wrong = (field: string, message: string) =>
    problems.push({ path: ['input', 'address', field], message });
  for (const field of Object.keys(lines) as (keyof typeof lines)[]) {
    const problem = problemOf(label[field], lines[field]);
    if (problem) wrong(field, problem);
  }
  if (!countries.has(label.country)) wrong('country', 'The country is a code of ISO 3166, such as GB.');
  return problems.length > 0 ? invalidInput(problems) : { ...label, line2: label.line2 || null };
};

export const bookIsFull = (): InvalidInput =>
  invalidInput([
    { path: ['input', 'address'], message: `An address book has ${mostAddresses} addresses at most.` },
  ]);
