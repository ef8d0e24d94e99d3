// Errands at the provider. Each is claimed in its row first, with a lease, and called with no transaction open: a
// worker that dies is followed by another when the lease ends, which asks with the same key and gets the same answer.

import { createCrew } from '@orderstream/runtime/crew';
import type { Database } from '@orderstream/runtime/database';
import type { Log } from '@orderstream/runtime/log';
import type { HandlerContext } from '@orderstream/runtime/subgraph';
import type { Payment, Seen } from './payment.ts';
import { notUsable } from './payment-method.ts';
import { markDetached, takeToDetach } from './payment-method-store.ts';
import type { Answer, Provider } from './provider.ts';
import { claimRefunds, type RefundClaim, releaseRefund } from './refund-store.ts';
import { takeCaptureRefused, takeDoubt, takeNews, takeRefundRefused } from './service.ts';
import { type Claim, claimPayments, paymentsByIds, releasePayment, takeDoubtful } from './store.ts';

/** milliseconds until the next attempt: 200, 400, … up to half a minute, spread so that not all come back at once */
export const pauseAfter = (attempts: number): number =>
  Math.min(200 * 2 ** Math.min(attempts - 1, 10), 30_000) * (0.75 + Math.random() / 2);

/** milliseconds between two looks at a refund that the bank is still working on */
const refundPause = 30_000;

/** milliseconds after which the provider may have forgotten a key: asking with it would charge anew */
const keyLifeMs = 20 * 60 * 60 * 1000;

/** calls at a time, of each kind */
const parallel = 8;

type Options = {
  readonly database: Database;
  readonly provider: Provider;
  /** milliseconds after which a call counts as unanswered */
  readonly timeoutMs: number;
};

const refused = (message: string): Seen => ({
  id: null,
  state: 'DECLINED',
  takenMinor: 0,
  failure: message,
  expiresAt: null,
});

const neverMade: Seen = { id: null, state: 'GONE', takenMinor: 0, failure: null, expiresAt: null };

