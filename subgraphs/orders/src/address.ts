import type { Address } from './order.ts';

export type Problem = { readonly path: string[]; readonly message: string };

const limits = { recipient: 100, line1: 200, line2: 200, city: 100, postcode: 16 } as const;
const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
const isCountry = (code: string): boolean => /^[A-Z]{2}$/.test(code) && regions.of(code) !== undefined;

/** The address as it will stand on the order, or everything that is wrong with it. */
export const readAddress = (
  given: { [K in keyof Address]?: string | null },
  path: readonly string[],
): { readonly address: Address } | { readonly problems: Problem[] } => {
  const problems: Problem[] = [];
  const text = (field: keyof typeof limits, isRequired: boolean): string => {
    const value = (given[field] ?? '').normalize('NFC').trim();
    const wrong =
      isRequired && value === ''
        ? 'This is needed.'
        : value.length > limits[field]
          ? `At most ${limits[field]} characters.`
          : /\p{Cc}/u.test(value)
            ? 'Control characters are not allowed.'
            : null;
    if (wrong) problems.push({ path: [...path, field], message: wrong });
    return value;
  };
  const country = (given.country ?? '').trim().toUpperCase();
  if (!isCountry(country))
    problems.push({ path: [...path, 'country'], message: 'Two letters of ISO 3166, such as GB.' });
  const address: Address = {
    recipient: text('recipient', true),
    line1: text('line1', true),
    line2: text('line2', false) || null,
    city: text('city', true),
    postcode: text('postcode', true),
    country,
  };
  return problems.length > 0 ? { problems } : { address };
};
