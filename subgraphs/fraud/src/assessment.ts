// One order's risk and the review of it.
import type { Connection } from '@orderstream/runtime/paging';
import type { Viewer } from '@orderstream/runtime/viewer';
import type { FraudReviewDecision, FraudReviewState } from './generated/resolvers.ts';
import type { Factor } from './rules.ts';

export type ReviewState = FraudReviewState;
export type Decision = FraudReviewDecision;

export type Assessment = {
  readonly id: string;
  readonly orderId: string;
  readonly customerId: string | null;
  readonly score: number | null;
  /** the score, or 100 where there is none */
  readonly rank: number;
  readonly factors: Factor[];
  readonly rulesVersion: string | null;
  readonly tookMs: number;
  readonly review: ReviewState;
  readonly dueAt: Date | null;
  readonly decidedBy: string | null;
  readonly flaggedAt: Date | null;
  readonly shadowScore: number | null;
  readonly shadowVersion: number | null;
};

export type Audit = {
  readonly assessmentId: string;
  readonly at: Date;
  readonly actor: string | null;
  readonly action: 'OPENED' | 'APPROVED' | 'REJECTED' | 'INFO_REQUESTED' | 'EXPIRED' | 'CLOSED';
  readonly note: string | null;
};

export type Profile = {
  readonly flaggedOrders: number;
  readonly typicalOrderValue: { readonly amountMinor: number; readonly currency: string } | null;
};

export type Queue = Connection<Assessment>;

/** Of another owner's order and user, as the gateway names them: their ids at the border. */
export type OfOrder = { readonly id: string };
export type OfUser = { readonly id: string };

/** Who may read what is said of orders and customers: staff. The customer is never told how the shop looks at them. */
export const mayRead = ({ scopes }: Viewer): boolean =>
  scopes.has('fraud:review') || scopes.has('orders:read');

/** Longest note, in characters. */
export const longestNote = 1000;

const becomes: Readonly<Record<Decision, 'APPROVED' | 'REJECTED' | 'INFO_REQUESTED'>> = {
  APPROVE: 'APPROVED',
  REJECT: 'REJECTED',
  REQUEST_INFO: 'INFO_REQUESTED',
};

/** What may be decided in each state of a review; nothing in those that are not here. */
const open: Readonly<Partial<Record<ReviewState, readonly Decision[]>>> = {
  PENDING: ['APPROVE', 'REJECT', 'REQUEST_INFO'],
  INFO_REQUESTED: ['APPROVE', 'REJECT'],
};

/** The state after a decision, or null where it is too late for it. */
export const decide = (state: ReviewState, decision: Decision, isOverdue: boolean) =>
  !isOverdue && open[state]?.includes(decision) ? becomes[decision] : null;
