import { message, topic } from '@orderstream/runtime/messages';
import { z } from 'zod';

const changes = topic('user-changes', 'userId', { compacted: true });

/** That it happened and when, never what: no name, e-mail or address leaves this subgraph in a message. */
export const UserRegistered = message(
  changes,
  'user.registered',
  z.object({ userId: z.uuid(), at: z.iso.datetime() }),
);
export const AddressChanged = message(
  changes,
  'user.address-changed',
  z.object({ userId: z.uuid(), at: z.iso.datetime() }),
);
/** Everything personal about this user is gone here; whoever holds a copy of it erases it too. */
export const UserErased = message(
  changes,
  'user.erased',
  z.object({ userId: z.uuid(), at: z.iso.datetime() }),
);
