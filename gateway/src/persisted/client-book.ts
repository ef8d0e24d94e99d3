// Partners whose keys are kept by the users subgraph, as this gateway knows them. What it knows is asked anew before it is
// ten seconds old, so a key that was revoked ends within ten seconds; while users is away, what is known goes on for five
// minutes. A key that is known is judged at once, without waiting.
import { hash, timingSafeEqual } from 'node:crypto';
import { RequestError } from '@orderstream/runtime/errors';
import type { Log } from '@orderstream/runtime/log';
import type { Manifest } from '@orderstream/runtime/manifest';
import { LRUCache } from 'lru-cache';
import type { ClientDoor, ClientTold } from './client-door.ts';
import type { Partner } from './partners.ts';
import { createUsageBook } from './usage-book.ts';

export type ClientBook = {
  /** Null for a key of nobody; undefined where users has to be asked first, by `read`. */
  readonly byKey: (key: string) => Partner | null | undefined;
  /** @throws RequestError SUBGRAPH_UNAVAILABLE, or RATE_LIMITED where too many keys that nobody knows were tried */
  readonly read: (key: string) => Promise<Partner | null>;
  /** @param cost estimated; a whole number */
  readonly count: (partner: Partner, cost: number, isRefused: boolean) => void;
  /** Told of each partner that came to be known, or whose operations are others now. */
  readonly listen: (learned: (partner: Partner) => void) => void;
  /** Tells what was counted, if anybody listens. */
  readonly close: () => Promise<void>;
};

type Options = {
  readonly door: ClientDoor;
  readonly log: Log;
  /** milliseconds since 1970 */
  readonly clock?: () => number;
};

/** Milliseconds after which something is asked anew: in passing, and before anything else. */
const freshMs = 5_000;
const keptMs = 10_000;
/** milliseconds for which what is known goes on while users is away */
const patienceMs = 5 * 60_000;
/** milliseconds between two questions about the same client while users is away */
const pauseMs = 1_000;
const tellEveryMs = 5_000;

/** keys of nobody that are remembered, by how they begin */
const mostStrangers = 10_000;
/** questions in a second about keys that are not known: strangers can make up as many as they like */
const mostQuestions = 50;
/** characters of operations, and clients, that are held */
const mostText = 64 * 1024 * 1024;
const mostClients = 10_000;

const keyShape = /^osk_[0-9a-f]{12}_[\w-]{43}$/;
/** how a key begins, or null for what is no key at all */
const prefixOf = (key: string): string | null => (keyShape.test(key) ? key.slice(0, 16) : null);
const nothing = Buffer.alloc(32);

type Entry = {
  readonly partner: Partner;
  readonly hash: Buffer;
  readonly version: number;
  /** when users was asked for what it then said */
  heardAt: number;
  /** when it last gave no answer; null where it did */
  awayAt: number | null;
};

const textOf = (manifest: Manifest): number => {
  let length = 1;
  for (const { id, body } of manifest.values()) length += id.length + body.length;
  return length;
};

const isKeyOf = (hashOfKey: Buffer, key: string): boolean => {
  const given = hash('sha256', key, 'buffer');
  return timingSafeEqual(given, hashOfKey.length === given.length ? hashOfKey : nothing);
};

const toPartner = ({ version, scopes, operations, ...rest }: ClientTold): Partner => {
  if (!operations) throw new Error(`users did not tell the operations of ${rest.id} in version ${version}`);
  const manifest = new Map(operations.map((one) => [one.id, one]));
  return { ...rest, scopes: new Set(scopes), manifest };
};

