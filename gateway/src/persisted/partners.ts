// Partners call with a key. Of the key we hold its beginning, by which it is found, and the hash of the whole.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Manifest } from '@orderstream/runtime/manifest';
import type { Ask } from '../rate/window.ts';

export type Partner = {
  readonly id: string;
  readonly name: string;
  /** what stands before the first dot of the key */
  readonly keyPrefix: string;
  /** SHA-256 of the whole key, hexadecimal */
  readonly keyHash: string;
  readonly scopes: ReadonlySet<string>;
  readonly manifest: Manifest;
  readonly perMinute: number;
  readonly perDay: number;
  /** estimated cost of all operations of a minute; null: no bound */
  readonly costPerMinute: number | null;
};

export type Partners = {
  /** Takes as long for a wrong key as for a right one. Null for a key of nobody. */
  readonly byKey: (key: string) => Partner | null;
  readonly all: () => readonly Partner[];
};

/** Keys are long and random, so one round of SHA-256 is enough: there is nothing to guess. */
export const keyHashOf = (key: string): string => hash('sha256', key);

/** A key of 256 random bits. It is shown once; the prefix and the hash are what is kept. */
export const newKey = (): { readonly key: string; readonly keyPrefix: string; readonly keyHash: string } => {
  const keyPrefix = `key_${randomBytes(6).toString('hex')}`;
  const key = `${keyPrefix}.${randomBytes(32).toString('base64url')}`;
  return { key, keyPrefix, keyHash: keyHashOf(key) };
};

/** the hash of no key: what an unknown one is compared with */
const nothing = Buffer.alloc(32);
const longestKey = 500;

/** @throws TypeError where two partners have keys that begin alike */
export const createPartners = (partners: readonly Partner[]): Partners => {
  const byPrefix = new Map<string, { partner: Partner; hash: Buffer }>();
  for (const partner of partners) {
    const before = byPrefix.get(partner.keyPrefix);
    if (before) throw new TypeError(`the keys of ${before.partner.id} and ${partner.id} begin alike`);
    byPrefix.set(partner.keyPrefix, { partner, hash: Buffer.from(partner.keyHash, 'hex') });
  }
  return {
    byKey: (key) => {
      const found = key.length <= longestKey ? byPrefix.get(key.split('.', 1)[0]!) : undefined;
      const given = Buffer.from(keyHashOf(key.slice(0, longestKey)), 'hex');
      const isEqual = timingSafeEqual(given, found?.hash.length === given.length ? found.hash : nothing);
      return found && isEqual ? found.partner : null;
    },
    all: () => partners,
  };
};

const minute = 60_000;
const day = 86_400_000;

/** One request of a partner, as it counts against its quotas. */
export const quotaOf = ({ id, perMinute, perDay }: Partner): Ask[] => [
  { name: `quota:${id}`, limit: perMinute, windowMs: minute, cost: 1 },
  { name: `quota:${id}`, limit: perDay, windowMs: day, cost: 1 },
];

/** @param cost that the operation is estimated to have */
export const budgetOf = ({ id, costPerMinute }: Partner, cost: number): Ask[] =>
  costPerMinute === null ? [] : [{ name: `budget:${id}`, limit: costPerMinute, windowMs: minute, cost }];
