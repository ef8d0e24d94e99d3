// The payment provider's back door: its book, and what can be done behind our back.
import { expect, inject, vi } from 'vitest';
import { z } from 'zod';
import { type Charge, readBook } from '../provider-book.ts';
import { uuidOf } from './books.ts';

const { simulatorUrl, secrets } = inject('product');

const call = async (path: string, body?: object): Promise<unknown> => {
  const response = await fetch(`${simulatorUrl}/control/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${secrets.control}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`the provider's control refused ${path}: ${JSON.stringify(answer)}`);
  return answer;
};

/** What the provider has in its book of an order: one entry for each attempt to take money for it. */
export const chargesFor = async (orderId: string): Promise<Charge[]> => {
  const uuid = uuidOf('order', orderId);
  const book = await readBook(simulatorUrl, secrets.control);
  return book.filter((charge) => charge.orderId === uuid);
};

/** Somebody at the provider takes the money that we only had authorized. */
export const captureBehindOurBack = (charge: Charge): Promise<unknown> =>
  call(`payment_intents/${charge.id}/capture`, {});

/** Everything that the provider has told the shop of a charge, as it was sent, oldest first; the rest is only in its book. */
export const eventsOf = async (charge: Charge): Promise<{ readonly id: string }[]> => {
  const answer = await call(`payment_intents/${charge.id}/events`);
  const event = z.looseObject({ id: z.string(), pending_webhooks: z.number() });
  const { events } = z.object({ events: z.array(event) }).parse(answer);
  return events.filter(({ pending_webhooks }) => pending_webhooks > 0);
};

/** The provider sends an event once more, or so many times at once. @returns the status of each answer */
export const deliver = async (
  eventId: string,
  how: { readonly times?: number; readonly badSignature?: boolean; readonly ageSeconds?: number },
): Promise<number[]> => {
  const answer = await call(`events/${eventId}/deliver`, how);
  return z.object({ statuses: z.array(z.number()) }).parse(answer).statuses;
};

/** The provider's book of an order, when it says so. */
export const bookSays = (orderId: string, expected: readonly Partial<Charge>[]): Promise<void> =>
  vi.waitFor(async () => expect(await chargesFor(orderId)).toMatchObject(expected), {
    timeout: 10_000,
    interval: 100,
  });

/** The provider takes its time with the next call about an order; milliseconds. */
export const slowDown = (orderId: string, ms: number): Promise<unknown> =>
  call('faults', { slowMs: { ms, count: 1, match: { orderId: uuidOf('order', orderId) } } });
