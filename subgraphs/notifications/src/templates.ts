// The words for people, made from the stored facts each time they are read: a better wording betters old ones too.
import { format, money } from '@orderstream/runtime/money';
import type { Kind, Notification } from './notification.ts';

type Facts = Pick<Notification, 'kind' | 'number' | 'reason' | 'amountMinor' | 'currency'>;

export type Words = { readonly title: string; readonly body: string };

/** With a capital at its start and a full stop at its end, as the shop's reasons may come without. */
const sentence = (text: string): string => {
  const tidy = text.trim();
  const capital = tidy.slice(0, 1).toUpperCase() + tidy.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
};

const because = (reason: string | null): string[] => (reason?.trim() ? [sentence(reason)] : []);

const amountOf = ({ amountMinor, currency }: Facts): string =>
  amountMinor === null ? 'Money' : format(money(amountMinor, currency));

const templates: Record<Kind, (facts: Facts) => { title: string; body: readonly string[] }> = {
  ORDER_CONFIRMED: ({ number, reason }) => ({
    title: `Order ${number} is confirmed`,
    body: ['Thank you. We are packing it and tell you when it leaves.', ...because(reason)],
  }),
  ORDER_HELD: ({ number, reason }) => ({
    title: `Order ${number} is being checked`,
    body: [...because(reason), 'One of us looks at it before it goes on. You need not do anything.'],
  }),
  ORDER_SHIPPED: ({ number, reason }) => ({
    title: `Order ${number} is on its way`,
    body: ['The carrier has it. You can follow the parcel on the page of the order.', ...because(reason)],
  }),
  ORDER_DELIVERED: ({ number, reason }) => ({
    title: `Order ${number} was delivered`,
    body: ['We hope you like it.', ...because(reason)],
  }),
  ORDER_CANCELLED: ({ number, reason }) => ({
    title: `Order ${number} was cancelled`,
    body: [...because(reason), 'You pay nothing for it: whatever was taken is given back.'],
  }),
  REFUNDED: (facts) => ({
    title: `${amountOf(facts)} back for order ${facts.number}`,
    body: [
      ...because(facts.reason),
      `${amountOf(facts)} went back to where it was paid from. It may take some days until you see it.`,
    ],
  }),
};

export const wordsFor = (facts: Facts): Words => {
  const { title, body } = templates[facts.kind](facts);
  return { title, body: body.join(' ') };
};
