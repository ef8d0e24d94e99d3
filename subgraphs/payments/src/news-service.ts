// Works off what the provider told us. An event is a picture of its moment: where the payment has come further it is
// old news, where it is not clear the provider is asked how things stand now. So order and number do not matter.

import { createCrew } from '@orderstream/runtime/crew';
import type { Database } from '@orderstream/runtime/database';
import type { Log } from '@orderstream/runtime/log';
import type { HandlerContext } from '@orderstream/runtime/subgraph';
import { pauseAfter } from './errands-service.ts';
import { isAmbiguous, learn, type Payment } from './payment.ts';
import { type Answer, type Provider, type ProviderEvent, readEvent } from './provider.ts';
import { type Sight, takeNews } from './service.ts';
import { paymentOfProvider } from './store.ts';
import {
  claimWebhookEvents,
  finishWebhookEvent,
  releaseWebhookEvent,
  type WebhookClaim,
} from './webhook-store.ts';

type Options = {
  readonly database: Database;
  readonly provider: Provider;
  /** milliseconds after which a call counts as unanswered */
  readonly timeoutMs: number;
};

export const createNews = ({ database, provider, timeoutMs }: Options) => {
  const crew = createCrew(4);

  const whole = async (id: string): Promise<Answer<Sight>> => {
    const [seen, refunds] = await Promise.all([provider.look(id), provider.refundsOf(id)]);
    if (seen.kind !== 'answered') return seen;
    if (refunds.kind !== 'answered') return refunds;
    return { kind: 'answered', value: { seen: seen.value, refunds: refunds.value } };
  };

  const sightOf = async (event: ProviderEvent, payment: Payment, id: string): Promise<Answer<Sight>> => {
    if (event.about === 'REFUND' || !event.seen) return whole(id);
    if (!isAmbiguous(payment, event.seen)) return { kind: 'answered', value: { seen: event.seen } };
    const seen = await provider.look(id);
    return seen.kind === 'answered' ? { kind: 'answered', value: { seen: seen.value } } : seen;
  };

  const read = async (claim: WebhookClaim, log: Log): Promise<void> => {
    const event = readEvent(claim.body);
    const payment =
      event.about !== 'OTHER' && event.payment
        ? await paymentOfProvider(database, event.payment, event.paymentId, event.tenantId)
        : null;
    if (!payment || !event.payment) return finishWebhookEvent(database, claim.eventId, 'IGNORED');
    const sight = await sightOf(event, payment, event.payment);
    if (sight.kind !== 'answered') {
      log.warn(
        { event: event.type, paymentId: payment.id },
        'the provider does not say more, will ask again',
      );
      return releaseWebhookEvent(database, claim, pauseAfter(claim.attempts));
    }
    // A payment only ever moves forward, so what says nothing new now says nothing new later either.
    const { seen, refunds } = sight.value;
    if (!refunds && (!seen || learn(payment, seen).payment === payment))
      return finishWebhookEvent(database, claim.eventId, 'OLD_NEWS');
    await takeNews(database, payment, sight.value, (tx, changed) =>
      finishWebhookEvent(tx, claim.eventId, changed ? 'APPLIED' : 'OLD_NEWS'),
    );
  };

  const heed = async (claim: WebhookClaim, log: Log): Promise<void> => {
    try {
      await read(claim, log);
    } catch (error) {
      log.warn({ err: error, eventId: claim.eventId }, 'event not understood yet, will be read again');
      await releaseWebhookEvent(database, claim, pauseAfter(claim.attempts)).catch(() => undefined);
    }
  };

  return {
    readEvents: async ({ log }: HandlerContext): Promise<number> => {
      const claims = await claimWebhookEvents(database, await crew.room(), 2 * timeoutMs + 2_000);
      for (const claim of claims) crew.start(heed(claim, log));
      return claims.length;
    },
    idle: crew.idle,
  };
};

export type News = ReturnType<typeof createNews>;
