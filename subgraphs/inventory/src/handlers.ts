import { VariantChanged } from '@orderstream/catalog/messages';
import { on } from '@orderstream/runtime/subgraph';
import {
  AllocateStock,
  ExtendHold,
  ReleaseStock,
  ReserveStock,
  RestockGoods,
  ShipStock,
} from './messages.ts';
import { allocate, extendHold, learnVariant, reserve } from './service.ts';
import { releaseAll, restock, ship } from './shipping-service.ts';

export const handlers = [
  on(ReserveStock, (tx, { tenantId, data }) => reserve(tx, tenantId, data)),
  on(ExtendHold, (tx, { tenantId, data }) => extendHold(tx, tenantId, data.orderId, data.holdUntil)),
  on(AllocateStock, (tx, { tenantId, data }) => allocate(tx, tenantId, data.orderId)),
  on(ReleaseStock, (tx, { tenantId, data }) => releaseAll(tx, tenantId, data.orderId)),
  on(ShipStock, (tx, { tenantId, data }, { log }) => ship(tx, tenantId, data.orderId, log)),
  on(RestockGoods, (tx, { tenantId, data }) => restock(tx, tenantId, data)),
  on(VariantChanged, learnVariant),
];
