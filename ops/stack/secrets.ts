// Secrets of a local installation, made at the first start. Production refuses them by their mark.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Secrets = {
  readonly GATEWAY_SECRET: string;
  readonly TENANT_SECRET: string;
  /** private JWK for access tokens, as JSON */
  readonly ACCESS_TOKEN_KEY: string;
  readonly STRIPE_API_KEY: string;
  readonly STRIPE_WEBHOOK_SECRET: string;
  readonly CARRIER_API_KEY: string;
  readonly CARRIER_WEBHOOK_SECRET: string;
  /** opens the back doors of the simulators */
  readonly CONTROL_TOKEN: string;
  /** of the three accounts to try */
  readonly DEMO_PASSWORD: string;
};

const random = (before = ''): string => `${before}generated-${randomBytes(24).toString('hex')}`;

const accessTokenKey = (): string => {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return JSON.stringify({
    ...jwk,
    kid: `generated-${randomBytes(8).toString('hex')}`,
    alg: 'ES256',
    use: 'sig',
  });
};

const makeSecrets = (): Secrets => ({
  GATEWAY_SECRET: random(),
  TENANT_SECRET: random(),
  ACCESS_TOKEN_KEY: accessTokenKey(),
  STRIPE_API_KEY: random('sk_test_'),
  STRIPE_WEBHOOK_SECRET: random('whsec_'),
  CARRIER_API_KEY: random(),
  CARRIER_WEBHOOK_SECRET: random(),
  CONTROL_TOKEN: random(),
  DEMO_PASSWORD: `demo-${randomBytes(6).toString('hex')}`,
});

/** Those of `<dir>/secrets.json`, made when there are none; the environment's win over them. */
export const openSecrets = (dir: string, env: NodeJS.ProcessEnv): Secrets => {
  const file = join(dir, 'secrets.json');
  if (!existsSync(file)) {
    writeFileSync(file, JSON.stringify(makeSecrets(), null, 2), { mode: 0o600 });
    chmodSync(file, 0o600);
  }
  const kept: Secrets = { ...makeSecrets(), ...JSON.parse(readFileSync(file, 'utf8')) };
  const given = Object.keys(kept).filter((name) => env[name]);
  return { ...kept, ...Object.fromEntries(given.map((name) => [name, env[name]])) };
};
