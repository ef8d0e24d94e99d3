import { PaymentCaptured, PaymentDeclined, PaymentRefunded } from '@orderstream/payments/messages';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { AddressChanged, UserErased, UserRegistered } from '@orderstream/users/messages';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createJobs } from './jobs.ts';
import { highRisk } from './messages.ts';
import { type Desk, type Order, openDesk } from './testing.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.close());

const iso = (hoursAgo: number): string => new Date(Date.now() - hoursAgo * 3_600_000).toISOString();
const registered = (userId: string, hoursAgo: number) =>
  desk.hear(UserRegistered({ userId, at: iso(hoursAgo) }));
const pay = async (order: Order) =>
  desk.hear(
    PaymentCaptured({
      orderId: order.orderId,
      paymentId: newId(),
      amountMinor: order.totalMinor,
      currency: 'GBP',
    }),
  );
const runJob = async (name: string): Promise<number> => {
  const { database, tenantId } = desk;
  const idle = { learn: async () => null, score: async () => [], close: async () => undefined };
  const job = createJobs({ database: database as never, tenantId }, idle).find((each) => each.name === name);
  return job!.run({ now: new Date(), log: createLog('test', 'silent') });
};

type Row = {
  readonly score: number | null;
  readonly factors: { name: string }[];
  readonly review: string;
  readonly customer_id: string | null;
};
const rowOf = async (orderId: string): Promise<Row> => {
  const [row] = await desk.database.sql<Row>`
    select score, factors, review, customer_id from assessment where order_id = ${orderId}`;
  return row!;
};
const factorsOf = async (orderId: string) => (await rowOf(orderId)).factors.map(({ name }) => name);

/** Five accounts made just now on one device, the last of which orders several times. */
const ring = async (): Promise<Order> => {
  const shared = { addressHash: newId(), deviceHash: newId(), clientHash: newId() };
  let last = desk.order(shared);
  for (let account = 0; account < 5; account++) {
    last = desk.order(shared);
    await registered(last.customerId, 0.1);
    await desk.assess(last);
  }
  for (let again = 0; again < 4; again++) {
    last = { ...last, orderId: newId() };
    await desk.assess(last);
  }
  return last;
};

const held = async (): Promise<Order> => {
  const order = await ring();
  await desk.review(order.orderId);
  return order;
};

const decision = `mutation ($input: DecideFraudReviewInput!) { decideFraudReview(input: $input) {
  __typename ... on FraudReviewDecided { assessment { review decidedBy { id } audit { action note actor { id } } } }
  ... on FraudReviewClosed { code message assessment { id review } }
  ... on NotFound { code path } ... on InvalidInput { code problems { path } } } }`;
const decide = async (
  orderId: string,
  choice: string,
  note: string | null = null,
  viewer = desk.reviewer,
) => {
  const input = { assessmentId: await desk.idOf(orderId), decision: choice, note };
  const { data, code } = await desk.ask(viewer, decision, { input });
  return code ?? data.decideFraudReview;
};

