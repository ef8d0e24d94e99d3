// Where a parcel can go: what is written on its label, and what is wrong with what somebody typed.
import { countries } from './countries.ts';
import { type InputProblem, type InvalidInput, invalidInput, type Line, problemOf, tidy } from './text.ts';

export type PostalAddress = {
  readonly recipient: string;
  readonly line1: string;
  readonly line2: string | null;
  readonly city: string;
  readonly postcode: string;
  /** ISO 3166-1 alpha-2 */
  readonly country: string;
};

export type TypedAddress = { readonly [K in keyof PostalAddress]?: string | null };

const lines: Readonly<Record<Exclude<keyof PostalAddress, 'country'>, Line>> = {
  recipient: { name: 'The recipient', least: 1, most: 100 },
  line1: { name: 'The first line', least: 1, most: 100 },
  line2: { name: 'The second line', least: 0, most: 100 },
  city: { name: 'The city', least: 1, most: 100 },
  postcode: { name: 'The postcode', least: 1, most: 16 },
};

/** @param path of the address in the input, for the problems; all of them are told at once */
export const checkAddress = (input: TypedAddress, path: readonly string[]): PostalAddress | InvalidInput => {
  const label = {
    recipient: tidy(input.recipient ?? ''),
    line1: tidy(input.line1 ?? ''),
    line2: tidy(input.line2 ?? ''),
    city: tidy(input.city ?? ''),
    postcode: tidy(input.postcode ?? ''),
    country: tidy(input.country ?? '').toUpperCase(),
  };
  const problems: InputProblem[] = [];
  const wrong = (field: string, message: string) => problems.push({ path: [...path, field], message });
  for (const field of Object.keys(lines) as (keyof typeof lines)[]) {
    const problem = problemOf(label[field], lines[field]);
    if (problem) wrong(field, problem);
  }
  if (!countries.has(label.country)) wrong('country', 'The country is a code of ISO 3166, such as GB.');
  return problems.length > 0 ? invalidInput(problems) : { ...label, line2: label.line2 || null };
};
