// Integer minor units with their currency. Amounts of two currencies are never added: that is a bug and throws.

export type Money = { readonly amountMinor: number; readonly currency: string };

/** ISO 4217 exponents that are not 2. */
const exponents: Readonly<Record<string, number>> = {
  BHD: 3,
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  IQD: 3,
  ISK: 0,
  JOD: 3,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  PYG: 0,
  RWF: 0,
  TND: 3,
  UGX: 0,
  UYI: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
};

export const money = (amountMinor: number, currency: string): Money => {
  if (!Number.isSafeInteger(amountMinor))
    throw new RangeError(`${amountMinor} is not a whole number of minor units`);
  return { amountMinor, currency };
};

const sameCurrency = (a: Money, b: Money): void => {
  if (a.currency !== b.currency) throw new TypeError(`${a.currency} and ${b.currency} cannot be mixed`);
};

export const zero = (currency: string): Money => money(0, currency);

export const plus = (a: Money, b: Money): Money => {
  sameCurrency(a, b);
  return money(a.amountMinor + b.amountMinor, a.currency);
};

export const minus = (a: Money, b: Money): Money => {
  sameCurrency(a, b);
  return money(a.amountMinor - b.amountMinor, a.currency);
};

export const times = (a: Money, count: number): Money => money(a.amountMinor * count, a.currency);

export const isMore = (a: Money, b: Money): boolean => {
  sameCurrency(a, b);
  return a.amountMinor > b.amountMinor;
};

export const sum = (amounts: readonly Money[], currency: string): Money =>
  amounts.reduce(plus, zero(currency));

/** The tax contained in a price, rounded half up; `percent` 20 is one sixth of the price. */
export const containedTax = (gross: Money, percent: number): Money =>
  money(Math.round((gross.amountMinor * percent) / (100 + percent)), gross.currency);

/** Splits an amount by weights so that the parts add up exactly: largest remainders get the left-over units. */
export const split = (whole: Money, weights: readonly number[]): Money[] => {
  const total = weights.reduce((a, b) => a + b, 0);
  if (total <= 0) throw new RangeError('weights must add up to more than 0');
  const exact = weights.map((weight) => (whole.amountMinor * weight) / total);
  const parts = exact.map(Math.trunc);
  const left = whole.amountMinor - parts.reduce((a, b) => a + b, 0);
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: Math.abs(value - Math.trunc(value)) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (let i = 0; i < Math.abs(left); i++) parts[byRemainder[i % parts.length]!.index]! += Math.sign(left);
  return parts.map((part) => money(part, whole.currency));
};

const formats = new Map<string, Intl.NumberFormat>();

/** For people: `£4.95`. An unknown locale falls back to British English. */
export const format = (amount: Money, locale = 'en-GB'): string => {
  const exponent = exponents[amount.currency] ?? 2;
  const key = `${locale} ${amount.currency}`;
  let found = formats.get(key);
  if (!found) {
    const known = isLocale(locale) ? locale : 'en-GB';
    found = new Intl.NumberFormat(known, {
      style: 'currency',
      currency: amount.currency,
      minimumFractionDigits: exponent,
      maximumFractionDigits: exponent,
    });
    if (formats.size < 200) formats.set(key, found);
  }
  return found.format(amount.amountMinor / 10 ** exponent);
};

const isLocale = (locale: string): boolean => {
  try {
    return Intl.NumberFormat.supportedLocalesOf(locale).length > 0;
  } catch {
    return false;
  }
};
