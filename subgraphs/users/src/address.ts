// An entry of the address book.
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import { type InvalidInput, invalidInput } from '@orderstream/runtime/text';

export type Address = PostalAddress & { readonly id: string; readonly userId: string };

/** addresses in one book */
export const mostAddresses = 50;

export const bookIsFull = (): InvalidInput =>
  invalidInput([
    { path: ['input', 'address'], message: `An address book has ${mostAddresses} addresses at most.` },
  ]);
