// What the carrier calls with. Calls that come at almost the same time are one transaction: a busy carrier costs little more
// than a quiet one. Each is answered when it is written down, and one that cannot be does not keep the others from it.
import type { Database } from '@orderstream/runtime/database';
import { gatheringLoader } from '@orderstream/runtime/loaders';
import type { Log } from '@orderstream/runtime/log';
import { readTracking, shownBy, type Tracked } from './carrier-event.ts';
import { openLedger, sourceOf } from './service.ts';
import { isUuid, learn, type Shipment } from './shipment.ts';
import { shipmentsForUpdate } from './store.ts';
import { type Call, saveCalls, type WebhookOutcome } from './webhook-store.ts';

/** milliseconds for which the first call waits for others */
const gatheringMs = 10;

export type NewCall = Pick<Call, 'id' | 'type' | 'body'> & {
  /** the carrier's word for which parcel of ours it is about */
  readonly reference: string | null;
};

/** @param tenantId for calls about no parcel of ours */
export const createCalls = (database: Database, tenantId: string, log: Log) => {
  /** The next scan of a parcel that is known needs nobody to be asked; everything else is written down for later. */
  const takeAll = (calls: readonly NewCall[], read: (body: string) => Tracked | null): Promise<void> =>
    database.transaction(async (begin) => {
      const any = begin({ tenantId, traceparent: '', causationId: null });
      const ids = calls.flatMap(({ reference }) => (reference && isUuid(reference) ? reference : []));
      const ledger = openLedger(ids.length > 0 ? await shipmentsForUpdate(any, ids) : []);

      const outcomeOf = async (body: string, shipment: Shipment): Promise<WebhookOutcome | null> => {
        const tracked = read(body);
        if (!tracked || shipment.label?.carrierId !== tracked.carrierId) return null;
        const seen = shownBy(tracked, shipment);
        if (!seen) return null;
        const isNews = await ledger.take(begin(sourceOf(shipment)), learn(shipment, seen));
        return isNews ? 'APPLIED' : 'OLD_NEWS';
      };

      const heard: Call[] = [];
      for (const { reference, ...call } of calls) {
        const shipment = ledger.at(reference ?? '');
        heard.push({
          ...call,
          tenantId: shipment?.tenantId ?? tenantId,
          outcome: shipment && (await outcomeOf(call.body, shipment)),
        });
      }
      saveCalls(any, heard, ledger.changed());
    });

  /** What cannot be understood is at least written down, and read later. */
  const takeAlone = async (call: NewCall): Promise<true | Error> => {
    try {
      await takeAll([call], readTracking).catch((error: unknown) => {
        log.warn({ err: error, eventId: call.id }, 'event not understood at once, will be read later');
        return takeAll([call], () => null);
      });
      return true;
    } catch (error) {
      return error instanceof Error ? error : new Error('a call could not be written down', { cause: error });
    }
  };

  const calls = gatheringLoader<NewCall, true>(gatheringMs, async (lot) => {
    try {
      await takeAll(lot, readTracking);
      return lot.map(() => true);
    } catch {
      return Promise.all(lot.map(takeAlone));
    }
  });

  return {
    /** Resolves when the call is written down. @throws where it cannot be */
    take: async (call: NewCall): Promise<void> => {
      await calls.load(call);
    },
  };
};

export type Calls = ReturnType<typeof createCalls>;
