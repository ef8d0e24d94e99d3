import { describe, expect, test } from 'vitest';
import { delivering, from, hear, held, reserved, shipping, told } from './checkout-story.ts';
import { deadlineMs } from './patience.ts';

describe('an order that looks like fraud', () => {
  test('is held with its money promised, its goods kept, and goes on once it is approved', () => {
    expect(told(...held)).toMatchObject({ step: 'REVIEW' });
    expect(told(...held).sent.slice(-2)).toEqual(['fraud.review', 'inventory.extend']);
    expect(told(...held, 'fraud.approved', 'inventory.allocated').step).toBe('SHIPPING');
  });

  test('is given up when it is rejected, or nobody decides', () => {
    const back = ['payment.voided', 'inventory.released'] as const;
    expect(told(...held, 'fraud.rejected', ...back)).toMatchObject({
      step: 'CANCELLED',
      reason: 'The order was not approved.',
    });
    const expired = told(...held, 'deadline', ...back);
    expect(expired).toMatchObject({ step: 'CANCELLED', reason: 'The order was not approved in time.' });
    expect(expired.sent).toContain('fraud.close');
  });

  test('asking for information gives the reviewer the time once again, and only once', () => {
    const asked = told(...held, 'fraud.info-requested');
    expect(asked).toMatchObject({ step: 'REVIEW', checkout: { pending: 'EXTENDED' } });
    expect(deadlineMs(asked.checkout)).toBe(24 * 60 * 60_000);
    expect(hear(asked.checkout, 'fraud.info-requested')).toBeNull();
  });

  test('the goods are held longer than the reviewer has time', () => {
    const [review, extend] = hear(
      told(...reserved, 'fraud.scored high').checkout,
      'payment.authorized',
    )!.send;
    const { dueAt } = review!.data as { dueAt: string };
    const { holdUntil } = extend!.data as { holdUntil: string };
    expect(dueAt).toBe('2026-01-02T00:00:00.000Z');
    expect(Date.parse(holdUntil) - Date.parse(dueAt)).toBe(30 * 60_000);
  });

  test('a high score that comes late holds what has not left yet', () => {
    const late = [...reserved, 'deadline'] as const;
    expect(told(...late, 'fraud.scored high', 'payment.authorized').step).toBe('REVIEW');
    expect(told(...late, 'payment.authorized', 'fraud.scored high').step).toBe('REVIEW');
    const calledBack = told(...late, 'payment.authorized', 'inventory.allocated', 'fraud.scored high');
    expect(calledBack).toMatchObject({ step: 'SHIPPING', checkout: { pending: 'REVIEW' } });
    const looked = from(calledBack.checkout, 'shipment.cancelled');
    expect(looked).toMatchObject({ step: 'REVIEW', checkout: { parcel: 2 } });
    expect(from(looked.checkout, 'fraud.approved', 'inventory.allocated').step).toBe('SHIPPING');
    // The carrier was faster: the order is on its way.
    expect(from(calledBack.checkout, 'shipment.handed-over').step).toBe('CAPTURING');
  });

  test('who was approved is not held again', () => {
    expect(told(...held, 'fraud.approved', 'fraud.scored high').step).toBe('ALLOCATING');
  });
});

describe('with the carrier', () => {
  test('cancelling races the hand-over, and either way there is one end', () => {
    const asked = told(...shipping, 'cancel').checkout;
    expect(from(asked, 'shipment.cancelled', 'payment.voided', 'inventory.released').step).toBe('CANCELLED');
    const left = from(asked, 'shipment.handed-over');
    expect(left).toMatchObject({ step: 'CAPTURING', reason: expect.stringContaining('too late') });
    expect(from(left.checkout, 'shipment.cancelled').step).toBe('CAPTURING');
  });

  test('a refused label is asked for six more times, then somebody has to look', () => {
    let { checkout } = told(...shipping);
    const waits: (number | null)[] = [];
    for (let time = 0; time < 6; time++) {
      ({ checkout } = from(checkout, 'shipment.failed'));
      expect(checkout.pending).toBe('RETRY');
      waits.push(deadlineMs(checkout));
      const again = from(checkout, 'deadline');
      expect(again.sent).toEqual(['shipping.create']);
      ({ checkout } = again);
    }
    expect(waits).toEqual([20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    ({ checkout } = from(checkout, 'shipment.failed'));
    expect(checkout).toMatchObject({ step: 'SHIPPING', needsOperator: true });
    expect(deadlineMs(checkout)).toBeNull();
    expect(from(checkout, 'cancel').checkout).toMatchObject({ pending: 'CANCEL', needsOperator: false });
  });

  test('a parcel nobody has seen for a fortnight is for somebody to look at, and a scan ends that', () => {
    const { checkout } = told(...delivering, 'deadline');
    expect(checkout).toMatchObject({ step: 'DELIVERING', needsOperator: true });
    const seen = from(checkout, 'shipment.moved').checkout;
    expect(seen.needsOperator).toBe(false);
    expect(deadlineMs(from(seen, 'shipment.moved').checkout)).toBe(14 * 24 * 60 * 60_000);
  });

  test('a lost parcel is refunded, and its goods do not come back', () => {
    const lost = told(...delivering, 'shipment.lost', 'deadline', 'payment.refunded');
    expect(lost).toMatchObject({ step: 'CANCELLED', reason: 'The parcel was lost on its way.' });
    expect(lost.sent).not.toContain('inventory.release');
    expect(lost.sent).toContain('payment.refund');
  });

  test('a parcel that is lost before it is paid for is not charged', () => {
    const left = [...shipping, 'shipment.handed-over', 'shipment.lost'] as const;
    expect(told(...left, 'payment.voided')).toMatchObject({ step: 'CANCELLED' });
    expect(told(...left, 'payment.captured', 'payment.refunded').sent).not.toContain('inventory.release');
  });

  test('a parcel may arrive before its money', () => {
    const early = told(...shipping, 'shipment.handed-over', 'shipment.delivered');
    expect(early.step).toBe('CAPTURING');
    expect(from(early.checkout, 'deadline', 'payment.captured').step).toBe('DONE');
  });

  test('money that cannot be taken for goods on their way is for somebody to look at', () => {
    const refused = told(...shipping, 'shipment.handed-over', 'payment.capture-refused');
    expect(refused.checkout).toMatchObject({ step: 'CAPTURING', needsOperator: true });
    expect(from(refused.checkout, 'payment.captured').step).toBe('DELIVERING');
  });
});
