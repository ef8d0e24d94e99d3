import { on } from '@orderstream/runtime/subgraph';
import { UserErased } from '@orderstream/users/messages';
import { CancelShipment, CreateShipment } from './messages.ts';
import { cancelShipment, createShipment, eraseCustomer } from './service.ts';

export const handlers = [
  on(CreateShipment, (tx, message, { now }) => createShipment(tx, message, now)),
  on(CancelShipment, (tx, message) => cancelShipment(tx, message)),
  on(UserErased, (tx, { tenantId, data }) => eraseCustomer(tx, tenantId, data.userId)),
];
