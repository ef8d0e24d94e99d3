// What a customer can pay with. Only the provider knows the card; here stand its name there and what a person needs
// to tell it from another.
import type { Viewer } from '@orderstream/runtime/viewer';

export type PaymentMethod = {
  readonly id: string;
  readonly userId: string;
  readonly providerId: string;
  readonly kind: string;
  readonly brand: string;
  readonly last4: string;
  readonly removedAt: Date | null;
};

/** A method as the provider shows it. */
export type SeenMethod = Pick<PaymentMethod, 'providerId' | 'kind' | 'brand' | 'last4'>;

/** The payments' part of a user. */
export type OfUser = { readonly id: string };

/** more than anybody needs, and few enough to be shown without pages */
export const mostMethods = 20;

export const mayRead = (viewer: Viewer, method: Pick<PaymentMethod, 'userId'>): boolean =>
  viewer.userId === method.userId || viewer.scopes.has('payments:read');

/** What is wrong with a token, as a sentence; null when it may be shown to the provider. It is never repeated. */
export const tokenProblem = (token: string): string | null => {
  // 12 to 19 digits, however they are grouped: a card number goes nowhere, not even to the provider.
  if (/\d(?:[\s.\-_]*\d){11,}/.test(token)) return 'Card numbers are not accepted here.';
  return /^(pm|tok)_[A-Za-z0-9_]{3,200}$/.test(token) ? null : 'This is not a token of the payment provider.';
};

/** The same sentence for whatever is unknown, removed or somebody else's. */
export const notUsable = 'This payment method cannot be used.';
