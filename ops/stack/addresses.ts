import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where the three services answer. The database's URL names a maintenance database and holds the password. */
export type Addresses = {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly kafkaBrokers: string[];
};

const fileOf = (dir: string): string => path.join(dir, 'services.json');

/** For tools of the same user, and only for them. */
export const writeAddresses = (dir: string, addresses: Addresses): void => {
  const file = fileOf(dir);
  writeFileSync(`${file}.new`, `${JSON.stringify(addresses, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
};

/** Where the services of a data folder answer, while somebody runs them; null otherwise. */
export const readAddresses = (dir: string): Addresses | null => {
  try {
    return JSON.parse(readFileSync(fileOf(dir), 'utf8')) as Addresses;
  } catch {
    return null;
  }
};

export const forgetAddresses = (dir: string): void => rmSync(fileOf(dir), { force: true });
