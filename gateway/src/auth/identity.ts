// Who a request comes from: a token of one of several issuers, whose keys are published at an address or stand in a file.
import { hash } from 'node:crypto';
import { RequestError } from '@orderstream/runtime/errors';
import type { Log } from '@orderstream/runtime/log';
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { type KeySource, openKeys } from './keys.ts';
import type { Standing } from './standing.ts';

export type IssuerSettings = {
  /** what tokens say in `iss` */
  readonly issuer: string;
  readonly keys: KeySource;
  /** one of them has to be in `aud`; empty: any */
  readonly audiences: readonly string[];
  /** asymmetric ones: a published key must never be taken for a shared secret */
  readonly algorithms: readonly string[];
  readonly clockToleranceSeconds: number;
  /** null: as long as the token says */
  readonly maxAgeSeconds: number | null;
  /** claims that hold scopes and policies, as lists or as words of a text; dots lead into objects */
  readonly scopesClaim: string;
  readonly policiesClaim: string;
};

export type IdentitySettings = {
  readonly issuers: readonly IssuerSettings[];
  /** what stands before the token in the header; empty: nothing */
  readonly scheme: string;
};

export type Identity = Standing & {
  /** null for somebody not signed in */
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly claims: Readonly<JWTPayload>;
  readonly expiresAt: Date | null;
};

/** Whether the claims of a sound token are good enough; what they lack is nobody's affair outside. */
export type Accepts = (claims: JWTPayload) => boolean;

export type Identities = {
  /** What is known already, without waiting: the usual case of a token that was here a moment ago. */
  readonly known: (header: string | undefined, now: number) => Identity | null;
  /**
   * Reads the header; without one the identity is nobody's.
   * @throws RequestError UNAUTHENTICATED for whatever is wrong with the token, SUBGRAPH_UNAVAILABLE while there are no keys
   */
  readonly read: (header: string | undefined) => Promise<Identity>;
  /** @throws where the keys of an issuer cannot be had */
  readonly check: () => Promise<void>;
  readonly close: () => void;
};

export const nobody: Identity = {
  isSignedIn: false,
  scopes: new Set(),
  policies: new Set(),
  issuer: null,
  subject: null,
  claims: {},
  expiresAt: null,
};

/** milliseconds for which a token is not looked at again: no longer is a withdrawn key good */
const verdictMs = 60_000;
const mostVerdicts = 10_000;

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

const claimAt = (claims: JWTPayload, path: string): unknown => {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
};

/** Anything else than a text or a list of texts is nothing: nobody gets a scope by a claim that is misread. */
const words = (value: unknown): Set<string> => {
  if (typeof value === 'string') return new Set(value.split(' ').filter((word) => word !== ''));
  if (!Array.isArray(value)) return new Set();
  return new Set(value.filter((word) => typeof word === 'string'));
};

const identityOf = (settings: IssuerSettings, claims: JWTPayload): Identity => ({
  isSignedIn: true,
  scopes: words(claimAt(claims, settings.scopesClaim)),
  policies: words(claimAt(claims, settings.policiesClaim)),
  issuer: settings.issuer,
  subject: claims.sub ?? null,
  claims,
  expiresAt: new Date(claims.exp! * 1000),
});

const tokenPattern = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const tokenIn = (header: string, scheme: string): string | null => {
  const hasScheme = header.slice(0, scheme.length + 1).toLowerCase() === `${scheme.toLowerCase()} `;
  const token = scheme === '' ? header : hasScheme ? header.slice(scheme.length + 1) : '';
  return tokenPattern.test(token) ? token : null;
};

export const openIdentities = (
  { issuers, scheme }: IdentitySettings,
  log: Log,
  accepts: Accepts = () => true,
): Identities => {
  const sources = new Map(
    issuers.map((one) => [one.issuer, { settings: one, keys: openKeys(one.keys, log) }]),
  );
  const verdicts = new Map<string, { readonly identity: Identity; readonly until: number }>();

  const remember = (token: string, identity: Identity): void => {
    if (verdicts.size >= mostVerdicts) verdicts.delete(verdicts.keys().next().value!);
    const until = Math.min(Date.now() + verdictMs, identity.expiresAt!.getTime());
    verdicts.set(hash('sha256', token, 'base64'), { identity, until });
  };

  const verify = async (token: string): Promise<Identity> => {
    // Not to be believed yet: it says only whose keys to try.
    const source = sources.get(decodeJwt(token).iss ?? '');
    if (!source) throw refused();
    const { settings, keys } = source;
    const { payload } = await jwtVerify(token, keys.get, {
      issuer: settings.issuer,
      algorithms: [...settings.algorithms],
      clockTolerance: settings.clockToleranceSeconds,
      requiredClaims: ['exp'],
      ...(settings.audiences.length > 0 && { audience: [...settings.audiences] }),
      ...(settings.maxAgeSeconds !== null && { maxTokenAge: settings.maxAgeSeconds }),
    });
    if (!accepts(payload)) throw refused();
    return identityOf(settings, payload);
  };

  return {
    known: (header, now) => {
      if (header === undefined) return nobody;
      const token = tokenIn(header, scheme);
      const verdict = token === null ? undefined : verdicts.get(hash('sha256', token, 'base64'));
      return verdict && verdict.until > now ? verdict.identity : null;
    },
    read: async (header) => {
      if (header === undefined) return nobody;
      const token = tokenIn(header, scheme);
      if (token === null) throw refused();
      try {
        const identity = await verify(token);
        remember(token, identity);
        return identity;
      } catch (error) {
        if (error instanceof RequestError || !isOutage(error)) throw refused(error);
        log.error({ err: error }, 'the keys of access tokens are not reachable');
        throw new RequestError('SUBGRAPH_UNAVAILABLE', 'Signing in cannot be checked just now.', {
          cause: error,
        });
      }
    },
    check: async () => {
      await Promise.all([...sources.values()].map(({ keys }) => keys.check()));
    },
    close: () => {
      for (const { keys } of sources.values()) keys.close();
    },
  };
};
