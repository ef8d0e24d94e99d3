import type { Database, Db, Tx } from '@orderstream/runtime/database';
import { inOrder } from '@orderstream/runtime/loaders';
import type { Page } from '@orderstream/runtime/paging';
import type { PrismaClient, Notification as Row } from './generated/prisma/client.ts';
import { type Kind, mostCounted, type Notification } from './notification.ts';

const fromRow = ({ tenantId: _, kind, amountMinor, ...row }: Row): Notification => ({
  ...row,
  kind: kind as Kind,
  amountMinor: amountMinor === null ? null : Number(amountMinor),
});

type Facts = Omit<Notification, 'seq' | 'createdAt' | 'readAt'>;

export type New = { readonly tenantId: string; readonly facts: Facts };

/**
 * Puts each at the end of its customer's list, in the order given.
 * @returns their numbers there, by id; without those that stand there already, and those of customers who were erased
 */
export const addAll = async (tx: Tx, all: readonly New[]): Promise<Map<string, number>> => {
  const facts = all.map((one) => one.facts);
  // Mailboxes are taken in one order by all, so that two of these never wait for each other. What stood there already
  // leaves a gap in the numbers, which nobody counts by.
  const rows = await tx.sql<{ id: string; seq: number }>`
    with asked as (
      select *, row_number() over (partition by tenant_id, customer_id order by nth) as place,
        count(*) over (partition by tenant_id, customer_id) as places
      from unnest(${facts.map((one) => one.id)}::uuid[], ${all.map((one) => one.tenantId)}::uuid[],
        ${facts.map((one) => one.customerId)}::uuid[], ${facts.map((one) => one.orderId)}::uuid[],
        ${facts.map((one) => one.number)}::text[], ${facts.map((one) => one.kind)}::text[],
        ${facts.map((one) => one.reason)}::text[], ${facts.map((one) => one.amountMinor)}::bigint[],
        ${facts.map((one) => one.currency)}::text[])
        with ordinality as a (id, tenant_id, customer_id, order_id, number, kind, reason, amount_minor, currency, nth)),
    box as (
      insert into mailbox (tenant_id, customer_id, last_seq)
      select tenant_id, customer_id, count(*) from asked group by tenant_id, customer_id order by tenant_id, customer_id
      on conflict (tenant_id, customer_id) do update set last_seq = mailbox.last_seq + excluded.last_seq
        where not mailbox.erased
      returning tenant_id, customer_id, last_seq)
    insert into notification
      (id, tenant_id, customer_id, seq, order_id, number, kind, reason, amount_minor, currency)
    select a.id, a.tenant_id, a.customer_id, b.last_seq - a.places + a.place, a.order_id, a.number, a.kind, a.reason,
      a.amount_minor, a.currency
    from asked a join box b on b.tenant_id = a.tenant_id and b.customer_id = a.customer_id
    order by a.nth
    on conflict do nothing returning id, seq`;
  return new Map(rows.map(({ id, seq }) => [id, seq]));
};

/** Forgets what a customer was told, and keeps nothing that comes later. */
export const eraseCustomer = async (tx: Tx, tenantId: string, customerId: string): Promise<void> => {
  // First the mailbox: whoever is adding to it now is waited for, and the deletion then sees what was added.
  await tx.sql`
    insert into mailbox (tenant_id, customer_id, erased) values (${tenantId}, ${customerId}, true)
    on conflict (tenant_id, customer_id) do update set erased = true`;
  await tx.sql`delete from notification where tenant_id = ${tenantId} and customer_id = ${customerId}`;
};

export const notificationsByIds = async (
  prisma: PrismaClient,
  tenantId: string,
  ids: readonly string[],
): Promise<(Notification | null)[]> => {
  const rows = await prisma.notification.findMany({ where: { tenantId, id: { in: [...ids] } } });
  return inOrder(ids, rows.map(fromRow), (row) => row.id);
};

