// One request, counted against everything that bounds how many there may be.
import type { RequestError } from '@orderstream/runtime/errors';
import { quotaOf } from '../persisted/partners.ts';
import { type Rates, rateLimited } from '../rate/rates.ts';
import type { Windows } from '../rate/windows.ts';
import type { Asking } from './asking.ts';

/** `told` is called once, with null where nothing bounds it; at once where nothing has to be waited for. */
export type Count = (
  asking: Pick<Asking, 'identity' | 'partner' | 'address'>,
  told: (refusal: RequestError | null) => void,
) => void;

/** @param hasRates whether there are rules for anybody but partners */
export const createCount =
  (rates: Rates, windows: Windows, hasRates: boolean): Count =>
  ({ identity, partner, address }, told) => {
    const requester = { userId: identity.subject, partnerId: partner?.id ?? null, address };
    if (!partner) {
      if (hasRates) rates.admit(requester, told);
      else told(null);
      return;
    }
    windows.take(quotaOf(partner), (verdict) => {
      const refusal = rateLimited(verdict);
      if (refusal || !hasRates) told(refusal);
      else rates.admit(requester, told);
    });
  };
