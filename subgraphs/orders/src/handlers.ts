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
import { type Handler, on } from '@orderstream/runtime/subgraph';
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
import { copyLevel, copyVariant } from './catalog-copy.ts';
import { advanceSaga, eraseCustomer, type Shop, takeRefund } from './service.ts';

export const createHandlers = (shop: Shop): Handler[] => {
  const advance = advanceSaga(shop);
  return [
    on(StockReserved, advance),
    on(StockRefused, advance),
    on(StockAllocated, advance),
    on(StockReleased, advance),
    on(HoldExpired, advance),
    on(StockShipped, advance),
    on(StockRestocked, advance),
    on(FraudScored, advance),
    on(FraudApproved, advance),
    on(FraudRejected, advance),
    on(FraudInfoRequested, advance),
    on(PaymentAuthorized, advance),
    on(PaymentDeclined, advance),
    on(PaymentCaptured, advance),
    on(PaymentVoided, advance),
    on(PaymentRefunded, advance),
    on(PaymentCaptureRefused, advance),
    on(RefundMade, takeRefund(shop)),
    on(RefundFailed, advance),
    on(ShipmentCreated, advance),
    on(ShipmentFailed, advance),
    on(ShipmentCancelled, advance),
    on(ShipmentHandedOver, advance),
    on(ShipmentMoved, advance),
    on(ShipmentDelivered, advance),
    on(ShipmentLost, advance),
    on(NotificationSent, advance),
    on(VariantChanged, copyVariant),
    on(StockLevelChanged, copyLevel),
    on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
  ];
};
