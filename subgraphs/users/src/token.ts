// The two kinds of tokens. Access tokens are signed (ES256) and believed for ten minutes by whoever has the public key;
// refresh tokens are random, and only their hash is kept.
import { createHash, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, type JSONWebKeySet, type JWK, SignJWT } from 'jose';
import { z } from 'zod';
import { scopesOfAll, type User } from './user.ts';

/** milliseconds */
const accessLifeMs = 10 * 60 * 1000;

const issuer = 'orderstream';
const audience = 'orderstream';

const publicJwk = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() });
const privateJwk = publicJwk.extend({ d: z.string() });

const makeOne = `node -p "JSON.stringify(crypto.generateKeyPairSync('ec',{namedCurve:'P-256'}).privateKey.export({format:'jwk'}))"`;

const isKey = (text: string, shape: typeof publicJwk, load: (jwk: JWK) => unknown): boolean => {
  try {
    load(shape.parse(JSON.parse(text)));
    return true;
  } catch {
    return false;
  }
};

/** Processes share the key, so none can make one up for itself. */
const help = `a private P-256 key as JWK is needed, the same in every process; make one with: ${makeOne}`;

// These stay text: a key that is marked as generated is recognised by its text in production.
export const currentKey = z
  .string({ error: help })
  .refine((text) => isKey(text, privateJwk, (jwk) => createPrivateKey({ key: jwk, format: 'jwk' })), {
    error: help,
  });

export const previousKey = z
  .string()
  .refine((text) => isKey(text, publicJwk, (jwk) => createPublicKey({ key: jwk, format: 'jwk' })), {
    error: 'the P-256 key used before, as JWK, private or public',
  })
  .optional();

export type Tokens = {
  readonly issue: (
    user: User,
    sessionId: string,
    now: Date,
  ) => Promise<{ accessToken: string; expiresAt: Date }>;
  /** the public keys: the one in use, and the one before it, whose last tokens are still around */
  readonly jwks: JSONWebKeySet;
};

/** The name of a key is its RFC 7638 thumbprint: two keys cannot share one, whatever their files say. */
const published = async (text: string): Promise<JWK & { kid: string }> => {
  const jwk = publicJwk.parse(JSON.parse(text));
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' };
};

export const openTokens = async (current: string, previous?: string): Promise<Tokens> => {
  const [key, mine, former] = await Promise.all([
    importJWK(privateJwk.parse(JSON.parse(current)), 'ES256'),
    published(current),
    previous ? published(previous) : null,
  ]);
  return {
    issue: async (user, sessionId, now) => {
      const issuedAt = Math.floor(now.getTime() / 1000);
      const expiresAt = new Date(issuedAt * 1000 + accessLifeMs);
      const claims = {
        tid: user.tenantId,
        sid: sessionId,
        roles: user.roles,
        scopes: scopesOfAll(user.roles),
      };
      const accessToken = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: mine.kid })
        .setSubject(user.id)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(key);
      return { accessToken, expiresAt };
    },
    jwks: { keys: [mine, ...(former && former.kid !== mine.kid ? [former] : [])] },
  };
};

/** 256 random bits */
export const newRefreshToken = (): string => randomBytes(32).toString('base64url');

/** Random enough that a plain hash is as good as a slow one. */
export const hashOf = (refreshToken: string): Buffer => createHash('sha256').update(refreshToken).digest();
