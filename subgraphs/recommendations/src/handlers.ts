import { OrderCancelled, OrderPlaced } from '@orderstream/orders/messages';
import { on } from '@orderstream/runtime/subgraph';
import { UserErased } from '@orderstream/users/messages';
import { eraseCustomer } from './purchase-store.ts';
import { forgetSale, learnOfSale } from './service.ts';

export const handlers = [
  on(OrderPlaced, learnOfSale),
  on(OrderCancelled, forgetSale),
  on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
];
