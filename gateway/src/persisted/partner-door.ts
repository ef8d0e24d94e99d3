// Whose a key is: a partner's of the configuration, or one that users keeps the keys of.
import { RequestError } from '@orderstream/runtime/errors';
import type { ClientBook } from './client-book.ts';
import type { Partner, Partners } from './partners.ts';

export type PartnerDoor = {
  /** false: there is nobody whose a key could be */
  readonly isOpen: boolean;
  /**
   * At once, where that is possible; undefined where it has to be waited for, with `read`.
   * @throws RequestError UNAUTHENTICATED for a key of nobody
   */
  readonly byKey: (key: string) => Partner | undefined;
  /** @throws RequestError UNAUTHENTICATED, SUBGRAPH_UNAVAILABLE or RATE_LIMITED */
  readonly read: (key: string) => Promise<Partner>;
  /** Of a key that was good: whether it is no more. To be asked again and again by whatever goes on for long. */
  readonly isGone: (key: string) => boolean;
  /**
   * One request that is over, for those whose usage somebody wants to know.
   * @param cost estimated
   */
  readonly count: (partner: Partner, cost: number, isRefused: boolean) => void;
  readonly close: () => Promise<void>;
};

const accepted = (partner: Partner | null): Partner => {
  if (!partner) throw new RequestError('UNAUTHENTICATED', 'The key is not valid.');
  return partner;
};

/** @param book null where no subgraph keeps keys */
export const createPartnerDoor = (partners: Partners, book: ClientBook | null): PartnerDoor => {
  const ofConfiguration = new Set(partners.all());
  const byKey: PartnerDoor['byKey'] = (key) => {
    const partner = partners.byKey(key) ?? (book ? book.byKey(key) : null);
    return partner === undefined ? undefined : accepted(partner);
  };
  const read: PartnerDoor['read'] = async (key) =>
    accepted(partners.byKey(key) ?? (book ? await book.read(key) : null));
  return {
    isOpen: ofConfiguration.size > 0 || book !== null,
    byKey,
    read,
    isGone: (key) => {
      try {
        // Whether it is, is heard by the next time.
        if (!byKey(key)) read(key).catch(() => undefined);
        return false;
      } catch {
        return true;
      }
    },
    count: (partner, cost, isRefused) => {
      if (book && !ofConfiguration.has(partner)) book.count(partner, Math.round(cost), isRefused);
    },
    close: async () => {
      await book?.close();
    },
  };
};
