// The users subgraph on a database of its own, asked through its schema: what the tests of this folder share.
import { generateKeyPairSync } from 'node:crypto';
import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { newTrace } from '@orderstream/runtime/trace';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { PrismaPg } from '@prisma/adapter-pg';
import { type ExecutionResult, graphql } from 'graphql';
import { decodeJwt } from 'jose';
// @boundaries-ignore tests share databases and services
import { testDatabase } from '../../../tests/database.ts';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import type { Argon } from './password.ts';
import { createResolvers } from './resolvers.ts';
import { openVault } from './vault.ts';

export const tenantId = '01900000-0000-7000-8000-000000000001';

export const newKey = (): string =>
  JSON.stringify(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }));

export const visitor = (clientAddress = '203.0.113.1'): Viewer => ({ ...anonymous(tenantId), clientAddress });

/** As the gateway reads a viewer out of an access token. */
const viewerOf = (accessToken: string): Viewer => {
  const { sub, sid, tid, scopes } = decodeJwt<{ sid: string; tid: string; scopes: string[] }>(accessToken);
  return { ...anonymous(tid), userId: sub!, sessionId: sid, scopes: new Set(scopes) };
};

// biome-ignore lint/suspicious/noExplicitAny: an answer has the shape of its query, which stands beside the expectation
type Answer = ExecutionResult<any>;

const started = `... on SessionStarted {
  accessToken refreshToken expiresAt user { id email displayName roles addresses { id } createdAt }
}`;

export const password = 'correct horse battery';

export const openShop = async (options: { argon?: Argon; registrationsPerHour?: number } = {}) => {
  const { database, close } = await testDatabase('users', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  });
  const vault = await openVault(
    {
      ACCESS_TOKEN_KEY: newKey(),
      TENANT_SECRET: 'a secret of the tests, thirty-two characters',
      REGISTRATIONS_PER_HOUR: options.registrationsPerHour ?? 1_000,
    },
    options.argon,
  );
  const schema = subgraphSchema(schemaText(new URL('../', import.meta.url))!, createResolvers(vault));
  const createOne = createContext({ database });
  const log = createLog('users', 'silent');
  const contextOf = (viewer: Viewer) => createOne({ viewer, now: new Date(), log, trace: newTrace() });

  const ask = async (viewer: Viewer, source: string, variableValues: Record<string, unknown> = {}) =>
    (await graphql({ schema, source, variableValues, contextValue: contextOf(viewer) })) as Answer;

  const mutate = async (viewer: Viewer, field: string, type: string, selection: string, input: object) => {
    const { data, errors } = await ask(
      viewer,
      `mutation ($input: ${type}!) { ${field}(input: $input) {
        __typename ${selection} ... on UserError { code message path }
        ${/register|saveAddress|createApiClient|setApiClientOperations/.test(field) ? '... on InvalidInput { problems { path message } }' : ''}
        ${/register|login/.test(field) ? '... on RateLimited { retryAfterMs }' : ''}
      } }`,
      { input },
    );
    if (errors) throw errors[0]!;
    return data[field];
  };

  const register = (input: object, viewer = visitor()) =>
    mutate(viewer, 'register', 'RegisterInput', started, { password, displayName: 'Ada', ...input });
  const login = (input: object, viewer = visitor()) =>
    mutate(viewer, 'login', 'LoginInput', started, { password, ...input });
  const refresh = (refreshToken: string) =>
    mutate(visitor(), 'refreshSession', 'RefreshSessionInput', started, { refreshToken });
  const logout = (refreshToken: string, everywhere = false) =>
    mutate(visitor(), 'logout', 'LogoutInput', '... on SessionEnded { at }', { refreshToken, everywhere });

  let people = 0;
  /** Somebody new, signed in. */
  const customer = async () => {
    people += 1;
    const email = `customer${people}@example.com`;
    const session = await register({ email, displayName: `Customer ${people}` });
    const viewer = viewerOf(session.accessToken);
    return { ...session, email, viewer, userId: viewer.userId! };
  };

  /** Messages about a user that wait to be carried, oldest first. */
  const told = async (userId: string) => {
    const rows = await database.sql<{ message: { type: string; version: number; data: object } }>`
      select message from plumbing.outbox where key = ${userId} order by id`;
    return rows.map(({ message }) => message);
  };

  const staff = (...scopes: string[]): Viewer => ({
    ...visitor(),
    userId: newId(),
    scopes: new Set(scopes),
  });

  return {
    database,
    vault,
    contextOf,
    ask,
    mutate,
    register,
    login,
    refresh,
    logout,
    customer,
    staff,
    told,
    close,
  };
};
