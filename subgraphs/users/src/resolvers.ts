import { userError } from '@orderstream/runtime/errors';
import { references } from '@orderstream/runtime/host/references';
import { decodeId, encodeId, parseId } from '@orderstream/runtime/ids';
import { readPage } from '@orderstream/runtime/paging';
import { removeAddress, saveAddress } from './address-service.ts';
import type { Context } from './context.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { countFound, findUsers, login, logout, refreshSession, register } from './service.ts';
import { checkSearch } from './user.ts';
import type { Vault } from './vault.ts';

export const createResolvers = (vault: Vault): Resolvers => ({
  Query: {
    me: (_root, _args, ctx) => (ctx.viewer.userId ? ctx.loaders.user.load(ctx.viewer.userId) : null),
    user: (_root, { id }, ctx) => ctx.loaders.user.load(decodeId('user', id)),
    users: (_root, args, ctx) => findUsers(ctx, readPage(args, 'newest'), checkSearch(args.search)),
  },

  Mutation: {
    register: async (_root, { input }, ctx) => {
      const outcome = await register(vault, ctx, input);
      return 'error' in outcome ? userError(outcome) : { __typename: 'SessionStarted', ...outcome };
    },
    login: async (_root, { input }, ctx) => {
      const outcome = await login(vault, ctx, input);
      return 'error' in outcome ? userError(outcome) : { __typename: 'SessionStarted', ...outcome };
    },
    refreshSession: async (_root, { input }, ctx) => {
      const outcome = await refreshSession(vault, ctx, input);
      return 'error' in outcome ? userError(outcome) : { __typename: 'SessionStarted', ...outcome };
    },
    logout: async (_root, { input }, ctx) => {
      const outcome = await logout(ctx, input);
      return 'error' in outcome ? userError(outcome) : { __typename: 'SessionEnded', ...outcome };
    },
    saveAddress: async (_root, { input }, ctx) => {
      const id = input.id ? decodeId('address', input.id, ['input', 'id']) : null;
      const outcome = await saveAddress(ctx, id, input.address);
      if ('error' in outcome) return userError(outcome);
      ctx.loaders.addresses.clear(outcome.user.id);
      return { __typename: 'AddressSaved', ...outcome };
    },
    removeAddress: async (_root, { input }, ctx) => {
      const outcome = await removeAddress(ctx, decodeId('address', input.id, ['input', 'id']));
      if ('error' in outcome) return userError(outcome);
      ctx.loaders.addresses.clear(outcome.user.id);
      return { __typename: 'AddressRemoved', ...outcome };
    },
  },

  User: {
    ...references(async (refs: readonly { __typename: 'User'; id: string }[], ctx: Context) =>
      Promise.all(
        refs.map((ref) => {
          const id = parseId('user', ref.id);
          return id ? ctx.loaders.user.load(id) : null;
        }),
      ),
    ),
    id: (user) => encodeId('user', user.id),
    addresses: (user, _args, ctx) => ctx.loaders.addresses.load(user.id),
  },

  UserConnection: {
    totalCount: ({ search }, _args, ctx) => countFound(ctx, search),
  },

  Address: {
    id: (address) => encodeId('address', address.id),
  },
});
