// Who a request comes from: the access token that the users subgraph signed, turned into a viewer.
import { RequestError } from '@orderstream/runtime/errors';
import type { Log } from '@orderstream/runtime/log';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';

export type SignIn = {
  readonly viewer: Viewer;
  /** null for somebody not signed in */
  readonly expiresAt: Date | null;
};

export type AccessTokens = {
  /**
   * Reads an `Authorization` header; without one the viewer is nobody in particular.
   * @throws RequestError UNAUTHENTICATED for whatever is wrong with the token, SUBGRAPH_UNAVAILABLE while there are no keys
   */
  readonly read: (authorization: string | undefined) => Promise<SignIn>;
  /** What was read a moment ago, for as long as it is good; checking a signature costs more than most requests. */
  readonly known: (authorization: string | undefined) => SignIn | undefined;
  readonly check: () => Promise<unknown>;
  readonly close: () => void;
};

const claims = z.object({
  sub: z.uuid(),
  tid: z.uuid(),
  sid: z.uuid(),
  scopes: z.array(z.string()),
  exp: z.number(),
});

/** Sign-ins that are remembered, and for how long at most in milliseconds: then a key that was withdrawn counts no more. */
const remembered = { most: 10_000, ms: 60_000 };
/** characters of a header that is remembered */
const longest = 4_096;
/** milliseconds between two looks at the published keys */
const refreshEvery = 300_000;

const refused = (cause?: unknown): RequestError =>
  new RequestError('UNAUTHENTICATED', 'The access token is not valid or has expired. Sign in again.', {
    cause,
  });

/** Keys could not be had: not the caller's fault, and no reason to throw the sign-in away. */
const isOutage = (error: unknown): boolean =>
  !(error instanceof errors.JOSEError) ||
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  error.code === 'ERR_JOSE_GENERIC';

export const openAccessTokens = (jwksUrl: URL, tenantId: string, log: Log): AccessTokens => {
  // Known keys stay good while the users subgraph is away; new and withdrawn ones are noticed by the timer.
  const keys = createRemoteJWKSet(jwksUrl, { cacheMaxAge: Number.POSITIVE_INFINITY, timeoutDuration: 3_000 });
  const timer = setInterval(() => {
    keys
      .reload()
      .catch((error: unknown) => log.warn({ err: error }, 'the keys of access tokens are not reachable'));
  }, refreshEvery);
  timer.unref();

  const readLately = new LRUCache<string, SignIn>({ max: remembered.most, ttl: remembered.ms });

  const verify = async (token: string): Promise<SignIn & { readonly expiresAt: Date }> => {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['ES256'],
      issuer: 'orderstream',
      audience: 'orderstream',
      clockTolerance: 30,
      requiredClaims: ['exp'],
      // No token of ours is good for longer, nor comes from a time that is still ahead.
      maxTokenAge: '10m',
    });
    const { sub, tid, sid, scopes, exp } = claims.parse(payload);
    const viewer = { ...anonymous(tid), userId: sub, sessionId: sid, scopes: new Set(scopes) };
    return { viewer, expiresAt: new Date(exp * 1000) };
  };

  return {
    read: async (authorization) => {
      if (authorization === undefined) return { viewer: anonymous(tenantId), expiresAt: null };
      const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(authorization)?.[1];
      if (!token) throw refused();
      try {
        const signIn = await verify(token);
        // Beyond its time a token is good for the tolerance only, which is for clocks that differ.
        const left = signIn.expiresAt.getTime() - Date.now();
        if (left > 0 && authorization.length <= longest)
          readLately.set(authorization, signIn, { ttl: Math.min(left, remembered.ms) });
        return signIn;
      } catch (error) {
        if (error instanceof z.ZodError || !isOutage(error)) throw refused(error);
        log.error({ err: error }, 'the keys of access tokens are not reachable');
        throw new RequestError('SUBGRAPH_UNAVAILABLE', 'Signing in cannot be checked just now.', {
          cause: error,
        });
      }
    },
    known: (authorization) => (authorization === undefined ? undefined : readLately.get(authorization)),
    check: () => keys.reload(),
    close: () => clearInterval(timer),
  };
};
