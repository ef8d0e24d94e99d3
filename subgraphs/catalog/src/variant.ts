import type { Money } from '@orderstream/runtime/money';

export type Attribute = { readonly name: string; readonly value: string };

export type Variant = {
  readonly tenantId: string;
  readonly id: string;
  readonly productId: string;
  readonly sku: string;
  readonly name: string;
  readonly listPrice: Money;
  readonly weightGrams: number | null;
  readonly imageUrl: string | null;
  readonly attributes: readonly Attribute[];
  /** false: not sold any more; orders of the past still show it */
  readonly active: boolean;
  readonly version: number;
};

export type Change = {
  /** minor units of the variant's currency, tax included */
  readonly priceMinor?: number;
  readonly active?: boolean;
};

export type InvalidChange = {
  readonly error: 'InvalidInput';
  readonly problems: readonly { readonly path: readonly string[]; readonly message: string }[];
};

/** The variant after the change, one version on; the same variant where nothing changes. */
export const change = (variant: Variant, { priceMinor, active }: Change): Variant | InvalidChange => {
  if (priceMinor !== undefined && (!Number.isSafeInteger(priceMinor) || priceMinor < 0))
    return {
      error: 'InvalidInput',
      problems: [{ path: ['priceMinor'], message: 'A price is a whole number of minor units, 0 or more.' }],
    };
  const next: Variant = {
    ...variant,
    listPrice: { ...variant.listPrice, amountMinor: priceMinor ?? variant.listPrice.amountMinor },
    active: active ?? variant.active,
  };
  const isSame =
    next.listPrice.amountMinor === variant.listPrice.amountMinor && next.active === variant.active;
  return isSame ? variant : { ...next, version: variant.version + 1 };
};

/** What cannot be a SKU need not be looked up. */
export const isSku = (text: string): boolean =>
  text.length <= 100 && /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(text);