describe('scoring', () => {
  test('an ordinary order is answered with a low score', async () => {
    const order = desk.order();
    await desk.assess(order);
    expect(await desk.told(order.orderId)).toEqual([
      { type: 'fraud.scored', data: { orderId: order.orderId, score: 0 } },
    ]);
  });

  test('asked twice, it answers the same, whatever has happened meanwhile', async () => {
    const order = await ring();
    const [first] = await desk.told(order.orderId);
    for (let account = 0; account < 5; account++)
      await desk.assess(desk.order({ deviceHash: order.deviceHash, clientHash: order.clientHash }));
    await desk.assess(order);
    expect(await desk.told(order.orderId)).toEqual([first, first]);
  });

  test('a ring of new accounts on one device that orders fast is over 80, and each reason is told', async () => {
    const order = await ring();
    const { score } = await rowOf(order.orderId);
    expect(score).toBeGreaterThan(highRisk);
    expect(await factorsOf(order.orderId)).toEqual(
      expect.arrayContaining(['shared-device', 'new-account', 'velocity']),
    );
  });

  test('an order far above what the customer has paid before is noticed, one like before is not', async () => {
    const customerId = newId();
    const places = { addressHash: newId(), deviceHash: newId(), clientHash: newId() };
    for (const totalMinor of [2_000, 2_500, 1_800, 2_200]) {
      const order = desk.order({ customerId, totalMinor, ...places });
      await desk.assess(order);
      await pay(order);
      await pay(order);
    }
    await desk.database
      .sql`update recent_order set at = at - interval '2 days' where customer_id = ${customerId}`;
    const [usual, high] = [2_400, 40_000].map((totalMinor) =>
      desk.order({ customerId, totalMinor, ...places }),
    );
    await desk.assess(usual!);
    await desk.assess(high!);
    expect(await factorsOf(usual!.orderId)).toEqual([]);
    expect(await factorsOf(high!.orderId)).toEqual(['amount']);
    const [row] = await desk.database.sql`
      select orders, sum_minor from customer where customer_id = ${customerId}`;
    expect(row).toEqual({ orders: 4, sum_minor: 8_500 });
  });

  test('a changed address counts, and the latest change is the one remembered', async () => {
    const order = desk.order();
    await desk.hear(AddressChanged({ userId: order.customerId, at: iso(1) }));
    await desk.hear(AddressChanged({ userId: order.customerId, at: iso(100) }));
    await desk.assess(order);
    expect(await factorsOf(order.orderId)).toContain('address-changed');
  });

  test('declined payments of the last day count, each once', async () => {
    const first = desk.order();
    await desk.assess(first);
    for (const paymentId of [newId(), newId(), newId()])
      for (let time = 0; time < 2; time++)
        await desk.hear(PaymentDeclined({ orderId: first.orderId, paymentId, reason: 'No money.' }));
    const next = { ...first, orderId: newId() };
    await desk.assess(next);
    expect((await rowOf(next.orderId)).factors).toContainEqual(
      expect.objectContaining({ name: 'declines', explanation: expect.stringMatching(/^3 payments/) }),
    );
  });

  test('the number of statements does not depend on what is known', async () => {
    const counts: number[] = [];
    for (const order of [desk.order(), { ...(await ring()), orderId: newId() }]) {
      const from = desk.database.statements();
      await desk.assess(order);
      counts.push(desk.database.statements() - from);
    }
    expect(counts[0]).toBe(counts[1]);
  });

  test('an order that two ask about at the same moment has one score, told to both', async () => {
    const order = await ring();
    const asked = { ...order, orderId: newId() };
    await Promise.all([1, 2, 3, 4].map(() => desk.assess(asked)));
    const told = await desk.told(asked.orderId);
    expect(told).toHaveLength(4);
    expect(new Set(told.map(({ data }) => data.score))).toEqual(
      new Set([(await rowOf(asked.orderId)).score]),
    );
  });

  test('what was paid becomes the usual of the shop, once', async () => {
    const order = desk.order({ totalMinor: 5_000 });
    await desk.assess(order);
    await pay(order);
    await runJob('learn what is usual');
    const [before] = await desk.database.sql`select orders from usual where tenant_id = ${desk.tenantId}`;
    expect(before!.orders).toBeGreaterThanOrEqual(1);
    expect(await runJob('learn what is usual')).toBe(0);
  });
});

