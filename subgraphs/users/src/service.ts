// Accounts and sign-ins. The address book has a file of its own.
import type { Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import { networkOf } from '@orderstream/runtime/network';
import { connection, type Page } from '@orderstream/runtime/paging';
import type { Context } from './context.ts';
import type { LoginInput, LogoutInput, RefreshSessionInput, RegisterInput } from './generated/resolvers.ts';
import { UserErased, UserRegistered } from './messages.ts';
import { judge } from './session.ts';
import * as sessions from './session-store.ts';
import * as store from './store.ts';
import { type Limit, loginLimits, registrationLimits, waitFor } from './throttle.ts';
import { hashOf, newRefreshToken } from './token.ts';
import {
  checkRegistration,
  isPossiblePassword,
  normalEmail,
  normalPassword,
  type User,
  type UserList,
  wordsOf,
} from './user.ts';
import type { Vault } from './vault.ts';

export type Started = {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** of the access token */
  readonly expiresAt: Date;
  readonly user: User;
};

const sessionExpired = { error: 'SessionExpired', message: 'The session is over. Sign in again.' } as const;
const invalidCredentials = {
  error: 'InvalidCredentials',
  message: 'The e-mail address or the password is wrong.',
} as const;
const emailTaken = {
  error: 'EmailTaken',
  message: 'There is an account with this e-mail address.',
  path: ['input', 'email'],
} as const;
const rateLimited = (waitMs: number) => ({
  error: 'RateLimited' as const,
  message: `Too many attempts. Try again in ${Math.ceil(waitMs / 60_000)} min.`,
  retryAfterMs: Math.ceil(waitMs),
});

/** Writes the attempt down before anything is checked, so that many at once cannot slip through together. */
const attempt = (ctx: Context, origin: sessions.Origin, limits: readonly Limit[]) =>
  ctx.db.transaction(async (tx) => {
    const longest = Math.max(...limits.map((limit) => limit.withinMs));
    const { attempts, now } = await sessions.attemptsFrom(tx, origin, longest);
    const waitMs = waitFor(limits, attempts, now);
    const id = newId(ctx.now);
    if (waitMs === 0) await sessions.insertAttempt(tx, id, origin);
    return { id, waitMs };
  });

const startSession = async (tx: Tx, vault: Vault, user: User, now: Date): Promise<Started> => {
  const sessionId = newId(now);
  const refreshToken = newRefreshToken();
  await sessions.insertSession(tx, user, sessionId, hashOf(refreshToken));
  return { ...(await vault.tokens.issue(user, sessionId, now)), refreshToken, user };
};

/** Answers EmailTaken, InvalidInput or RateLimited; tells UserRegistered. */
export const register = async (vault: Vault, ctx: Context, input: RegisterInput) => {
  const registration = checkRegistration(input);
  if ('error' in registration) return registration;
  const { tenantId, clientAddress } = ctx.viewer;
  const address = vault.pseudonym(networkOf(clientAddress ?? 'unknown'));
  const { waitMs } = await attempt(
    ctx,
    { kind: 'REGISTRATION', tenantId, address, account: null },
    registrationLimits(vault.registrationsPerHour),
  );
  if (waitMs > 0) return rateLimited(waitMs);
  if (await store.passwordOf(ctx.db, tenantId, registration.email)) return emailTaken;

  const passwordHash = await vault.passwords.hash(registration.password);
  return ctx.db.transaction(async (tx) => {
    const user = await store.insertUser(tx, tenantId, newId(ctx.now), registration, passwordHash);
    if (!user) return emailTaken;
    await tx.send(UserRegistered({ userId: user.id, at: user.createdAt.toISOString() }, user.version));
    return startSession(tx, vault, user, ctx.now);
  });
};

/** Answers InvalidCredentials or RateLimited. */
export const login = async (vault: Vault, ctx: Context, input: LoginInput) => {
  const { tenantId, clientAddress } = ctx.viewer;
  const email = normalEmail(input.email);
  const origin: sessions.Origin = {
    kind: 'LOGIN',
    tenantId,
    address: vault.pseudonym(networkOf(clientAddress ?? 'unknown')),
    account: vault.pseudonym(email ?? input.email),
  };
  const { id, waitMs } = await attempt(ctx, origin, loginLimits);
  if (waitMs > 0) return rateLimited(waitMs);

  const account = await store.passwordOf(ctx.db, tenantId, email);
  const isRight =
    isPossiblePassword(input.password) &&
    (await vault.passwords.matches(normalPassword(input.password), account?.hash ?? null));
  return ctx.db.transaction(async (tx) => {
    const user = isRight && account ? await store.userForUpdate(tx, tenantId, account.id) : null;
    if (!user) {
      await sessions.markFailed(tx, id);
      return invalidCredentials;
    }
    await sessions.clearAttempts(tx, origin);
    return startSession(tx, vault, user, ctx.now);
  });
};

/** What ends the family is committed, though the caller is told no more than that the session is over. */
const endReused = async (tx: Tx, ctx: Context, sessionId: string): Promise<void> => {
  await sessions.endSession(tx, sessionId, 'REUSE');
  ctx.log.warn({ sessionId }, 'a refresh token came a second time; its session has ended');
};

/** Answers SessionExpired. */
export const refreshSession = (vault: Vault, ctx: Context, input: RefreshSessionInput) =>
  ctx.db.transaction(async (tx) => {
    const used = hashOf(input.refreshToken);
    const token = await sessions.presentedToken(tx, ctx.viewer.tenantId, used);
    const verdict = judge(token);
    if (token && verdict === 'reused') await endReused(tx, ctx, token.sessionId);
    if (!token || verdict !== 'current') return sessionExpired;
    const user = await store.userForUpdate(tx, ctx.viewer.tenantId, token.userId);
    if (!user) return sessionExpired;
    const refreshToken = newRefreshToken();
    await sessions.rotate(tx, user.tenantId, token.sessionId, used, hashOf(refreshToken));
    return { ...(await vault.tokens.issue(user, token.sessionId, ctx.now)), refreshToken, user };
  });

/** Answers SessionExpired. Access tokens that are out stay good until they end. */
export const logout = (ctx: Context, { refreshToken, everywhere }: LogoutInput) =>
  ctx.db.transaction(async (tx) => {
    const token = await sessions.presentedToken(tx, ctx.viewer.tenantId, hashOf(refreshToken));
    const verdict = judge(token);
    if (token && verdict === 'reused') await endReused(tx, ctx, token.sessionId);
    // Who signs out while a refresh is under way means it: a token exchanged a moment ago still ends its session.
    if (!token || verdict === 'over' || verdict === 'reused') return sessionExpired;
    if (everywhere) await sessions.endSessionsOf(tx, token.userId, 'EVERYWHERE');
    else await sessions.endSession(tx, token.sessionId, 'LOGOUT');
    return { at: ctx.now };
  });

export const findUsers = async (ctx: Context, page: Page, search: string | null): Promise<UserList> => {
  const { viewer } = ctx;
  const words = search === null ? null : wordsOf(search);
  const users =
    search !== null && words === null ? [] : await store.userPage(ctx.db, viewer.tenantId, page, words);
  return { ...connection(users, page, store.cursorOf), search };
};

export const countFound = async (ctx: Context, search: string | null): Promise<number> => {
  const words = search === null ? null : wordsOf(search);
  return search !== null && words === null ? 0 : store.countUsers(ctx.db, ctx.viewer.tenantId, words);
};

/** Wipes name, e-mail, password, addresses and sessions; tells UserErased. Erasing twice is erasing once. */
export const eraseCustomer = async (tx: Tx, tenantId: string, userId: string, now: Date): Promise<void> => {
  const user = await store.userForUpdate(tx, tenantId, userId);
  if (!user) return;
  await store.eraseUser(tx, user);
  const version = await store.raiseVersion(tx, user);
  await tx.send(UserErased({ userId, at: now.toISOString() }, version));
};
