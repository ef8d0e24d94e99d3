// Works off what the carrier told us and was not understood at the door. Scans are numbered: one that was heard before is
// old news, and where one is missing the carrier is asked for all of them. So order and number of the calls do not matter.
import { createCrew } from '@orderstream/runtime/crew';
import type { Database } from '@orderstream/runtime/database';
import type { Log } from '@orderstream/runtime/log';
import type { HandlerContext } from '@orderstream/runtime/subgraph';
import type { Answer, Carrier } from './carrier.ts';
import { readTracking, shownBy, type Tracked } from './carrier-event.ts';
import { pauseAfter } from './pause.ts';
import { takeNews } from './service.ts';
import { isUuid, type Seen, type Shipment } from './shipment.ts';
import { shipmentById } from './store.ts';
import {
  claimWebhookEvents,
  finishWebhookEvent,
  releaseWebhookEvent,
  type WebhookClaim,
} from './webhook-store.ts';

type Options = {
  readonly database: Database;
  readonly carrier: Carrier;
  /** milliseconds after which a call counts as unanswered */
  readonly timeoutMs: number;
};

export const createNews = ({ database, carrier, timeoutMs }: Options) => {
  const crew = createCrew(4);

  const sightOf = async (tracked: Tracked, shipment: Shipment): Promise<Answer<Seen>> => {
    const seen = shownBy(tracked, shipment);
    return seen ? { kind: 'answered', value: seen } : carrier.look(tracked.carrierId);
  };

  const read = async (claim: WebhookClaim, log: Log): Promise<void> => {
    const tracked = readTracking(claim.body);
    const shipment =
      tracked && isUuid(tracked.reference) ? await shipmentById(database, tracked.reference) : null;
    const isForeign = shipment?.label && shipment.label.carrierId !== tracked?.carrierId;
    if (!tracked || !shipment || isForeign) return finishWebhookEvent(database, claim.eventId, 'IGNORED');
    const sight = await sightOf(tracked, shipment);
    if (sight.kind === 'refused' && sight.status === 404)
      return finishWebhookEvent(database, claim.eventId, 'IGNORED');
    if (sight.kind !== 'answered') {
      log.warn({ shipmentId: shipment.id }, 'the carrier does not say more, will ask again');
      return releaseWebhookEvent(database, claim, pauseAfter(claim.attempts));
    }
    await takeNews(database, shipment, sight.value, (tx, changed) =>
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
