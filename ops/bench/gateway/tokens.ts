// Access tokens of an issuer that exists for one run of the bench.
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const issuer = 'https://bench.example';
export const audience = 'gateway';

export type Tokens = {
  /** JSON of a key set */
  readonly keys: string;
  readonly all: readonly string[];
};

/** One for each of so many users. */
export const mintTokens = async (users: number): Promise<Tokens> => {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'EdDSA', use: 'sig' };
  const mint = (user: number): Promise<string> =>
    new SignJWT({ scope: 'catalog:read' })
      .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(`user-${user}`)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey);
  const all = await Promise.all(Array.from({ length: users }, (_, user) => mint(user)));
  return { keys: JSON.stringify({ keys: [key] }), all };
};
