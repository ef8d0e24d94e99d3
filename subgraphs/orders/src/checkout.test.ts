import { describe, expect, test } from 'vitest';
import { mayCancel } from './checkout.ts';
import {
  allocating,
  authorizing,
  begun,
  delivering,
  from,
  hear,
  held,
  reserved,
  shipping,
  told,
} from './checkout-story.ts';

describe('the way of an order', () => {
  test('stock, score, money, goods, carrier and customer, one after the other', () => {
    expect(told(...delivering, 'shipment.moved', 'shipment.delivered')).toMatchObject({
      step: 'DONE',
      reason: null,
      sent: [
        'inventory.reserve',
        'fraud.assess',
        'payment.authorize',
        'inventory.allocate',
        'shipping.create',
        'inventory.ship',
        'payment.capture',
      ],
    });
  });

  test('what is out of stock is named and nothing else is asked for', () => {
    expect(told('inventory.refused')).toMatchObject({
      step: 'CANCELLED',
      reason: 'Out of stock: 85123A.',
      sent: ['inventory.reserve'],
    });
  });

  test('a declined payment gives the stock back', () => {
    expect(told(...authorizing, 'payment.declined', 'inventory.released')).toMatchObject({
      step: 'CANCELLED',
      reason: 'The card was declined.',
      sent: ['inventory.reserve', 'fraud.assess', 'payment.authorize', 'inventory.release'],
    });
  });

  test('without a score in time a small order goes on and much money waits for a person', () => {
    expect(told(...reserved, 'deadline', 'payment.authorized').step).toBe('ALLOCATING');
    const dear = { ...begun.checkout, total: { amountMinor: 20_001, currency: 'GBP' } };
    expect(from(dear, ...reserved, 'deadline', 'payment.authorized').step).toBe('REVIEW');
  });

  test('hearing the same payment twice confirms once', () => {
    expect(told(...allocating, 'payment.authorized').sent).toEqual(told(...allocating).sent);
  });

  test.each([
    ['RESERVING', [], 'RELEASING', 'inventory.release'],
    ['SCORING', reserved, 'RELEASING', 'inventory.release'],
    ['AUTHORIZING', authorizing, 'VOIDING', 'payment.void'],
    ['ALLOCATING', allocating, 'VOIDING', 'payment.void'],
    ['REVIEW', held, 'VOIDING', 'fraud.close'],
    ['SHIPPING', shipping, 'SHIPPING', 'shipping.cancel'],
  ] as const)('cancel in %s', (_name, before, to, tells) => {
    const after = told(...before, 'cancel');
    expect(after).toMatchObject({ step: to, reason: 'Cancelled as asked.' });
    expect(after.sent.at(-1)).toBe(tells);
  });

  test('stock is free only after the void is confirmed', () => {
    expect(told(...allocating, 'cancel').sent).not.toContain('inventory.release');
    expect(told(...allocating, 'cancel', 'payment.voided').sent.at(-1)).toBe('inventory.release');
  });

  test('money that was faster than the void goes back before the stock is free', () => {
    const undone = told(
      ...allocating,
      'cancel',
      'payment.captured',
      'payment.refunded',
      'inventory.released',
    );
    expect(undone.step).toBe('CANCELLED');
    expect(undone.sent.slice(-3)).toEqual(['payment.void', 'payment.refund', 'inventory.release']);
  });

  test('money for an order that is no more goes back', () => {
    expect(told('inventory.refused', 'payment.captured').sent.at(-1)).toBe('payment.refund');
  });

  test('a hold that ran out ends the order, money first where it may be moving', () => {
    expect(told(...reserved, 'inventory.expired').step).toBe('CANCELLED');
    expect(told(...authorizing, 'inventory.expired').step).toBe('VOIDING');
    expect(told(...allocating, 'inventory.refused').step).toBe('VOIDING');
  });

  test('what a customer typed is told to them and goes into no message', () => {
    const next = hear({ ...begun.checkout, step: 'ALLOCATING' }, 'cancel')!;
    expect(next.told).toBe('Found it cheaper.');
    const later = hear(hear(next.checkout, 'payment.captured')!.checkout, 'deadline')!;
    expect(JSON.stringify([next.checkout, next.send, later])).not.toContain('cheaper');
  });

  test('what has ended or left cannot be cancelled', () => {
    for (const step of ['CANCELLED', 'CAPTURING', 'DELIVERING', 'DONE'] as const) {
      expect(hear({ ...begun.checkout, step }, 'cancel')).toBeNull();
      expect(mayCancel({ step, pending: null })).toBe(false);
    }
  });
});
