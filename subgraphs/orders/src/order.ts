import type { Money } from '@orderstream/runtime/money';
import { containedTax, plus, sum, times, zero } from '@orderstream/runtime/money';
import type { Connection } from '@orderstream/runtime/paging';
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import type { Viewer } from '@orderstream/runtime/viewer';
import { type Checkout, mayCancel, type Step } from './checkout.ts';

export type OrderStatus =
  | 'PENDING'
  | 'AWAITING_PAYMENT'
  | 'AWAITING_REVIEW'
  | 'CONFIRMED'
  | 'PROCESSING'
  | 'SHIPPED'
  | 'DELIVERED'
  | 'CANCELLED';

export type Order = {
  readonly id: string;
  readonly number: string;
  readonly customerId: string | null;
  readonly status: OrderStatus;
  readonly statusReason: string | null;
  readonly version: number;
  readonly placedAt: Date;
  readonly updatedAt: Date;
  readonly subtotal: Money;
  readonly discountTotal: Money;
  readonly shippingTotal: Money;
  readonly taxTotal: Money;
  readonly total: Money;
  readonly shippingAddress: PostalAddress;
  /** null: it was sold elsewhere and never went through a checkout here */
  readonly checkout: Pick<Checkout, 'step' | 'pending' | 'needsOperator'> | null;
  readonly deadlineAt: Date | null;
};

export type OrderLine = {
  readonly id: string;
  readonly orderId: string;
  readonly variantId: string;
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPrice: Money;
  readonly lineTotal: Money;
};

export type OrderEvent = {
  readonly orderId: string;
  readonly seq: number;
  /** null where it moved nothing */
  readonly version: number | null;
  readonly type: string;
  readonly at: Date;
  readonly actor: string;
  readonly from: OrderStatus | null;
  readonly to: OrderStatus;
  readonly reason: string | null;
};

export type Customer = { readonly id: string };

export type OrderPage = Connection<Order> & {
  readonly count: () => Promise<{ total: number; isEstimate: boolean }>;
};

/** What a shop charges besides its goods. Prices contain the tax. */
export type Terms = {
  readonly currency: string;
  readonly taxPercent: number;
  readonly shippingMinor: number;
};

export type Totals = Pick<Order, 'subtotal' | 'discountTotal' | 'shippingTotal' | 'taxTotal' | 'total'>;

/** The tax is taken from each line and then summed, as it stands on an invoice. */
export const totalsOf = (
  lines: readonly { readonly unitPrice: Money; readonly quantity: number }[],
  { currency, taxPercent, shippingMinor }: Terms,
): Totals => {
  const lineTotals = lines.map((line) => times(line.unitPrice, line.quantity));
  const subtotal = sum(lineTotals, currency);
  const shippingTotal = { amountMinor: shippingMinor, currency };
  const taxTotal = sum(
    [...lineTotals, shippingTotal].map((amount) => containedTax(amount, taxPercent)),
    currency,
  );
  return {
    subtotal,
    discountTotal: zero(currency),
    shippingTotal,
    taxTotal,
    total: plus(subtotal, shippingTotal),
  };
};

/** What the customer is told. The saga's step is the only source; nothing else assigns a status. */
const statusByStep: Readonly<Record<Exclude<Step, 'VOIDING' | 'REFUNDING' | 'RELEASING'>, OrderStatus>> = {
  RESERVING: 'PENDING',
  SCORING: 'PENDING',
  AUTHORIZING: 'AWAITING_PAYMENT',
  REVIEW: 'AWAITING_REVIEW',
  ALLOCATING: 'CONFIRMED',
  SHIPPING: 'PROCESSING',
  CAPTURING: 'SHIPPED',
  DELIVERING: 'SHIPPED',
  DONE: 'DELIVERED',
  CANCELLED: 'CANCELLED',
};

/** While something is being undone the customer keeps seeing what was before. */
export const statusOf = (step: Step, before: OrderStatus): OrderStatus =>
  step === 'VOIDING' || step === 'REFUNDING' || step === 'RELEASING' ? before : statusByStep[step];

const waits: Readonly<Record<Step, string | null>> = {
  RESERVING: 'stock',
  SCORING: 'fraud assessment',
  AUTHORIZING: 'payment',
  REVIEW: 'fraud review',
  ALLOCATING: 'stock',
  SHIPPING: 'carrier',
  CAPTURING: 'payment',
  DELIVERING: 'delivery',
  DONE: null,
  VOIDING: 'payment to be voided',
  REFUNDING: 'refund',
  RELEASING: 'stock to be released',
  CANCELLED: null,
};

/** What an operator has to see to. */
const operatorsTask: Partial<Record<Step, string>> = {
  SHIPPING: 'operator: the parcel cannot be sent',
  CAPTURING: 'operator: the money cannot be taken',
  DELIVERING: 'operator: the parcel has not been seen for a long time',
};

/** Why an order stands still; null where it has come to its end. */
export const waitingFor = ({ checkout }: Pick<Order, 'checkout'>): string | null => {
  if (!checkout) return null;
  const { step, pending, needsOperator } = checkout;
  if (needsOperator) return operatorsTask[step] ?? 'operator';
  return step === 'SHIPPING' && (pending === 'CANCEL' || pending === 'REVIEW')
    ? 'carrier to give the parcel back'
    : waits[step];
};

/** Who may read an order. The loader takes the viewer and asks this, so an order cannot be loaded without it. */
export const mayRead = (viewer: Viewer, order: Pick<Order, 'customerId'>): boolean =>
  (viewer.userId !== null && viewer.userId === order.customerId) || viewer.scopes.has('orders:read');

export const mayChange = (viewer: Viewer, order: Pick<Order, 'customerId'>): boolean =>
  (viewer.userId !== null && viewer.userId === order.customerId) || viewer.scopes.has('orders:write');

type Action = 'CANCEL' | 'REFUND' | 'REVIEW';

/** Money has been taken, and may be given back. */
const isPaid = (step: Step): boolean => step === 'DELIVERING' || step === 'DONE';

export const allowedActions = (viewer: Viewer, order: Order): Action[] => {
  const { checkout } = order;
  if (!checkout) return [];
  const allowed: Readonly<Record<Action, boolean>> = {
    CANCEL: mayChange(viewer, order) && mayCancel(checkout),
    REFUND: viewer.scopes.has('refunds:write') && isPaid(checkout.step),
    REVIEW: viewer.scopes.has('fraud:review') && checkout.step === 'REVIEW',
  };
  return (Object.keys(allowed) as Action[]).filter((action) => allowed[action]);
};

/** What cannot be an order's number need not be looked up. */
export const isOrderNumber = (text: string): boolean => /^[\x21-\x7e]{1,40}$/.test(text);

/** `N-2026-0001234` */
export const orderNumber = (placedAt: Date, serial: number): string =>
  `N-${placedAt.getUTCFullYear()}-${String(serial).padStart(7, '0')}`;
