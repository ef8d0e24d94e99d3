import { on } from '@orderstream/runtime/subgraph';
import { UserErased } from '@orderstream/users/messages';
import { AuthorizePayment, CapturePayment, ProviderCalled, RefundPayment, VoidPayment } from './messages.ts';
import { eraseCustomer } from './payment-method-service.ts';
import { refundPayment } from './refund-service.ts';
import { authorizePayment, capturePayment, voidPayment } from './service.ts';

export const handlers = [
  on(AuthorizePayment, (tx, message, { now }) => authorizePayment(tx, message, now)),
  on(CapturePayment, (tx, message) => capturePayment(tx, message)),
  on(VoidPayment, (tx, message) => voidPayment(tx, message)),
  on(RefundPayment, (tx, message) => refundPayment(tx, message)),
  on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
  // Hearing it wakes the job that reads what the provider said.
  on(ProviderCalled, async () => undefined),
];
