// The payment provider's side of an order, by the simulator's control API: what it was asked, against what we believe.
import { parseId } from '@orderstream/runtime/ids';
import { z } from 'zod';
import { controlOf } from './control.ts';
import type { Simulator } from './running-stack.ts';

/** An attempt of the shop to take money, in the provider's words. */
export type Charge = {
  readonly status: string;
  /** minor units */
  readonly amount: number;
  /** minor units that the bank holds */
  readonly amountCapturable: number;
  /** minor units that reached the shop */
  readonly amountReceived: number;
  /** minor units that went back */
  readonly amountRefunded: number;
};

const page = z.object({
  intents: z.array(
    z.object({
      orderId: z.string().nullable(),
      status: z.string(),
      amount: z.number().int(),
      amountCapturable: z.number().int(),
      amountReceived: z.number().int(),
      amountRefunded: z.number().int(),
    }),
  ),
  next: z.number(),
  hasMore: z.boolean(),
});

export type Provider = {
  /** Its messages about this order come a minute late from now on. */
  readonly slowNews: (orderId: string) => Promise<void>;
  readonly chargesOf: (orderId: string) => Promise<Charge[]>;
};

/** longer than the shop ever waits for a reply */
const newsDelayMs = 60_000;

/** Orders have the shop's own ids there, without the prefix that clients see. */
const uuidOf = (orderId: string): string => parseId('order', orderId) ?? orderId;

export const providerAt = (simulator: Simulator): Provider => {
  const call = controlOf('provider', simulator);
  return {
    slowNews: async (orderId) => {
      const match = { orderId: uuidOf(orderId) };
      await call('faults', { webhooks: { delayMs: { ms: newsDelayMs, match } } });
    },
    chargesOf: async (orderId) => {
      const uuid = uuidOf(orderId);
      const charges: Charge[] = [];
      for (let since = 0; ; ) {
        const { intents, next, hasMore } = page.parse(await call(`book?since=${since}&limit=1000`));
        charges.push(...intents.filter((intent) => intent.orderId === uuid));
        if (!hasMore) return charges;
        since = next;
      }
    },
  };
};