describe('a review', () => {
  test('rejected: the saga is told, the audit says by whom and why, and the note stays here', async () => {
    const order = await held();
    const decided = await decide(order.orderId, 'REJECT', 'Three names, one card.');
    const actor = { id: encodeId('user', desk.reviewer.userId!) };
    expect(decided).toEqual({
      __typename: 'FraudReviewDecided',
      assessment: {
        review: 'REJECTED',
        decidedBy: actor,
        audit: [
          { action: 'OPENED', note: null, actor: null },
          { action: 'REJECTED', note: 'Three names, one card.', actor },
        ],
      },
    });
    const [, told] = await desk.told(order.orderId);
    expect(told?.type).toBe('fraud.rejected');
    expect(Object.keys(told!.data).toSorted()).toEqual(['assessmentId', 'orderId', 'reviewerId']);
  });

  test('what stood in a rejected order is held against the next one', async () => {
    const order = await held();
    await decide(order.orderId, 'REJECT');
    const next = desk.order({ deviceHash: order.deviceHash });
    await desk.assess(next);
    expect(await factorsOf(next.orderId)).toContain('rejected-before');
    const [good] = await desk.database.sql`
      select rejected from abused_good where variant_id = ${order.variantIds[0]}`;
    expect(good).toEqual({ rejected: 1 });
  });

  test('decided twice: the second reviewer is told that it is closed, and the saga hears one answer', async () => {
    const order = await held();
    const answers = await Promise.all([decide(order.orderId, 'APPROVE'), decide(order.orderId, 'REJECT')]);
    expect(answers.map((answer) => answer.__typename).toSorted()).toEqual([
      'FraudReviewClosed',
      'FraudReviewDecided',
    ]);
    expect(await desk.told(order.orderId)).toHaveLength(2);
  });

  test('information may be asked for once, and then it is approved', async () => {
    const order = await held();
    expect((await decide(order.orderId, 'REQUEST_INFO')).assessment.review).toBe('INFO_REQUESTED');
    expect((await decide(order.orderId, 'REQUEST_INFO')).code).toBe('FRAUD_REVIEW_CLOSED');
    expect((await decide(order.orderId, 'APPROVE')).assessment.review).toBe('APPROVED');
    expect((await desk.told(order.orderId)).map(({ type }) => type)).toEqual([
      'fraud.scored',
      'fraud.info-requested',
      'fraud.approved',
    ]);
  });

  test('asked for again with more time, it waits longer, and never shorter', async () => {
    const order = desk.order();
    await desk.review(order.orderId, 60_000);
    await decide(order.orderId, 'REQUEST_INFO');
    await desk.review(order.orderId, 7_200_000);
    await desk.review(order.orderId, 1_000);
    const [row] = await desk.database.sql`
      select review, due_at > now() + interval '1 hour' as later from assessment where order_id = ${order.orderId}`;
    expect(row).toEqual({ review: 'INFO_REQUESTED', later: true });
  });

  test('past its time nobody can decide it, and the clock closes it', async () => {
    const order = desk.order();
    await desk.assess(order);
    await desk.review(order.orderId, -1_000);
    const late = await decide(order.orderId, 'APPROVE');
    expect(late).toMatchObject({ code: 'FRAUD_REVIEW_CLOSED', message: expect.stringContaining('in time') });
    expect(await runJob('close overdue reviews')).toBeGreaterThanOrEqual(1);
    expect((await rowOf(order.orderId)).review).toBe('EXPIRED');
    expect(await desk.told(order.orderId)).toHaveLength(1);
  });

  test('closed by the order, it cannot be decided nor opened again', async () => {
    const order = await held();
    await desk.closeReview(order.orderId, 'CANCELLED');
    await desk.closeReview(order.orderId, 'CANCELLED');
    await desk.review(order.orderId);
    expect((await decide(order.orderId, 'APPROVE')).code).toBe('FRAUD_REVIEW_CLOSED');
    const audit = await desk.database.sql`
      select action from review_audit join assessment a on a.id = assessment_id where order_id = ${order.orderId}
      order by review_audit.id`;
    expect(audit.map(({ action }) => action)).toEqual(['OPENED', 'CLOSED']);
  });

  test('closed before it was asked for, it does not open', async () => {
    const { orderId } = desk.order();
    await desk.closeReview(orderId, 'CANCELLED');
    await desk.review(orderId);
    expect((await rowOf(orderId)).review).toBe('NOT_NEEDED');
  });

  test('asked for an order without a score, it opens, and the score is filled in later', async () => {
    const order = desk.order();
    await desk.review(order.orderId);
    await desk.review(order.orderId);
    expect(await rowOf(order.orderId)).toMatchObject({ score: null, review: 'PENDING' });
    await desk.assess(order);
    expect(await rowOf(order.orderId)).toMatchObject({ score: 0, review: 'PENDING' });
    expect((await decide(order.orderId, 'APPROVE')).assessment.review).toBe('APPROVED');
  });

  test('by one without the right it is not decided', async () => {
    const order = await held();
    expect(await decide(order.orderId, 'APPROVE', null, desk.admin)).toBe('FORBIDDEN');
    expect(await decide(order.orderId, 'APPROVE', null, desk.shopper)).toBe('FORBIDDEN');
    expect(await decide(order.orderId, 'APPROVE', null, desk.visitor)).toBe('UNAUTHENTICATED');
    expect((await rowOf(order.orderId)).review).toBe('PENDING');
  });

  test('an unknown one is not found, another kind of id and a long note are told', async () => {
    const ask = (input: object) => desk.ask(desk.reviewer, decision, { input });
    const unknown = { assessmentId: encodeId('fraudAssessment', newId()), decision: 'APPROVE' };
    expect((await ask(unknown)).data.decideFraudReview).toEqual({
      __typename: 'NotFound',
      code: 'NOT_FOUND',
      path: ['input', 'assessmentId'],
    });
    expect(await ask({ ...unknown, assessmentId: encodeId('order', newId()) })).toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: 'input.assessmentId',
    });
    const order = await held();
    expect(await decide(order.orderId, 'APPROVE', 'x'.repeat(1_001))).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['input', 'note'] }],
    });
    expect((await decide(order.orderId, 'APPROVE', '😀'.repeat(1_000))).__typename).toBe(
      'FraudReviewDecided',
    );
  });

  test('the audit cannot be changed', async () => {
    const order = await held();
    const { sql } = desk.database;
    const of = (await sql<{ id: string }>`select id from assessment where order_id = ${order.orderId}`)[0]!
      .id;
    await expect(sql`delete from review_audit where assessment_id = ${of}`).rejects.toThrow('append-only');
    await expect(
      sql`update review_audit set action = 'APPROVED' where assessment_id = ${of}`,
    ).rejects.toThrow('append-only');
  });
});

