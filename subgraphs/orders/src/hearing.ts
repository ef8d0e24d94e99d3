// Everything a checkout can hear: answers by their message's type, and two that are no messages.
import type {
  FraudApproved,
  FraudInfoRequested,
  FraudRejected,
  FraudScored,
} from '@orderstream/fraud/messages';
import type {
  HoldExpired,
  StockAllocated,
  StockRefused,
  StockReleased,
  StockReserved,
} from '@orderstream/inventory/messages';
import type {
  PaymentAuthorized,
  PaymentCaptured,
  PaymentCaptureRefused,
  PaymentDeclined,
  PaymentRefunded,
  PaymentVoided,
} from '@orderstream/payments/messages';
import type { MessageType } from '@orderstream/runtime/messages';
import type {
  ShipmentCancelled,
  ShipmentDelivered,
  ShipmentFailed,
  ShipmentHandedOver,
  ShipmentLost,
  ShipmentMoved,
} from '@orderstream/shipping/messages';

type Data<M> = M extends MessageType<infer T> ? T : never;

export type Heard = {
  'inventory.reserved': Data<typeof StockReserved>;
  'inventory.refused': Data<typeof StockRefused>;
  'inventory.allocated': Data<typeof StockAllocated>;
  'inventory.released': Data<typeof StockReleased>;
  'inventory.expired': Data<typeof HoldExpired>;
  'fraud.scored': Data<typeof FraudScored>;
  'fraud.approved': Data<typeof FraudApproved>;
  'fraud.rejected': Data<typeof FraudRejected>;
  'fraud.info-requested': Data<typeof FraudInfoRequested>;
  'payment.authorized': Data<typeof PaymentAuthorized>;
  'payment.declined': Data<typeof PaymentDeclined>;
  'payment.captured': Data<typeof PaymentCaptured>;
  'payment.capture-refused': Data<typeof PaymentCaptureRefused>;
  'payment.voided': Data<typeof PaymentVoided>;
  'payment.refunded': Data<typeof PaymentRefunded>;
  'shipment.handed-over': Data<typeof ShipmentHandedOver>;
  'shipment.failed': Data<typeof ShipmentFailed>;
  'shipment.cancelled': Data<typeof ShipmentCancelled>;
  'shipment.moved': Data<typeof ShipmentMoved>;
  'shipment.delivered': Data<typeof ShipmentDelivered>;
  'shipment.lost': Data<typeof ShipmentLost>;
  cancel: { readonly reason: string | null };
  deadline: Record<string, never>;
};
