import { PaymentCaptured, PaymentDeclined, PaymentRefunded } from '@orderstream/payments/messages';
import { on } from '@orderstream/runtime/subgraph';
import { AddressChanged, UserErased, UserRegistered } from '@orderstream/users/messages';
import { AssessOrder, CloseReview, ReviewOrder } from './messages.ts';
import { assess, closeReview, openReview } from './service.ts';
import {
  addressChanged,
  customerRegistered,
  eraseCustomer,
  orderPaid,
  orderRefunded,
  paymentDeclined,
} from './signal-store.ts';

export const handlers = [
  on(AssessOrder, (tx, { tenantId, data: { totalMinor, clientHash, ...order }, version }) =>
    assess(tx, tenantId, { ...order, amountMinor: totalMinor, networkHash: clientHash }, version),
  ),
  on(ReviewOrder, (tx, { tenantId, data }) => openReview(tx, tenantId, data.orderId, data.dueAt)),
  on(CloseReview, (tx, { tenantId, data }) => closeReview(tx, tenantId, data.orderId, data.because)),
  on(UserRegistered, (tx, { tenantId, data }) => customerRegistered(tx, tenantId, data.userId, data.at)),
  on(AddressChanged, (tx, { tenantId, data }) => addressChanged(tx, tenantId, data.userId, data.at)),
  on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
  on(PaymentDeclined, (tx, { tenantId, data }) =>
    paymentDeclined(tx, tenantId, data.orderId, data.paymentId ?? data.orderId),
  ),
  on(PaymentCaptured, (tx, { tenantId, data }) => orderPaid(tx, tenantId, data.orderId)),
  on(PaymentRefunded, (tx, { tenantId, data }) => orderRefunded(tx, tenantId, data.orderId)),
];
