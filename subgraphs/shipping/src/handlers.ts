import type { MessageType } from '@orderstream/runtime/messages';
import { on, together } from '@orderstream/runtime/subgraph';
import { UserErased } from '@orderstream/users/messages';
import { obey } from './commands-service.ts';
import { CancelShipment, CreateShipment } from './messages.ts';
import { eraseCustomer } from './store.ts';

export const handlers = [
  ...together([CreateShipment, CancelShipment] as unknown as MessageType<never>[], obey),
  on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
];
