// The payment provider's book, as its simulator shows it to testers. Ours is compared with it.
import { z } from 'zod';

const charge = z.object({
  id: z.string(),
  orderId: z.string().nullable(),
  status: z.string(),
  currency: z.string(),
  /** minor units, all of them */
  amount: z.number().int(),
  amountReceived: z.number().int(),
  amountCapturable: z.number().int(),
  amountRefunded: z.number().int(),
});

const page = z.object({ intents: z.array(charge), next: z.number(), hasMore: z.boolean() });

/** One attempt to take money for an order; at the provider's it is called a payment intent. */
export type Charge = z.infer<typeof charge>;

/** All of it, page by page. */
export const readBook = async (simulatorUrl: string, controlToken: string): Promise<Charge[]> => {
  const charges: Charge[] = [];
  for (let since = 0; ; ) {
    const response = await fetch(`${simulatorUrl}/control/book?since=${since}&limit=1000`, {
      headers: { authorization: `Bearer ${controlToken}` },
      signal: AbortSignal.timeout(5_000),
    });
    if (!response.ok) throw new Error(`the provider does not show its book: ${response.status}`);
    const { intents, next, hasMore } = page.parse(await response.json());
    charges.push(...intents);
    if (!hasMore) return charges;
    since = next;
  }
};
