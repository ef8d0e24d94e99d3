// What people of the shop do with an order: the reviewer looks at a suspicious one, an admin gives money back.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { accepted, type Client, connect } from '../operations/client.ts';
import {
  type AssessmentViewFragment,
  DecideFraudReviewDocument,
  FraudQueueDocument,
  type FraudQueueQuery,
  type FraudReviewDecision,
  LoginDocument,
  OrderDocument,
  type OrderViewFragment,
  RefundOrderDocument,
  type RefundOrderInput,
} from '../operations/generated/graphql.ts';
import type { RunningStack } from './running-stack.ts';

/** milliseconds until something that was asked for has to be seen */
const patience = 15_000;

const signIn = async (who: 'admin' | 'reviewer', stack: RunningStack): Promise<Client> => {
  const place = { url: stack.graphql, subscriptionsUrl: stack.subscriptions };
  const { login } = await connect(place).send(LoginDocument, {
    input: { email: `${who}@example.com`, password: stack.staffPassword! },
  });
  return connect({ ...place, token: accepted(login, 'SessionStarted').accessToken });
};

/** @returns the last look where it was never as wished */
const lookUntil = async <T>(look: () => Promise<T>, isAsWished: (found: T) => boolean): Promise<T> => {
  const end = performance.now() + patience;
  for (;;) {
    const found = await look();
    if (isAsWished(found) || performance.now() > end) return found;
    await pause(100);
  }
};

const inQueue = async (client: Client, orderId: string): Promise<AssessmentViewFragment | undefined> => {
  let after: string | null = null;
  do {
    const { fraudQueue }: FraudQueueQuery = await client.send(FraudQueueDocument, { first: 50, after });
    const found = fraudQueue.edges.find(({ node }) => node.order?.id === orderId);
    if (found) return found.node;
    after = fraudQueue.pageInfo.hasNextPage ? fraudQueue.pageInfo.endCursor : null;
  } while (after !== null);
  return undefined;
};

export type Review = {
  /** as it stood in the queue; null where it never did */
  readonly found: AssessmentViewFragment | null;
  /** after the decision */
  readonly state: AssessmentViewFragment['review'] | null;
};

/** @param tell what the reviewer sees, before anything is decided */
export const decideReview = async (
  stack: RunningStack,
  orderId: string,
  decision: FraudReviewDecision,
  tell: (found: AssessmentViewFragment) => void,
): Promise<Review> => {
  const reviewer = await signIn('reviewer', stack);
  const found = await lookUntil(
    () => inQueue(reviewer, orderId),
    (one) => one !== undefined,
  );
  if (!found) return { found: null, state: null };
  tell(found);
  const { decideFraudReview } = await reviewer.send(DecideFraudReviewDocument, {
    input: { assessmentId: found.id, decision, note: 'Looked at in the demo.' },
  });
  return { found, state: accepted(decideFraudReview, 'FraudReviewDecided').assessment.review };
};

export type Refunded = {
  /** minor units of what was asked for, one after the other */
  readonly asked: readonly number[];
  /** pieces that go back on the shelves, by SKU */
  readonly restocked: Readonly<Record<string, number>>;
};

/** minor units */
const goodwill = 100;

/** One piece of the first line with its goods, and then an amount for the trouble; each awaited. */
export const refundInParts = async (
  stack: RunningStack,
  { id: orderId, lines, total }: OrderViewFragment,
  tell: (text: string) => void,
): Promise<Refunded> => {
  const admin = await signIn('admin', stack);
  const [line] = lines;
  const asked: number[] = [];
  const refund = async (wish: Omit<RefundOrderInput, 'idempotencyKey' | 'orderId'>, what: string) => {
    const { refundOrder } = await admin.send(RefundOrderDocument, {
      input: { idempotencyKey: randomUUID(), orderId, ...wish },
    });
    const { refund: begun } = accepted(refundOrder, 'RefundRequested');
    asked.push(begun.amount.amountMinor);
    tell(`${begun.amount.formatted} ${what}`);
    await lookUntil(
      async () => (await admin.send(OrderDocument, { id: orderId })).order,
      (order) => {
        const made = order?.refunds?.find((one) => one.id === begun.id);
        const facts = order?.timeline.filter(({ type }) => type === 'payment.refund-made').length ?? 0;
        const isBack = !wish.lines || order?.timeline.some(({ type }) => type === 'inventory.restocked');
        return made?.status === 'SUCCEEDED' && facts >= asked.length && isBack === true;
      },
    );
  };
  await refund(
    { lines: [{ orderLineId: line!.id, quantity: 1, restock: true }], reason: 'One piece was broken.' },
    `for one piece of ${line!.sku}, which goes back on the shelf`,
  );
  await refund(
    { amount: { amountMinor: goodwill, currency: total.currency }, reason: 'For the trouble.' },
    'out of goodwill',
  );
  return { asked, restocked: { [line!.sku]: 1 } };
};
