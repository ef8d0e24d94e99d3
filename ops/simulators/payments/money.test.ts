import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop } from './test-shop.ts';

let shop: Awaited<ReturnType<typeof openShop>>;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** What a shopkeeper would keep on paper: the same rules once more, and nothing of the simulator's code. */
type Paper = { status: string; capturable: number; received: number; refunds: number[] };

const AMOUNT = 1000;
const step = fc.oneof(
  fc.record({ does: fc.constantFrom('confirm', 'decline', 'cancel'), amount: fc.constant(0) }),
  fc.record({ does: fc.constantFrom('capture', 'refund'), amount: fc.integer({ min: 1, max: 1200 }) }),
);

const afterStep = (paper: Paper, { does, amount }: { does: string; amount: number }): Paper | 'refused' => {
  const { status, capturable, received, refunds } = paper;
  const back = refunds.reduce((sum, part) => sum + part, 0);
  const open = status === 'requires_payment_method';
  if (does === 'confirm' && open) return { ...paper, status: 'requires_capture', capturable: AMOUNT };
  if (does === 'cancel' && (open || status === 'requires_capture')) {
    return { ...paper, status: 'canceled', capturable: 0 };
  }
  if (does === 'capture' && status === 'requires_capture' && amount <= capturable) {
    return { ...paper, status: 'succeeded', capturable: 0, received: amount };
  }
  if (does === 'refund' && status === 'succeeded' && back + amount <= received) {
    return { ...paper, refunds: [...refunds, amount] };
  }
  return 'refused';
};

const perform = (id: string, { does, amount }: { does: string; amount: number }): Promise<unknown> => {
  const { paymentIntents, refunds } = shop.stripe;
  switch (does) {
    case 'confirm':
      return paymentIntents.confirm(id, { payment_method: 'pm_card_visa' });
    case 'decline':
      return paymentIntents.confirm(id, { payment_method: 'pm_card_chargeDeclined' });
    case 'cancel':
      return paymentIntents.cancel(id);
    case 'capture':
      return paymentIntents.capture(id, { amount_to_capture: amount });
    default:
      return refunds.create({ payment_intent: id, amount });
  }
};

test('whatever is done to a payment, the money adds up', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 10 }), async (steps) => {
      const { id } = await shop.stripe.paymentIntents.create({
        amount: AMOUNT,
        currency: 'gbp',
        capture_method: 'manual',
      });
      let paper: Paper = { status: 'requires_payment_method', capturable: 0, received: 0, refunds: [] };
      for (const move of steps) {
        const expected = afterStep(paper, move);
        const done = await perform(id, move).then(
          () => true,
          () => false,
        );
        expect(done).toBe(expected !== 'refused');
        if (expected !== 'refused') paper = expected;
      }
      const intent = await shop.stripe.paymentIntents.retrieve(id);
      expect(intent).toMatchObject({
        status: paper.status,
        amount_capturable: paper.capturable,
        amount_received: paper.received,
      });
      const listed = await shop.stripe.refunds.list({ payment_intent: id, limit: 100 });
      expect(listed.data.map(({ amount }) => amount).reverse()).toEqual(paper.refunds);
    }),
    { numRuns: 60 },
  );
});
