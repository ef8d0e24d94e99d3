import { OrderCancelled, OrderPlaced } from '@orderstream/orders/messages';
import type { MessageType } from '@orderstream/runtime/messages';
import { on, together } from '@orderstream/runtime/subgraph';
import { UserErased } from '@orderstream/users/messages';
import { eraseCustomer } from './purchase-store.ts';
import { learnOfOrders } from './service.ts';

export const handlers = [
  ...together([OrderPlaced, OrderCancelled] as unknown as MessageType<never>[], learnOfOrders),
  on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
];
