import { VariantChanged } from '@orderstream/catalog/messages';
import { FraudScored } from '@orderstream/fraud/messages';
import {
  HoldExpired,
  StockAllocated,
  StockLevelChanged,
  StockRefused,
  StockReleased,
  StockReserved,
} from '@orderstream/inventory/messages';
import {
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  PaymentVoided,
} from '@orderstream/payments/messages';
import { type Handler, on } from '@orderstream/runtime/subgraph';
import { UserErased } from '@orderstream/users/messages';
import { copyLevel, copyVariant } from './catalog-copy.ts';
import { advanceSaga, eraseCustomer, type Shop } from './service.ts';

export const createHandlers = (shop: Shop): Handler[] => {
  const advance = advanceSaga(shop);
  return [
    on(StockReserved, advance),
    on(StockRefused, advance),
    on(StockAllocated, advance),
    on(StockReleased, advance),
    on(HoldExpired, advance),
    on(FraudScored, advance),
    on(PaymentAuthorized, advance),
    on(PaymentDeclined, advance),
    on(PaymentCaptured, advance),
    on(PaymentVoided, advance),
    on(PaymentRefunded, advance),
    on(VariantChanged, copyVariant),
    on(StockLevelChanged, copyLevel),
    on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
  ];
};
