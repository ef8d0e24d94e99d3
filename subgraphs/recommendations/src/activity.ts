// What visitors tell of themselves: what is accepted, from whom, and how much of it.
import { createHmac, type KeyObject } from 'node:crypto';
import { networkOf } from '@orderstream/runtime/network';
import type { Viewer } from '@orderstream/runtime/viewer';

export type ActivityKind = 'VIEW' | 'SEARCH' | 'IMPRESSION' | 'CLICK' | 'ADD_TO_CART' | 'EXPOSURE';

export type Activity = {
  readonly kind: ActivityKind;
  readonly at: Date;
  /** uuid */
  readonly productId: string | null;
  readonly query: string | null;
  readonly experiment: string | null;
};

export type Problem = { readonly path: string[]; readonly message: string };

const mostItems = 100;
const day = 24 * 60 * 60 * 1000;
/** Clocks of visitors are a little wrong. */
const ahead = 60_000;

/** What an item must say besides its kind, and how long that may be. */
const needs: Record<ActivityKind, 'productId' | 'query' | 'experiment'> = {
  VIEW: 'productId',
  IMPRESSION: 'productId',
  CLICK: 'productId',
  ADD_TO_CART: 'productId',
  SEARCH: 'query',
  EXPOSURE: 'experiment',
};
const longest = { query: 200, experiment: 100 } as const;

/** Before anything is read of the items: a list of the wrong length is not looked at. */
export const lengthProblems = (length: number): Problem[] =>
  length >= 1 && length <= mostItems
    ? []
    : [{ path: ['input', 'items'], message: `There are 1 to ${mostItems} items at a time.` }];

export const problemsOf = (items: readonly Activity[], now: Date): Problem[] =>
  items.flatMap((item, index) => {
    const problem = (field: string, message: string): Problem => ({
      path: ['input', 'items', `${index}`, field],
      message,
    });
    const age = now.getTime() - item.at.getTime();
    const needed = needs[item.kind];
    return [
      ...(age > day || age < -ahead ? [problem('at', 'It happened within the last day.')] : []),
      ...(item[needed]?.trim() ? [] : [problem(needed, `${item.kind} needs ${needed}.`)]),
      ...(['query', 'experiment'] as const)
        .filter((field) => (item[field]?.length ?? 0) > longest[field])
        .map((field) => problem(field, `${field} has at most ${longest[field]} characters.`)),
    ];
  });

/** What was searched for, unless it looks like somebody's address or number: no message carries those. */
export const anonymousQuery = (query: string | null): string | null => {
  const words = query?.trim().replace(/\s+/g, ' ').toLowerCase() ?? '';
  return words === '' || words.includes('@') || /\d(?:[\s().+-]*\d){6}/.test(words) ? null : words;
};

const hashed = (key: KeyObject, what: string, text: string): string =>
  createHmac('sha256', key).update(`${what}:${text}`).digest('base64url').slice(0, 22);

/** Who it is, the same at the next visit where that can be known: a customer's id, or a keyed hash. */
export const visitorOf = ({ userId, sessionId, deviceId, clientAddress }: Viewer, key: KeyObject): string => {
  if (userId) return userId;
  if (sessionId) return hashed(key, 'session', sessionId);
  if (deviceId) return hashed(key, 'device', deviceId);
  return hashed(key, 'network', networkOf(clientAddress ?? 'unknown'));
};

/** Whom the limit counts. A device's id is the visitor's own word, so whoever is not signed in counts by network. */
export const sourceOf = ({ userId, clientAddress }: Viewer, key: KeyObject): string =>
  userId ?? hashed(key, 'network', networkOf(clientAddress ?? 'unknown'));

/** Items from one source within the window. */
export const limit = { items: 600, withinMs: 60_000 } as const;

export type Taken = { readonly at: Date; readonly items: number };

/**
 * Milliseconds until so many more items are within the limit; 0 where they are now.
 * @param taken what was taken within the window, oldest first
 */
export const waitFor = (taken: readonly Taken[], wanted: number, now: Date): number => {
  let over = taken.reduce((sum, { items }) => sum + items, wanted) - limit.items;
  for (const { at, items } of taken) {
    if (over <= 0) return 0;
    over -= items;
    if (over <= 0) return Math.max(1, at.getTime() + limit.withinMs - now.getTime());
  }
  return over <= 0 ? 0 : limit.withinMs;
};
