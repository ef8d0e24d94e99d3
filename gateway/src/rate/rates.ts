// How often, and how dearly, somebody may ask: by user, by partner and by address.
import { hash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { RequestError } from '@orderstream/runtime/errors';
import { figure, tooComplex } from '../limits/limit.ts';
import type { Ask, Verdict } from './window.ts';
import type { Windows } from './windows.ts';

export type RateRule = {
  readonly by: 'user' | 'partner' | 'address';
  /** requests: one for each. cost: what the operation is estimated to cost. */
  readonly counts: 'requests' | 'cost';
  readonly limit: number;
  readonly windowMs: number;
};

export type Requester = {
  readonly userId: string | null;
  readonly partnerId: string | null;
  readonly address: string | null;
};

type Told = (refusal: RequestError | null) => void;

export type Rates = {
  /** Counts a request, before anything is asked about it. @param told called once, with RATE_LIMITED or null */
  readonly admit: (requester: Requester, told: Told) => void;
  /**
   * Takes an operation's estimated cost, before it runs; what it came to in the end changes nothing. What is bounded is
   * what may be asked for, and who asks can know it beforehand.
   * @param budget of the requester's own, beside the rules
   * @param told called once, with RATE_LIMITED, with QUERY_TOO_COMPLEX for what no window has room for ever, or null
   */
  readonly spend: (requester: Requester, cost: number, budget: readonly Ask[], told: Told) => void;
};

/** One customer of a network provider commonly has a whole /64 to choose addresses from. */
export const networkOf = (address: string): string => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const before = head.split(':').filter((group) => group !== '');
  const after = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
};

// Addresses are personal; counters need only tell them apart.
const whoOf: Record<RateRule['by'], (requester: Requester) => string | null> = {
  user: ({ userId }) => userId,
  partner: ({ partnerId }) => partnerId,
  address: ({ address }) =>
    address === null ? null : hash('sha256', networkOf(address), 'base64url').slice(0, 22),
};

const asksOf = (
  rules: readonly RateRule[],
  requester: Requester,
  counts: RateRule['counts'],
  cost: number,
): Ask[] =>
  rules.flatMap((rule) => {
    const who = rule.counts === counts ? whoOf[rule.by](requester) : null;
    if (who === null) return [];
    return [{ name: `${rule.by}:${counts}:${who}`, limit: rule.limit, windowMs: rule.windowMs, cost }];
  });

export const rateLimited = (verdict: Verdict): RequestError | null =>
  verdict.isAllowed
    ? null
    : new RequestError('RATE_LIMITED', undefined, { retryAfterMs: verdict.retryAfterMs });

/** Another try would never help. */
const neverRoom = (asks: readonly Ask[]): RequestError | null => {
  const ask = asks.find(({ cost, limit }) => cost > limit);
  if (!ask) return null;
  const seconds = ask.windowMs / 1_000;
  return tooComplex(
    `its cost is ${figure(ask.cost)}, of ${figure(ask.limit)} allowed in ${figure(seconds)} seconds`,
  );
};

export const createRates = (rules: readonly RateRule[], windows: Windows): Rates => {
  const take = (asks: readonly Ask[], told: Told): void => {
    if (asks.length === 0) told(null);
    else windows.take(asks, (verdict) => told(rateLimited(verdict)));
  };
  return {
    admit: (requester, told) => take(asksOf(rules, requester, 'requests', 1), told),
    spend: (requester, cost, budget, told) => {
      const asks = cost === 0 ? [] : [...asksOf(rules, requester, 'cost', cost), ...budget];
      const never = neverRoom(asks);
      if (never) told(never);
      else take(asks, told);
    },
  };
};
