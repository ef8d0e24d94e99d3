// What the operations of somebody may cost in a while: by the rules for all, and by what was agreed on with a partner.
import { budgetOf } from '../persisted/partners.ts';
import type { RateRule, Rates } from '../rate/rates.ts';
import type { Asking } from './asking.ts';

export type Budgets = {
  /** Whether what is asked takes anything of anybody's. */
  readonly bind: (asking: Asking) => boolean;
  /**
   * Takes an operation's estimated cost, once for a request however often it is called.
   * @throws RequestError RATE_LIMITED, or QUERY_TOO_COMPLEX for what no budget has room for ever
   */
  readonly pay: (asking: Asking, cost: number) => Promise<void>;
};

export const createBudgets = (rules: readonly RateRule[], rates: Rates): Budgets => {
  const countsCosts = rules.some(({ counts }) => counts === 'cost');
  const paid = new WeakSet<Asking>();
  return {
    bind: ({ partner }) => countsCosts || (partner !== null && partner.costPerMinute !== null),
    pay: (asking, cost) => {
      if (paid.has(asking)) return Promise.resolve();
      paid.add(asking);
      const { identity, partner, address } = asking;
      const requester = { userId: identity.subject, partnerId: partner?.id ?? null, address };
      return new Promise((resolve, reject) => {
        rates.spend(requester, cost, partner ? budgetOf(partner, cost) : [], (refusal) => {
          if (refusal) reject(refusal);
          else resolve();
        });
      });
    },
  };
};
