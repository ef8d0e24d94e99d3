// Money is asked for by commands and told about by events. Amounts are minor units with their currency.
import { message, topic } from '@orderstream/runtime/messages';
import { z } from 'zod';

const commands = topic('payment-commands', 'orderId');
const events = topic('payment-events', 'orderId');

/** What the provider calls back with, in the order of each of its payments. */
const webhooks = topic('payment-webhooks', 'pspPaymentId');

const money = { amountMinor: z.number().int().positive(), currency: z.string().length(3) };

const paidLine = z.object({
  orderLineId: z.uuid(),
  variantId: z.uuid(),
  quantity: z.number().int().positive(),
  unitPriceMinor: z.number().int().nonnegative(),
});

/**
 * Answered by PaymentAuthorized or PaymentDeclined; an unknown outcome is found out first. `customerId` must own the
 * method. `lines` are what can be refunded one by one later.
 */
export const AuthorizePayment = message(
  commands,
  'payment.authorize',
  z.object({
    orderId: z.uuid(),
    customerId: z.uuid(),
    paymentMethodId: z.uuid(),
    ...money,
    lines: z.array(paidLine).optional(),
  }),
);
/** Takes the whole sum that was authorized. Answered by PaymentCaptured or PaymentCaptureRefused. */
export const CapturePayment = message(commands, 'payment.capture', z.object({ orderId: z.uuid() }));
/** Answered by PaymentVoided, or by PaymentCaptured when the money has already moved. Also before any authorization. */
export const VoidPayment = message(commands, 'payment.void', z.object({ orderId: z.uuid() }));
/** Gives back everything captured and not yet refunded. Answered by PaymentRefunded. */
export const RefundPayment = message(
  commands,
  'payment.refund',
  z.object({ orderId: z.uuid(), reason: z.string() }),
);

export const PaymentAuthorized = message(
  events,
  'payment.authorized',
  z.object({ orderId: z.uuid(), paymentId: z.uuid(), ...money }),
);
/** `reason` is a sentence for the customer. */
export const PaymentDeclined = message(
  events,
  'payment.declined',
  z.object({ orderId: z.uuid(), paymentId: z.uuid().nullable(), reason: z.string() }),
);
export const PaymentCaptured = message(
  events,
  'payment.captured',
  z.object({ orderId: z.uuid(), paymentId: z.uuid(), ...money }),
);
/** The money is not to be had any more, such as when the bank let its authorization lapse. `reason` is for staff. */
export const PaymentCaptureRefused = message(
  events,
  'payment.capture-refused',
  z.object({ orderId: z.uuid(), paymentId: z.uuid().nullable(), reason: z.string() }),
);
export const PaymentVoided = message(
  events,
  'payment.voided',
  z.object({ orderId: z.uuid(), paymentId: z.uuid().nullable() }),
);
/** Everything that was captured is back. */
export const PaymentRefunded = message(
  events,
  'payment.refunded',
  z.object({ orderId: z.uuid(), paymentId: z.uuid(), ...money }),
);

const oneRefund = { orderId: z.uuid(), paymentId: z.uuid(), refundId: z.uuid(), ...money };

/** One refund has arrived, be it of a part or of the rest; the last one is followed by PaymentRefunded. */
export const RefundMade = message(events, 'payment.refund-made', z.object(oneRefund));
/** The bank did not give it back; the amount can be refunded again. */
export const RefundFailed = message(events, 'payment.refund-failed', z.object(oneRefund));

/** A signed event of the provider was taken in. What it says is read from where it is kept: bodies name people, topics do not. */
export const ProviderCalled = message(
  webhooks,
  'payment.provider-called',
  z.object({ pspPaymentId: z.string(), eventId: z.string(), type: z.string() }),
);