export const createErrands = ({ database, provider, timeoutMs }: Options) => {
  // No errand makes more than two calls.
  const leaseMs = 2 * timeoutMs + 2_000;
  // A call that is not answered and not to be found after this long never got there. Should it arrive later still,
  // it holds money for a moment: its event tells us and it is let go.
  const quietMs = 2 * timeoutMs;
  const payments = createCrew(parallel);
  const refunds = createCrew(parallel);

  const find = async (customer: string, payment: Payment): Promise<Answer<Seen>> => {
    const found = await provider.find({ customer, paymentId: payment.id }, payment.createdAt);
    if (found.kind !== 'answered' || found.value) return found as Answer<Seen>;
    return { kind: 'unknown', cause: 'the provider has no such payment' };
  };

  const charge = async ({ payment, customer, method }: Claim): Promise<Answer<Seen>> => {
    if (payment.providerId) return provider.look(payment.providerId);
    const { id: paymentId, orderId, tenantId, amount, providerKey: key } = payment;
    const age = Date.now() - payment.createdAt.getTime();
    if (age > keyLifeMs && customer) return find(customer, payment);
    if (!customer || !method) return { kind: 'refused', code: 'no_method', message: notUsable };
    return provider.authorize({ key, orderId, paymentId, tenantId, amount, customer, method });
  };

  const authorize = async (claim: Claim): Promise<Answer<Seen>> => {
    const answer = await charge(claim);
    return answer.kind === 'answered' && answer.value.state === 'NEEDS_PROOF' && answer.value.id
      ? provider.cancel(answer.value.id, 'unproven')
      : answer;
  };

  const letGo = async ({ payment, customer, quietMs: quiet }: Claim): Promise<Answer<Seen>> => {
    let id = payment.providerId;
    if (!id) {
      const found = customer
        ? await provider.find({ customer, paymentId: payment.id }, payment.createdAt)
        : ({ kind: 'answered', value: null } as const);
      if (found.kind !== 'answered') return found;
      id = found.value?.id ?? null;
      if (!id)
        return quiet > quietMs
          ? { kind: 'answered', value: neverMade }
          : { kind: 'unknown', cause: 'the call may still be under way' };
    }
    return provider.cancel(id);
  };

  const collect = async ({ payment: { id, providerId, captureKey } }: Claim): Promise<Answer<Seen>> => {
    if (!providerId || !captureKey) throw new Error(`payment ${id} has nothing to be captured`);
    return provider.capture(captureKey, providerId);
  };

  const calls = { AUTHORIZE: authorize, CAPTURE: collect, VOID: letGo } as const;

  /** Whether the answer says what was to be found out; anything else is asked again. */
  const isFinal = ({ wanted }: Payment, { state }: Seen): boolean =>
    wanted === 'AUTHORIZE'
      ? state !== 'OPEN' && state !== 'NEEDS_PROOF'
      : ['GONE', 'TAKEN', 'DECLINED'].includes(state);

  const perform = async (claim: Claim, log: Log): Promise<void> => {
    const { payment } = claim;
    const answer = await calls[payment.wanted ?? 'AUTHORIZE'](claim);
    let isDone = false;
    if (answer.kind === 'answered') {
      const { wanted } = await takeNews(database, payment, { seen: answer.value });
      // It was let go with the news.
      if (wanted === null) return;
      isDone = isFinal(payment, answer.value);
    } else if (answer.kind === 'refused' && payment.wanted === 'AUTHORIZE') {
      const { wanted } = await takeNews(database, payment, { seen: refused(answer.message) });
      if (wanted === null) return;
      isDone = true;
    } else if (answer.kind === 'refused' && payment.wanted === 'CAPTURE') {
      await takeCaptureRefused(database, payment, answer.message);
      isDone = true;
    }
    if (!isDone) {
      if (payment.wanted === 'AUTHORIZE') await takeDoubt(database, payment);
      log.warn(
        { paymentId: payment.id, wanted: payment.wanted, attempt: claim.attempts, ...reasonOf(answer) },
        'payment still open, will ask again',
      );
    }
    await releasePayment(database, claim, isDone ? 0 : pauseAfter(claim.attempts));
  };

  const giveBack = async (claim: RefundClaim, log: Log): Promise<void> => {
    const { refund } = claim;
    const [payment] = await paymentsByIds(database, refund.tenantId, [refund.paymentId]);
    if (!payment) return;
    const answer = refund.providerId
      ? await provider.lookAtRefund(refund.providerId)
      : await provider.refund(refund.providerKey, refund.id, claim.payment, refund.amount);
    if (answer.kind === 'answered') {
      await takeNews(database, payment, { refunds: [answer.value] });
      return releaseRefund(database, claim, refundPause);
    }
    log.warn(
      { paymentId: payment.id, refundId: refund.id, attempt: claim.attempts, ...reasonOf(answer) },
      'refund not made yet',
    );
    if (answer.kind === 'unknown' || refund.providerId)
      return releaseRefund(database, claim, pauseAfter(claim.attempts));
    await takeRefundRefused(database, payment, refund.id);
    // Most likely somebody else has given the money back; then that is the refund.
    const others = await provider.refundsOf(claim.payment);
    if (others.kind === 'answered') await takeNews(database, payment, { refunds: others.value });
  };

  const reasonOf = (answer: Answer<unknown>) =>
    answer.kind === 'unknown'
      ? { err: answer.cause }
      : answer.kind === 'refused'
        ? { code: answer.code }
        : {};

  /** A failure here is ours (database gone): the lease ends and the errand is run again. */
  const heed = (work: Promise<void>, log: Log): Promise<void> =>
    work.catch((error: unknown) => log.error({ err: error }, 'errand broke off, will be run again'));

  return {
    settlePayments: async ({ log }: HandlerContext): Promise<number> => {
      const claims = await claimPayments(database, await payments.room(), leaseMs);
      for (const claim of claims) payments.start(heed(perform(claim, log), log));
      return claims.length;
    },

    settleRefunds: async ({ log }: HandlerContext): Promise<number> => {
      const claims = await claimRefunds(database, await refunds.room(), leaseMs);
      for (const claim of claims) refunds.start(heed(giveBack(claim, log), log));
      return claims.length;
    },

    /** Looks for payments that have been unknown for over a minute, beside asking again with their key. */
    reconcile: async ({ log }: HandlerContext): Promise<number> => {
      const doubtful = await takeDoubtful(database, 20);
      for (const { payment, customer } of doubtful) {
        if (!customer) continue;
        const found = await provider.find({ customer, paymentId: payment.id }, payment.createdAt);
        if (found.kind === 'answered' && found.value)
          await takeNews(database, payment, { seen: found.value });
        else log.warn({ paymentId: payment.id, ...reasonOf(found) }, 'payment still unknown');
      }
      return doubtful.length;
    },

    forgetMethods: async ({ log }: HandlerContext): Promise<number> => {
      const removed = await takeToDetach(database, 20);
      for (const method of removed) {
        const answer = await provider.detach(method.provider_id);
        // Refused: the provider does not know it any more, which is what is wanted.
        if (answer.kind !== 'unknown') await markDetached(database, method.id);
        else log.warn({ methodId: method.id, err: answer.cause }, 'method not forgotten yet');
      }
      return removed.length;
    },

    /** Every errand that was begun is done. */
    idle: async (): Promise<void> => {
      await Promise.all([payments.idle(), refunds.idle()]);
    },
  };
};

export type Errands = ReturnType<typeof createErrands>;
