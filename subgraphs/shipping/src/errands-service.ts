// Errands at the carrier. Each is claimed in its row first, with a lease, and called with no transaction open: a worker
// that dies is followed by another when the lease ends, which asks with the same key and gets the same answer.
import { createCrew } from '@orderstream/runtime/crew';
import type { Database } from '@orderstream/runtime/database';
import type { Log } from '@orderstream/runtime/log';
import type { HandlerContext } from '@orderstream/runtime/subgraph';
import type { Answer, Carrier } from './carrier.ts';
import {
  beginCall,
  type Claim,
  claimShipments,
  markForgotten,
  releaseShipment,
  takeQuiet,
  takeToForget,
} from './errand-store.ts';
import type { AddressOf } from './order-address.ts';
import { pauseAfter } from './pause.ts';
import { takeAbsence, takeNews, takeRefusal } from './service.ts';
import type { Seen, Shipment } from './shipment.ts';

/** calls at a time, of each kind */
const parallel = 8;

type Options = {
  readonly database: Database;
  readonly carrier: Carrier;
  readonly addressOf: AddressOf;
  /** milliseconds after which a call counts as unanswered */
  readonly timeoutMs: number;
};

const noAddress = 'The order has no address any more.';

/** Whether an errand is done, and how the parcel stands then; if not, why. */
type Outcome =
  | { readonly isDone: true; readonly shipment: Shipment }
  | { readonly isDone: false; readonly why: object };

const done = async (shipment: Promise<Shipment>): Promise<Outcome> => ({
  isDone: true,
  shipment: await shipment,
});
const open = (answer: Answer<unknown>): Outcome => ({
  isDone: false,
  why:
    answer.kind === 'unknown'
      ? { err: answer.cause }
      : answer.kind === 'refused'
        ? { code: answer.code }
        : {},
});

export const createErrands = ({ database, carrier, addressOf, timeoutMs }: Options) => {
  // No errand makes more than four calls.
  const leaseMs = 4 * timeoutMs + 2_000;
  // A call that is not answered and not to be found after this long never got there. Should it arrive later still, its
  // event tells us and the label is cancelled.
  const quietMs = 2 * timeoutMs;
  const wishes = createCrew(parallel);
  const looks = createCrew(parallel);

  const learnFrom = async (shipment: Shipment, answer: Answer<Seen>): Promise<Outcome> => {
    return answer.kind === 'answered' ? done(takeNews(database, shipment, answer.value)) : open(answer);
  };

  /** What came of an earlier call, by our own name for the parcel. */
  const findAgain = async (shipment: Shipment): Promise<Outcome | null> => {
    const found = await carrier.find(shipment.id);
    if (found.kind !== 'answered') return open(found);
    return found.value && done(takeNews(database, shipment, found.value));
  };

  const refused = (shipment: Shipment, reason: string): Promise<Outcome> =>
    done(takeRefusal(database, shipment, reason));

  const print = async (claim: Claim): Promise<Outcome> => {
    // Without the address the same call cannot be made again; what came of it is to be found.
    if (!claim.shipment.address && claim.shipment.calledAt) {
      const found = await findAgain(claim.shipment);
      if (found) return found;
    }
    const address =
      claim.shipment.address ?? (await addressOf(claim.shipment.tenantId, claim.shipment.orderId));
    if (!address || claim.shipment.erasedAt) return refused(claim.shipment, noAddress);
    const shipment = await beginCall(database, claim, address);
    // Somebody was faster: cancelled, or erased, which the next attempt finds out.
    if (!shipment) return { isDone: false, why: { cause: 'not wanted like this any more' } };
    const answer = await carrier.print(shipment);
    if (answer.kind !== 'refused') return learnFrom(shipment, answer);
    // A label for this parcel is there already: of an earlier attempt whose answer was lost.
    if (answer.status === 409) return (await findAgain(shipment)) ?? open(answer);
    return refused(shipment, answer.message);
  };

  const cancel = async ({ shipment, quietMs: quiet }: Claim): Promise<Outcome> => {
    let id = shipment.label?.carrierId;
    if (!id) {
      const found = await carrier.find(shipment.id);
      if (found.kind !== 'answered') return open(found);
      if (!found.value) {
        if (quiet <= quietMs) return { isDone: false, why: { cause: 'the call may still be under way' } };
        return done(takeAbsence(database, shipment));
      }
      id = found.value.label.carrierId;
    }
    const answer = await carrier.cancel(id);
    // Collected first: the scan says so, and it is what the order is told.
    if (answer.kind === 'refused' && answer.status === 409)
      return learnFrom(shipment, await carrier.look(id));
    return learnFrom(shipment, answer);
  };

  const perform = async (claim: Claim, log: Log): Promise<void> => {
    const { shipment, attempts } = claim;
    const outcome = await (shipment.wanted === 'CANCEL' ? cancel(claim) : print(claim)).catch(
      (error: unknown): Outcome => ({ isDone: false, why: { err: error } }),
    );
    if (!outcome.isDone)
      log.warn(
        { shipmentId: shipment.id, wanted: shipment.wanted, attempt: attempts, ...outcome.why },
        'parcel still open, will ask again',
      );
    // What is wanted no more is in nobody's hands already.
    else if (outcome.shipment.wanted === null) return;
    // Also after an answer: where it did not settle what is wanted, the next attempt comes later.
    await releaseShipment(database, claim, pauseAfter(attempts));
  };

  const look = async (shipment: Shipment, log: Log): Promise<void> => {
    if (!shipment.label) return;
    const answer = await carrier.look(shipment.label.carrierId);
    if (answer.kind === 'answered') await takeNews(database, shipment, answer.value);
    else log.warn({ shipmentId: shipment.id }, 'the carrier does not say where a parcel is');
  };

  /** A failure here is ours (database gone): the lease ends and the errand is run again. */
  const heed = (work: Promise<void>, log: Log): Promise<void> =>
    work.catch((error: unknown) => log.error({ err: error }, 'errand broke off, will be run again'));

  return {
    fulfilWishes: async ({ log }: HandlerContext): Promise<number> => {
      const claims = await claimShipments(database, await wishes.room(), leaseMs);
      for (const claim of claims) wishes.start(heed(perform(claim, log), log));
      return claims.length;
    },

    /** Finds out what lost webhooks would have told. */
    sweep: async ({ log }: HandlerContext): Promise<number> => {
      const quiet = await takeQuiet(database, await looks.room());
      for (const shipment of quiet) looks.start(heed(look(shipment, log), log));
      return quiet.length;
    },

    forgetAddresses: async ({ log }: HandlerContext): Promise<number> => {
      const erased = await takeToForget(database, 20);
      for (const { id, carrier_id } of erased) {
        const answer = await carrier.forget(carrier_id);
        // The carrier does not know it any more, which is what is wanted.
        const isGone = answer.kind === 'refused' && (answer.status === 404 || answer.status === 410);
        if (answer.kind === 'answered' || isGone) await markForgotten(database, id);
        else log.warn({ shipmentId: id }, 'the carrier has not forgotten an address yet, will ask again');
      }
      return erased.length;
    },

    idle: async (): Promise<void> => {
      await Promise.all([wishes.idle(), looks.idle()]);
    },
  };
};

export type Errands = ReturnType<typeof createErrands>;
