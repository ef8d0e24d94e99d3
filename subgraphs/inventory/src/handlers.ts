import { VariantChanged } from '@orderstream/catalog/messages';
import type { MessageType } from '@orderstream/runtime/messages';
import { on, together } from '@orderstream/runtime/subgraph';
import {
  AllocateStock,
  ExtendHold,
  ReleaseStock,
  ReserveStock,
  RestockGoods,
  ShipStock,
} from './messages.ts';
import { serveAll } from './reserving-service.ts';
import { extendHold, learnVariant } from './service.ts';
import { releaseAll, restock, ship } from './shipping-service.ts';

export const handlers = [
  ...together([ReserveStock, AllocateStock] as unknown as MessageType<never>[], serveAll),
  on(ExtendHold, (tx, { tenantId, data }) => extendHold(tx, tenantId, data.orderId, data.holdUntil)),
  on(ReleaseStock, (tx, { tenantId, data }) => releaseAll(tx, tenantId, data.orderId)),
  on(ShipStock, (tx, { tenantId, data }, { log }) => ship(tx, tenantId, data.orderId, log)),
  on(RestockGoods, (tx, { tenantId, data }) => restock(tx, tenantId, data)),
  on(VariantChanged, learnVariant),
];
