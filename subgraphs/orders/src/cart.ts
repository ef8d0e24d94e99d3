import { type Money, sum, times, zero } from '@orderstream/runtime/money';
import { type InvalidInput, invalidInput } from '@orderstream/runtime/text';

/** The copy of a variant that a cart is priced by; the catalogue owns it. */
export type Variant = {
  readonly id: string;
  readonly productId: string;
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
  readonly active: boolean;
  /** what inventory last said can be sold; null when it never said anything */
  readonly available: number | null;
};

export type CartLine = {
  readonly id: string;
  readonly variant: Variant;
  readonly quantity: number;
  /** the price when it was put into the cart */
  readonly seenPrice: Money;
};

export type Cart = {
  readonly id: string;
  readonly userId: string;
  readonly version: number;
  readonly currency: string;
  readonly lines: readonly CartLine[];
};

/** The cart with a variant's quantity replaced; 0 takes the line out, and one that is new comes last. */
export const withLine = (cart: Cart, line: CartLine): Cart => {
  const known = cart.lines.find(({ variant }) => variant.id === line.variant.id);
  const put = known ? { ...line, id: known.id } : line;
  const all = known ? cart.lines.map((one) => (one === known ? put : one)) : [...cart.lines, put];
  return { ...cart, version: cart.version + 1, lines: all.filter(({ quantity }) => quantity > 0) };
};

export type CartProblem = 'OUT_OF_STOCK' | 'PRICE_CHANGED' | 'LIMIT_EXCEEDED' | 'NOT_SOLD_ANY_MORE';

const mostOfOne = 10_000;
const mostLines = 100;

export const subtotalOf = (cart: Cart): Money =>
  sum(
    cart.lines.map((line) => times(line.variant.price, line.quantity)),
    cart.currency,
  );

export const discountOf = (cart: Cart): Money => zero(cart.currency);

/** What the customer should know about a line. Stock is a copy and may lag: only the reservation decides. */
export const problemOf = ({ variant, quantity, seenPrice }: CartLine): CartProblem | null => {
  if (!variant.active) return 'NOT_SOLD_ANY_MORE';
  if (variant.available !== null && variant.available < quantity) return 'OUT_OF_STOCK';
  if (seenPrice.amountMinor !== variant.price.amountMinor) return 'PRICE_CHANGED';
  return null;
};

export type LineRefused = {
  readonly error: 'CartLineRefused';
  readonly reason: CartProblem;
  readonly limit: number | null;
  readonly message: string;
};

/** Whether a quantity of a variant may be put into a cart; 0 takes it out and always may. */
export const acceptLine = (
  cart: Cart,
  variant: Variant,
  quantity: number,
): LineRefused | InvalidInput | null => {
  if (quantity < 0 || quantity > mostOfOne)
    return invalidInput([
      { path: ['input', 'quantity'], message: `A quantity is between 0 and ${mostOfOne}.` },
    ]);
  if (quantity === 0) return null;
  if (!variant.active)
    return {
      error: 'CartLineRefused',
      reason: 'NOT_SOLD_ANY_MORE',
      limit: null,
      message: `${variant.sku} is not sold any more.`,
    };
  const isNew = !cart.lines.some((line) => line.variant.id === variant.id);
  if (isNew && cart.lines.length >= mostLines)
    return {
      error: 'CartLineRefused',
      reason: 'LIMIT_EXCEEDED',
      limit: mostLines,
      message: `A cart has ${mostLines} lines at most.`,
    };
  return null;
};

/** Whether a cart may become an order; the first line that may not is named. */
export const acceptCart = (cart: Cart): LineRefused | InvalidInput | null => {
  if (cart.lines.length === 0)
    return invalidInput([{ path: ['input', 'cartId'], message: 'The cart is empty.' }]);
  const gone = cart.lines.find((line) => !line.variant.active);
  return gone
    ? {
        error: 'CartLineRefused',
        reason: 'NOT_SOLD_ANY_MORE',
        limit: null,
        message: `${gone.variant.sku} is not sold any more.`,
      }
    : null;
};
