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
  readonly step: Step;
  readonly rests: boolean;
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
  ALLOCATING: 'CONFIRMED',
  CANCELLED: 'CANCELLED',
};

/** While something is being undone the customer keeps seeing what was before. */
export const statusOf = (step: Step, before: OrderStatus): OrderStatus =>
  step === 'VOIDING' || step === 'REFUNDING' || step === 'RELEASING' ? before : statusByStep[step];

const waits: Readonly<Record<Step, string | null>> = {
  RESERVING: 'stock',
  SCORING: 'fraud assessment',
  AUTHORIZING: 'payment',
  ALLOCATING: 'stock',
  VOIDING: 'payment to be voided',
  REFUNDING: 'refund',
  RELEASING: 'stock to be released',
  CANCELLED: null,
};

export const waitingFor = ({ step, rests }: Pick<Checkout, 'step' | 'rests'>): string | null =>
  rests ? null : waits[step];

/** Who may read an order. The loader takes the viewer and asks this, so an order cannot be loaded without it. */
export const mayRead = (viewer: Viewer, order: Pick<Order, 'customerId'>): boolean =>
  (viewer.userId !== null && viewer.userId === order.customerId) || viewer.scopes.has('orders:read');

export const mayChange = (viewer: Viewer, order: Pick<Order, 'customerId'>): boolean =>
  (viewer.userId !== null && viewer.userId === order.customerId) || viewer.scopes.has('orders:write');

export const allowedActions = (viewer: Viewer, order: Order): 'CANCEL'[] =>
  mayChange(viewer, order) && mayCancel(order) ? ['CANCEL'] : [];

/** What cannot be an order's number need not be looked up. */
export const isOrderNumber = (text: string): boolean => /^[\x21-\x7e]{1,40}$/.test(text);

/** `N-2026-0001234` */
export const orderNumber = (placedAt: Date, serial: number): string =>
  `N-${placedAt.getUTCFullYear()}-${String(serial).padStart(7, '0')}`;
