import { on } from '@orderstream/runtime/subgraph';
import { UserErased } from '@orderstream/users/messages';
import { NotifyCustomer } from './messages.ts';
import { notify } from './service.ts';
import { eraseCustomer } from './store.ts';

export const handlers = [
  on(NotifyCustomer, notify),
  on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
];