export const openClientBook = ({ door, log, clock = Date.now }: Options): ClientBook => {
  const known = new LRUCache<string, Entry>({
    max: mostClients,
    maxSize: mostText,
    sizeCalculation: ({ partner }) => textOf(partner.manifest),
  });
  /** by how a key begins: when users said that it is nobody's */
  const strangers = new LRUCache<string, number>({ max: mostStrangers });
  const asking = new Map<string, Promise<void>>();
  const usage = createUsageBook(door, log, clock);
  const telling = setInterval(() => usage.flush(), tellEveryMs);
  telling.unref();
  let questions = { since: 0, count: 0 };
  let learned: (partner: Partner) => void = () => undefined;

  const mayAskAboutStranger = (now: number): boolean => {
    if (now - questions.since >= 1_000) questions = { since: now, count: 0 };
    questions.count += 1;
    return questions.count <= mostQuestions;
  };

  const learn = (
    prefix: string,
    told: ClientTold | null,
    before: Entry | undefined,
    askedAt: number,
  ): void => {
    if (!told) {
      known.delete(prefix);
      strangers.set(prefix, askedAt);
    } else if (before && before.version === told.version) {
      before.heardAt = askedAt;
      before.awayAt = null;
      // It may have been forgotten to make room while users was asked.
      if (!known.has(prefix)) known.set(prefix, before);
    } else {
      strangers.delete(prefix);
      const partner = toPartner(told);
      known.set(prefix, {
        partner,
        hash: Buffer.from(told.keyHash, 'hex'),
        version: told.version,
        heardAt: askedAt,
        awayAt: null,
      });
      learned(partner);
    }
  };

  /** @throws RequestError SUBGRAPH_UNAVAILABLE where nothing is known, or for too long */
  const miss = (prefix: string, before: Entry | undefined, cause: unknown): void => {
    log.warn({ err: cause }, 'users does not tell of a partner');
    const now = clock();
    if (before && now - before.heardAt < patienceMs) {
      before.awayAt = now;
      return;
    }
    known.delete(prefix);
    throw new RequestError('SUBGRAPH_UNAVAILABLE', 'Whose key this is cannot be told now.', { cause });
  };

  const ask = (prefix: string): Promise<void> => {
    const under = asking.get(prefix);
    if (under) return under;
    const before = known.get(prefix);
    const askedAt = clock();
    if (!before && !mayAskAboutStranger(askedAt))
      return Promise.reject(
        new RequestError('RATE_LIMITED', 'Too many unknown keys at a time.', { retryAfterMs: 1_000 }),
      );
    const answered = door
      .ask(prefix, before?.version)
      .then((told) => learn(prefix, told, before, askedAt))
      .catch((error: unknown) => miss(prefix, before, error))
      .finally(() => asking.delete(prefix));
    asking.set(prefix, answered);
    return answered;
  };

  /** Whoever asks in passing is not told that nobody answers. */
  const askInPassing = (prefix: string): void => {
    if (!asking.has(prefix)) ask(prefix).catch(() => undefined);
  };

  const ofEntry = (entry: Entry, prefix: string, key: string): Partner | null | undefined => {
    const now = clock();
    const age = now - entry.heardAt;
    if (entry.awayAt !== null) {
      if (age >= patienceMs) return undefined;
      if (now - entry.awayAt >= pauseMs) askInPassing(prefix);
    } else {
      if (age >= keptMs) return undefined;
      if (age >= freshMs) askInPassing(prefix);
    }
    return isKeyOf(entry.hash, key) ? entry.partner : null;
  };

  const byKey = (key: string): Partner | null | undefined => {
    const prefix = prefixOf(key);
    if (prefix === null) return null;
    const entry = known.get(prefix);
    if (entry) return ofEntry(entry, prefix, key);
    const saidAt = strangers.get(prefix);
    return saidAt !== undefined && clock() - saidAt < keptMs ? null : undefined;
  };

  return {
    byKey,
    read: async (key) => {
      const before = byKey(key);
      if (before !== undefined) return before;
      await ask(prefixOf(key)!);
      const after = byKey(key);
      if (after === undefined) throw new RequestError('SUBGRAPH_UNAVAILABLE');
      return after;
    },
    listen: (listener) => {
      learned = listener;
    },
    count: ({ id }, cost, isRefused) => usage.count(id, cost, isRefused),
    close: async () => {
      clearInterval(telling);
      // What was under way may have begun before the last requests were counted.
      await usage.flush();
      await usage.flush();
    },
  };
};
