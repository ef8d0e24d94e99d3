import { VariantChanged } from '@orderstream/catalog/messages';
import { on } from '@orderstream/runtime/subgraph';
import { AllocateStock, ExtendHold, ReleaseStock, ReserveStock } from './messages.ts';
import { allocate, extendHold, learnVariant, release, reserve } from './service.ts';

export const handlers = [
  on(ReserveStock, (tx, { tenantId, data }) => reserve(tx, tenantId, data)),
  on(ExtendHold, (tx, { tenantId, data }) => extendHold(tx, tenantId, data.orderId, data.holdUntil)),
  on(AllocateStock, (tx, { tenantId, data }) => allocate(tx, tenantId, data.orderId)),
  on(ReleaseStock, (tx, { tenantId, data }) => release(tx, tenantId, data.orderId)),
  on(VariantChanged, learnVariant),
];
