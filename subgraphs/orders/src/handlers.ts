import { VariantChanged } from '@orderstream/catalog/messages';
import { FraudApproved, FraudInfoRequested, FraudRejected, FraudScored } from '@orderstream/fraud/messages';
import {
  HoldExpired,
  StockAllocated,
  StockLevelChanged,
  StockRefused,
  StockReleased,
  StockReserved,
  StockRestocked,
  StockShipped,
} from '@orderstream/inventory/messages';
import { NotificationSent } from '@orderstream/notifications/messages';
import {
  PaymentAuthorized,
  PaymentCaptured,
  PaymentCaptureRefused,
  PaymentDeclined,
  PaymentRefunded,
  PaymentVoided,
  RefundFailed,
  RefundMade,
} from '@orderstream/payments/messages';
import type { MessageType } from '@orderstream/runtime/messages';
import { type Handler, on, together } from '@orderstream/runtime/subgraph';
import {
  ShipmentCancelled,
  ShipmentCreated,
  ShipmentDelivered,
  ShipmentFailed,
  ShipmentHandedOver,
  ShipmentLost,
  ShipmentMoved,
} from '@orderstream/shipping/messages';
import { UserErased } from '@orderstream/users/messages';
import { copyLevels, copyVariant } from './catalog-copy.ts';
import { advanceSagas } from './saga-service.ts';
import { eraseCustomer, type Shop } from './service.ts';

/** Everything that a checkout can hear, or that stands in its timeline. */
const answers = [
  StockReserved,
  StockRefused,
  StockAllocated,
  StockReleased,
  HoldExpired,
  StockShipped,
  StockRestocked,
  FraudScored,
  FraudApproved,
  FraudRejected,
  FraudInfoRequested,
  PaymentAuthorized,
  PaymentDeclined,
  PaymentCaptured,
  PaymentVoided,
  PaymentRefunded,
  PaymentCaptureRefused,
  RefundMade,
  RefundFailed,
  ShipmentCreated,
  ShipmentFailed,
  ShipmentCancelled,
  ShipmentHandedOver,
  ShipmentMoved,
  ShipmentDelivered,
  ShipmentLost,
  NotificationSent,
];

export const createHandlers = (shop: Shop): Handler[] => [
  ...together(answers as unknown as MessageType<never>[], advanceSagas(shop)),
  on(VariantChanged, copyVariant),
  ...together([StockLevelChanged as unknown as MessageType<never>], copyLevels),
  on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
];
