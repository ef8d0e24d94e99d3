import type { MessageType } from '@orderstream/runtime/messages';
import { on, together } from '@orderstream/runtime/subgraph';
import { UserErased } from '@orderstream/users/messages';
import { NotifyCustomer } from './messages.ts';
import { notifyAll } from './service.ts';
import { eraseCustomer } from './store.ts';

export const handlers = [
  ...together([NotifyCustomer as unknown as MessageType<never>], notifyAll),
  on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
];