/** Newest first, one more than asked for; rides on notification_of_customer. */
export const notificationsOf = async (
  prisma: PrismaClient,
  tenantId: string,
  customerId: string,
  { first, after }: Page,
): Promise<Notification[]> => {
  const rows = await prisma.notification.findMany({
    where: { tenantId, customerId, ...(after && { seq: { lt: Number(after.at) } }) },
    orderBy: { seq: 'desc' },
    take: first + 1,
  });
  return rows.map(fromRow);
};

/** What came after a number, oldest first; rides on notification_of_customer. */
export const notificationsAfter = async (
  prisma: PrismaClient,
  tenantId: string,
  customerId: string,
  seq: number,
  most: number,
): Promise<Notification[]> => {
  const rows = await prisma.notification.findMany({
    where: { tenantId, customerId, seq: { gt: seq } },
    orderBy: { seq: 'asc' },
    take: most,
  });
  return rows.map(fromRow);
};

/** The number of the newest one; 0 for somebody who was never told anything. */
export const lastSeq = async (
  prisma: PrismaClient,
  tenantId: string,
  customerId: string,
): Promise<number> => {
  const where = { tenantId_customerId: { tenantId, customerId } };
  return (await prisma.mailbox.findUnique({ where }))?.lastSeq ?? 0;
};

export const countOf = (prisma: PrismaClient, tenantId: string, customerId: string): Promise<number> =>
  prisma.notification.count({ where: { tenantId, customerId } });

/** Up to `mostCounted`; rides on notification_unread. */
export const countUnread = (prisma: PrismaClient, tenantId: string, customerId: string): Promise<number> =>
  prisma.notification.count({ where: { tenantId, customerId, readAt: null }, take: mostCounted });

/**
 * Marks all of them, or none where one is not this customer's.
 * @param ids each once
 * @returns how many became read by this; null where one is not the customer's
 */
export const markRead = (
  db: Db,
  tenantId: string,
  customerId: string,
  ids: readonly string[],
): Promise<number | null> =>
  db.transaction(async ({ sql }) => {
    // Locked in one order, so that two who mark the same ones do not wait for each other.
    const own = await sql`
      select from notification where tenant_id = ${tenantId} and customer_id = ${customerId}
        and id = any(${ids}::uuid[]) order by id for update`;
    if (own.length < ids.length) return null;
    const marked = await sql`
      update notification set read_at = now() where tenant_id = ${tenantId} and customer_id = ${customerId}
        and id = any(${ids}::uuid[]) and read_at is null returning id`;
    return marked.length;
  });

/**
 * Everything up to one of the customer's own, by the order in which they came.
 * @returns how many became read by this; null where that one is not the customer's
 */
export const markReadUpTo = (
  db: Db,
  tenantId: string,
  customerId: string,
  id: string,
): Promise<number | null> =>
  db.transaction(async ({ sql }) => {
    const [last] = await sql<{ seq: number }>`
      select seq from notification where tenant_id = ${tenantId} and customer_id = ${customerId} and id = ${id}`;
    if (!last) return null;
    const marked = await sql`
      with unread as (
        select id from notification where tenant_id = ${tenantId} and customer_id = ${customerId}
          and seq <= ${last.seq} and read_at is null order by id for update)
      update notification set read_at = now() from unread where notification.id = unread.id returning unread.id`;
    return marked.length;
  });

/** Rows at a time, so that no lock is held for long. */
const mostForgotten = 1_000;

/**
 * Forgets what was read half a year ago, or is older than two years; rides on notification_by_reading and
 * notification_by_age.
 * @returns whether there may be more
 */
export const forgetOld = async ({ sql }: Pick<Database, 'sql'>, most = mostForgotten): Promise<boolean> => {
  const read = await sql`
    delete from notification where id in (
      select id from notification where read_at < now() - interval '180 days'
      order by read_at limit ${most} for update skip locked)
    returning id`;
  const old = await sql`
    delete from notification where id in (
      select id from notification where created_at < now() - interval '2 years'
      order by created_at limit ${most} for update skip locked)
    returning id`;
  return Math.max(read.length, old.length) === most;
};
