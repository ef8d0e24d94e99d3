import { userError } from '@orderstream/runtime/errors';
import { references } from '@orderstream/runtime/host/references';
import { decodeId, encodeId, parseId } from '@orderstream/runtime/ids';
import { connection, readPage } from '@orderstream/runtime/paging';
import { removeAddress, saveAddress } from './address-service.ts';
import { createClient, findClients, oldestDay, revokeClient, setOperations } from './api-client-service.ts';
import { countClients } from './api-client-store.ts';
import type { Context } from './context.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { countFound, findUsers, login, logout, refreshSession, register } from './service.ts';
import { checkSearch } from './user.ts';
import type { Vault } from './vault.ts';

/** As it stands after what was just done to it. */
const clientNow = async ({ loaders }: Context, id: string) => (await loaders.apiClient.clear(id).load(id))!;

export const createResolvers = (vault: Vault): Resolvers => ({
  Query: {
    me: (_root, _args, ctx) => (ctx.viewer.userId ? ctx.loaders.user.load(ctx.viewer.userId) : null),
    user: (_root, { id }, ctx) => ctx.loaders.user.load(decodeId('user', id)),
    users: (_root, args, ctx) => findUsers(ctx, readPage(args, 'newest'), checkSearch(args.search)),
    apiClients: (_root, args, ctx) => findClients(ctx, readPage(args, 'newest')),
    apiClient: (_root, { id }, ctx) => ctx.loaders.apiClient.load(decodeId('apiClient', id)),
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
    createApiClient: async (_root, { input }, ctx) => {
      const outcome = await createClient(ctx, input);
      if ('error' in outcome) return userError(outcome);
      return { __typename: 'ApiClientCreated', client: await clientNow(ctx, outcome.id), key: outcome.key };
    },
    setApiClientOperations: async (_root, { input }, ctx) => {
      const outcome = await setOperations(ctx, decodeId('apiClient', input.id, ['input', 'id']), input);
      if ('error' in outcome) return userError(outcome);
      return { __typename: 'ApiClientOperationsSet', client: await clientNow(ctx, outcome.id) };
    },
    revokeApiClient: async (_root, { input }, ctx) => {
      const id = decodeId('apiClient', input.id, ['input', 'id']);
      const outcome = await revokeClient(ctx, id, input.idempotencyKey);
      if ('error' in outcome) return userError(outcome);
      return { __typename: 'ApiClientRevoked', client: await clientNow(ctx, outcome.id) };
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

  ApiClient: {
    ...references(async (refs: readonly { __typename: 'ApiClient'; id: string }[], ctx: Context) =>
      Promise.all(
        refs.map((ref) => {
          const id = parseId('apiClient', ref.id);
          return id ? ctx.loaders.apiClient.load(id) : null;
        }),
      ),
    ),
    id: (client) => encodeId('apiClient', client.id),
    createdBy: (client, _args, ctx) => ctx.loaders.user.load(client.createdBy),
    operations: async ({ id }, args, ctx) => {
      const page = readPage(args, 'id');
      const rows = await ctx.loaders.operations(page).load(id);
      const found = connection(rows, page, (row) => ({ sort: 'id', at: row.id, id: '' }));
      return { ...found, clientId: id };
    },
    usage: ({ id }, { lastDays }, ctx) => ctx.loaders.usage(oldestDay(lastDays ?? 30, ctx.now)).load(id),
    audit: ({ id }, _args, ctx) => ctx.loaders.audit.load(id),
  },

  ApiClientOperationConnection: {
    totalCount: ({ clientId }, _args, ctx) => ctx.loaders.operationCount.load(clientId),
  },

  ApiClientConnection: {
    totalCount: (_list, _args, { db, viewer }) => countClients(db, viewer.tenantId),
  },

  ApiClientAudit: {
    actor: ({ actor }, _args, ctx) => ctx.loaders.user.load(actor),
  },

  Address: {
    id: (address) => encodeId('address', address.id),
  },
});