describe('an erased customer', () => {
  test('leaves no id, no hash and no note; what was counted stays', async () => {
    const order = await held();
    await decide(order.orderId, 'REJECT', 'Jo Example of 1 High Street');
    const alone = desk.order({ customerId: order.customerId });
    await desk.assess(alone);
    await pay(alone);
    await desk.hear(
      PaymentRefunded({ orderId: alone.orderId, paymentId: newId(), amountMinor: 1, currency: 'GBP' }),
    );
    await desk.hear(UserErased({ userId: order.customerId, at: iso(0) }));
    await desk.hear(UserErased({ userId: order.customerId, at: iso(0) }));
    const { pool } = desk.database;
    const { rows: tables } = await pool.query(
      `select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    );
    for (const traces of [order.customerId, alone.addressHash, alone.deviceHash, 'High Street'])
      for (const { table_name: table } of tables) {
        if (table === 'erased_customer') continue;
        const { rows } = await pool.query(`select 1 from "${table}" t where t::text like $1`, [
          `%${traces}%`,
        ]);
        expect([table, rows.length]).toEqual([table, 0]);
      }
    const [good] = await desk.database.sql`
      select refunded from abused_good where variant_id = ${alone.variantIds[0]}`;
    expect(good).toEqual({ refunded: 1 });
    expect(await rowOf(order.orderId)).toMatchObject({ review: 'REJECTED', customer_id: null });
  });

  test('heard of again, is nobody', async () => {
    const order = desk.order();
    await desk.hear(UserErased({ userId: order.customerId, at: iso(0) }));
    await registered(order.customerId, 1);
    await desk.assess(order);
    expect((await rowOf(order.orderId)).customer_id).toBeNull();
    const [found] = await desk.database.sql`
      select (select count(*) from customer where customer_id = ${order.customerId})
        + (select count(*) from sighting where customer_id = ${order.customerId}) as rows`;
    expect(found).toEqual({ rows: 0 });
    expect(await desk.told(order.orderId)).toHaveLength(1);
  });
});
