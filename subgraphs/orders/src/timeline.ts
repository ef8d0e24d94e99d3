// What an order's timeline tells besides its own steps: what others did that moves nothing, and a word on each.

import type { StockRestocked } from '@orderstream/inventory/messages';
import type { NotificationSent } from '@orderstream/notifications/messages';
import type { RefundMade } from '@orderstream/payments/messages';
import type { MessageType } from '@orderstream/runtime/messages';
import { format, money } from '@orderstream/runtime/money';
import type { ShipmentCreated, ShipmentMoved } from '@orderstream/shipping/messages';

type Data<M> = M extends MessageType<infer T> ? T : never;

/**
 * Heard where they move nothing, these are still worth an entry. What is not here came late or twice: an answer to a
 * question that nobody asks any more.
 */
const facts: ReadonlySet<string> = new Set([
  'inventory.shipped',
  'inventory.restocked',
  'fraud.scored',
  'fraud.info-requested',
  'payment.captured',
  'payment.refunded',
  'payment.refund-made',
  'payment.refund-failed',
  'shipment.created',
  'shipment.failed',
  'shipment.moved',
  'shipment.delivered',
  'notification.sent',
]);

export const isFact = (type: string): boolean => facts.has(type);

/** Who answered: messages are named after the thing, actors after the part of the shop. */
const actors: Readonly<Record<string, string>> = {
  inventory: 'inventory',
  fraud: 'fraud',
  payment: 'payments',
  shipment: 'shipping',
  notification: 'notifications',
};

export const actorOf = (type: string): string => actors[type.split('.')[0]!] ?? 'shop';

const places: Readonly<Record<Data<typeof ShipmentMoved>['status'], string>> = {
  IN_TRANSIT: 'On its way',
  OUT_FOR_DELIVERY: 'Out for delivery',
  EXCEPTION: 'Held up',
};

type Detail = (data: never) => string | null;

const details: Readonly<Record<string, Detail>> = {
  'payment.refund-made': ({ amountMinor, currency }: Data<typeof RefundMade>) =>
    `${format(money(amountMinor, currency))} was given back.`,
  'inventory.restocked': ({ lines }: Data<typeof StockRestocked>) => {
    const pieces = lines.reduce((sum, { quantity }) => sum + quantity, 0);
    return `${pieces} ${pieces === 1 ? 'piece is' : 'pieces are'} back in stock.`;
  },
  'shipment.created': ({ carrier }: Data<typeof ShipmentCreated>) => `By ${carrier}.`,
  'shipment.moved': ({ status, place }: Data<typeof ShipmentMoved>) =>
    place ? `${places[status]}: ${place}.` : `${places[status]}.`,
  'notification.sent': ({ channel }: Data<typeof NotificationSent>) =>
    channel === 'IN_APP' ? 'The customer was told in the app.' : `The customer was told by ${channel}.`,
};

/** A sentence on what a message says; null where its name says it all. Never what a reviewer or a score said. */
export const detailOf = (type: string, data: object): string | null => details[type]?.(data as never) ?? null;
