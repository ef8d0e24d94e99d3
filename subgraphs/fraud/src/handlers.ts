import { PaymentCaptured, PaymentDeclined, PaymentRefunded } from '@orderstream/payments/messages';
import type { Tx } from '@orderstream/runtime/database';
import type { MessageType } from '@orderstream/runtime/messages';
import { type Handler, on, together } from '@orderstream/runtime/subgraph';
import { AddressChanged, UserErased, UserRegistered } from '@orderstream/users/messages';
import { AssessOrder, CloseReview, ReviewOrder } from './messages.ts';
import { type Outcome, ordersPaid, ordersRefunded, paymentsDeclined } from './outcome-store.ts';
import { assessAll, closeReview, openReview } from './service.ts';
import { addressChanged, customerRegistered, eraseCustomer } from './signal-store.ts';

const only = (message: unknown): readonly MessageType<never>[] => [message as MessageType<never>];

type Payment = { readonly orderId: string; readonly paymentId: string | null };

/** What came of payments, all of a batch at once. */
const outcomes = <T extends Payment>(
  message: MessageType<T>,
  take: (tx: Tx, outcomes: readonly (Outcome & { readonly paymentId: string })[]) => Promise<void>,
): Handler[] =>
  together<Payment>(only(message), (heard) =>
    take(
      heard[0]!.tx,
      heard.map(({ message: { tenantId, data } }) => ({
        tenantId,
        orderId: data.orderId,
        paymentId: data.paymentId ?? data.orderId,
      })),
    ),
  );

export const handlers = [
  ...together(only(AssessOrder), assessAll),
  on(ReviewOrder, (tx, { tenantId, data }) => openReview(tx, tenantId, data.orderId, data.dueAt)),
  on(CloseReview, (tx, { tenantId, data }) => closeReview(tx, tenantId, data.orderId, data.because)),
  on(UserRegistered, (tx, { tenantId, data }) => customerRegistered(tx, tenantId, data.userId, data.at)),
  on(AddressChanged, (tx, { tenantId, data }) => addressChanged(tx, tenantId, data.userId, data.at)),
  on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
  ...outcomes(PaymentDeclined, paymentsDeclined),
  ...outcomes(PaymentCaptured, ordersPaid),
  ...outcomes(PaymentRefunded, ordersRefunded),
];
