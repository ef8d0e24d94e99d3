// What proves who somebody is: password hashes, tokens, and keyed hashes of what must be recognised but not known.
import { createHmac, createSecretKey } from 'node:crypto';
import { type Argon, openPasswords, type Passwords } from './password.ts';
import { openTokens, type Tokens } from './token.ts';

export type Vault = {
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  /** The same text gives the same pseudonym, and without the key nobody finds the text. */
  readonly pseudonym: (text: string) => Buffer;
  readonly registrationsPerHour: number;
};

type VaultSettings = {
  readonly ACCESS_TOKEN_KEY: string;
  readonly ACCESS_TOKEN_PREVIOUS_KEY?: string | undefined;
  readonly TENANT_SECRET: string;
  readonly REGISTRATIONS_PER_HOUR: number;
};

export const openVault = async (settings: VaultSettings, argon?: Argon): Promise<Vault> => {
  const key = createSecretKey(Buffer.from(settings.TENANT_SECRET));
  const [passwords, tokens] = await Promise.all([
    openPasswords(argon),
    openTokens(settings.ACCESS_TOKEN_KEY, settings.ACCESS_TOKEN_PREVIOUS_KEY),
  ]);
  return {
    passwords,
    tokens,
    pseudonym: (text) => createHmac('sha256', key).update('sign-in\n').update(text).digest(),
    registrationsPerHour: settings.REGISTRATIONS_PER_HOUR,
  };
};
