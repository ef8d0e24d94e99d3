// What the fraud desk can do: score an order, open a review of it, decide it, close it.
import type { Tx } from '@orderstream/runtime/database';
import type { Heard } from '@orderstream/runtime/subgraph';
import { type InvalidInput, invalidInput, lengthOf } from '@orderstream/runtime/text';
import { type Assessment, type Decision, decide, longestNote } from './assessment.ts';
import type { Context } from './context.ts';
import { featuresOf } from './feature.ts';
import { FraudApproved, FraudInfoRequested, FraudRejected, FraudScored } from './messages.ts';
import { orderRejected } from './outcome-store.ts';
import { rulesVersion, score } from './rules.ts';
import { type Arrival, factsOf, whileNobodyIsErased } from './signal-store.ts';
import * as store from './store.ts';

type Order = Omit<Arrival, 'amountMinor' | 'networkHash'> & {
  readonly totalMinor: number;
  readonly clientHash: string | null;
};

/** Scored once: the same order asked about again gets the answer it got. Two statements, whatever has happened before. */
const assess = async ({ tx, message: { tenantId, data, version } }: Heard<Order>): Promise<void> => {
  const began = performance.now();
  const { totalMinor, clientHash, ...order } = data;
  const arrival = { ...order, amountMinor: totalMinor, networkHash: clientHash };
  const { orderId, customerId, currency } = arrival;
  const { facts, isErased, knownScore } = await factsOf(tx, tenantId, arrival);
  if (knownScore !== null) return tx.send(FraudScored({ orderId, score: knownScore }, version));
  const features = featuresOf(facts);
  const scored = score(features, currency);
  const stands = await store.saveScore(tx, tenantId, arrival, {
    ...scored,
    customerId: isErased ? null : customerId,
    features,
    rulesVersion,
    tookMs: performance.now() - began,
  });
  await tx.send(FraudScored({ orderId, score: stands }, version));
};

/** One after the other: each order is looked at beside those before it. */
export const assessAll = async (heard: readonly Heard<Order>[]): Promise<void> => {
  whileNobodyIsErased(heard[0]!.tx);
  for (const one of heard) await assess(one);
};

/** Again and nothing happens but that there may be more time; nothing opens what was closed before. */
export const openReview = async (tx: Tx, tenantId: string, orderId: string, dueAt: string): Promise<void> => {
  const id = await store.openReview(tx, tenantId, orderId, dueAt);
  if (id) await store.insertAudit(tx, tenantId, id, { action: 'OPENED', actor: null, note: null });
  else await store.extendReview(tx, tenantId, orderId, dueAt);
};

export const closeReview = async (
  tx: Tx,
  tenantId: string,
  orderId: string,
  because: 'EXPIRED' | 'CANCELLED',
): Promise<void> => {
  const id = await store.close(tx, tenantId, orderId);
  const action = because === 'EXPIRED' ? 'EXPIRED' : 'CLOSED';
  if (id) await store.insertAudit(tx, tenantId, id, { action, actor: null, note: null });
};

export type DecideReview = {
  readonly assessmentId: string;
  readonly decision: Decision;
  readonly note: string | null;
  readonly reviewerId: string;
};

type Refusal =
  | InvalidInput
  | { readonly error: 'NotFound'; readonly message: string; readonly path: string[] }
  | { readonly error: 'FraudReviewClosed'; readonly message: string; readonly assessment: Assessment };

const tells = {
  APPROVED: FraudApproved,
  REJECTED: FraudRejected,
  INFO_REQUESTED: FraudInfoRequested,
} as const;

const noteProblem = (note: string): string | null =>
  note.length > 2 * longestNote || lengthOf(note) > longestNote
    ? `A note has ${longestNote} characters at most.`
    : !note.isWellFormed() || note.includes('\0')
      ? 'A note is text.'
      : null;

/** The row is locked from the look to the decision: of two reviewers one decides, the other is told. */
export const decideReview = async (
  ctx: Context,
  { assessmentId, decision, note, reviewerId }: DecideReview,
): Promise<Refusal | { readonly assessmentId: string }> => {
  const problem = note === null ? null : noteProblem(note);
  if (problem) return invalidInput([{ path: ['input', 'note'], message: problem }]);
  const { tenantId } = ctx.viewer;
  return ctx.db.transaction(async (tx) => {
    const held = await store.forUpdate(tx, tenantId, assessmentId);
    if (!held)
      return {
        error: 'NotFound',
        message: 'There is no such assessment.',
        path: ['input', 'assessmentId'],
      } as const;
    const { isOverdue, ...assessment } = held;
    const next = decide(held.review, decision, isOverdue);
    if (!next)
      return { error: 'FraudReviewClosed', message: refusalOf(held, isOverdue), assessment } as const;
    await store.moveReview(tx, assessmentId, next, reviewerId);
    await store.insertAudit(tx, tenantId, assessmentId, { action: next, actor: reviewerId, note });
    if (next === 'REJECTED') await orderRejected(tx, tenantId, held.orderId);
    await tx.send(tells[next]({ orderId: held.orderId, assessmentId, reviewerId }));
    return { assessmentId };
  });
};

const refusalOf = ({ review }: Assessment, isOverdue: boolean): string => {
  if (isOverdue || review === 'EXPIRED') return 'The review is closed: nobody decided in time.';
  if (review === 'NOT_NEEDED') return 'Nobody needs to decide about this order.';
  return review === 'INFO_REQUESTED'
    ? 'Information has been asked for already.'
    : `The review is closed: the order was ${review === 'APPROVED' ? 'approved' : 'rejected'}.`;
};
