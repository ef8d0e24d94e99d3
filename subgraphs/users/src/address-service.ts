// The address book. One's own only: staff may read it, and nobody else writes it.
import type { Tx } from '@orderstream/runtime/database';
import { RequestError } from '@orderstream/runtime/errors';
import { newId } from '@orderstream/runtime/ids';
import { checkAddress } from '@orderstream/runtime/postal-address';
import { personOf } from '@orderstream/runtime/viewer';
import { bookIsFull, mostAddresses } from './address.ts';
import type { Context } from './context.ts';
import type { AddressInput } from './generated/resolvers.ts';
import { AddressChanged } from './messages.ts';
import * as store from './store.ts';
import type { User } from './user.ts';

const notFound = {
  error: 'NotFound',
  message: 'There is no such address.',
  path: ['input', 'id'],
} as const;

/**
 * Runs with the user's row locked; a change that is not refused is told to the others.
 * @throws RequestError UNAUTHENTICATED for somebody erased whose access token is still good
 */
const change = async <T extends object>(
  { db, viewer, now }: Context,
  work: (tx: Tx, user: User) => Promise<T>,
): Promise<T> => {
  const { tenantId } = viewer;
  const userId = personOf(viewer);
  return db.transaction(async (tx) => {
    const user = await store.userForUpdate(tx, tenantId, userId);
    if (!user) throw new RequestError('UNAUTHENTICATED');
    const outcome = await work(tx, user);
    if ('error' in outcome) return outcome;
    const version = await store.raiseVersion(tx, user);
    await tx.send(AddressChanged({ userId, at: now.toISOString() }, version));
    return outcome;
  });
};

/** Changes the address of that id, or adds one where there is no id. Answers NotFound or InvalidInput. */
export const saveAddress = (ctx: Context, id: string | null, input: AddressInput) =>
  change(ctx, async (tx, user) => {
    const label = checkAddress(input, ['input', 'address']);
    if ('error' in label) return label;
    if (id) {
      const address = await store.updateAddress(tx, user, id, label);
      return address ? { address, user } : notFound;
    }
    if ((await store.countAddresses(tx, user.id)) >= mostAddresses) return bookIsFull();
    return { address: await store.insertAddress(tx, user, newId(ctx.now), label), user };
  });

/** Answers NotFound. */
export const removeAddress = (ctx: Context, id: string) =>
  change(ctx, async (tx, user) => ((await store.deleteAddress(tx, user, id)) ? { user } : notFound));
