// Customers' methods and their names at the provider.
import type { Db, Sql } from '@orderstream/runtime/database';
import type { PrismaClient } from './generated/prisma/client.ts';
import type { PaymentMethod, SeenMethod } from './payment-method.ts';

type HasSql = { readonly sql: Sql };
type HasPrisma = Pick<Db<PrismaClient>, 'prisma'>;

const columns = {
  id: true,
  userId: true,
  providerId: true,
  kind: true,
  brand: true,
  last4: true,
  removedAt: true,
} as const;

/** Removed ones, too: an old payment shows what it was paid with, until its customer is erased. Rides on payment_method_pkey. */
export const methodsByIds = (
  { prisma }: HasPrisma,
  tenantId: string,
  ids: readonly string[],
): Promise<PaymentMethod[]> =>
  prisma.paymentMethod.findMany({
    where: { tenantId, id: { in: [...ids] }, owner: { erasedAt: null } },
    select: columns,
  });

/** Without removed ones, oldest first. Rides on payment_method_of_user. */
export const methodsOfUsers = (
  { prisma }: HasPrisma,
  tenantId: string,
  userIds: readonly string[],
): Promise<PaymentMethod[]> =>
  prisma.paymentMethod.findMany({
    where: { tenantId, userId: { in: [...userIds] }, removedAt: null },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: columns,
  });

export const countMethods = ({ prisma }: HasPrisma, tenantId: string, userId: string): Promise<number> =>
  prisma.paymentMethod.count({ where: { tenantId, userId, removedAt: null } });

export type Customer = {
  /** the provider's; null for somebody erased whom it never knew */
  readonly providerId: string | null;
  readonly isErased: boolean;
};

type CustomerRow = { provider_id: string | null; erased_at: Date | null };

const customerFrom = (row: CustomerRow): Customer => ({
  providerId: row.provider_id,
  isErased: row.erased_at !== null,
});

export const customerOf = async (
  { sql }: HasSql,
  tenantId: string,
  userId: string,
): Promise<Customer | null> => {
  const [row] = await sql<CustomerRow>`
    select provider_id, erased_at from customer where tenant_id = ${tenantId} and user_id = ${userId}`;
  return row ? customerFrom(row) : null;
};

/** Answers the name that stands: a call at the same time may have been faster. */
export const insertCustomer = async (
  { sql }: HasSql,
  tenantId: string,
  userId: string,
  providerId: string,
): Promise<Customer> => {
  const [row] = await sql<CustomerRow>`
    insert into customer (tenant_id, user_id, provider_id) values (${tenantId}, ${userId}, ${providerId})
    on conflict (tenant_id, user_id) do update set provider_id = coalesce(customer.provider_id, excluded.provider_id)
    returning provider_id, erased_at`;
  return customerFrom(row!);
};

const erased = { brand: 'erased', last4: '0000' } as const;

/**
 * A method added again is the one that is there. Of somebody erased meanwhile it is removed at once; the lock on the
 * customer makes one of the two wait for the other. Answers null where it stands under another customer.
 */
export const insertMethod = async (
  { sql }: HasSql,
  tenantId: string,
  userId: string,
  id: string,
  seen: SeenMethod,
): Promise<PaymentMethod | null> => {
  const [row] = await sql<{ id: string; removed_at: Date | null }>`
    insert into payment_method (id, tenant_id, user_id, provider_id, kind, brand, last4, removed_at)
    select ${id}, c.tenant_id, c.user_id, ${seen.providerId}, ${seen.kind},
      case when c.erased_at is null then ${seen.brand} else ${erased.brand} end,
      case when c.erased_at is null then ${seen.last4} else ${erased.last4} end,
      case when c.erased_at is null then null else now() end
    from customer c where c.tenant_id = ${tenantId} and c.user_id = ${userId} for share
    on conflict (provider_id) do update
      set removed_at = excluded.removed_at, detached_at = null, next_attempt_at = now()
      where payment_method.tenant_id = ${tenantId} and payment_method.user_id = ${userId}
    returning id, removed_at`;
  return row ? { ...seen, id: row.id, userId, removedAt: row.removed_at } : null;
};

/**
 * Removes all methods. Payments keep their amounts and the provider's names of them for the books, and with what they
 * were paid nobody is told any more. What the provider said is forgotten as soon as it is read.
 */
export const eraseMethodsOf = async ({ sql }: HasSql, tenantId: string, userId: string): Promise<void> => {
  await sql`
    insert into customer (tenant_id, user_id, erased_at) values (${tenantId}, ${userId}, now())
    on conflict (tenant_id, user_id) do update set erased_at = coalesce(customer.erased_at, excluded.erased_at)`;
  await sql`
    update payment_method set brand = ${erased.brand}, last4 = ${erased.last4},
      removed_at = coalesce(removed_at, now()), next_attempt_at = now()
    where tenant_id = ${tenantId} and user_id = ${userId}`;
};

/** Gone for the customer at once; the provider is told by a job. */
export const removeMethod = async (
  { sql }: HasSql,
  tenantId: string,
  userId: string,
  id: string,
): Promise<boolean> => {
  const [row] = await sql`
    update payment_method set removed_at = now(), next_attempt_at = now()
    where id = ${id} and tenant_id = ${tenantId} and user_id = ${userId} and removed_at is null returning id`;
  return row !== undefined;
};

/** Methods the provider has not forgotten yet; each is tried again a minute later. Rides on payment_method_to_detach. */
export const takeToDetach = ({ sql }: HasSql, most: number): Promise<{ id: string; provider_id: string }[]> =>
  sql<{ id: string; provider_id: string }>`
    update payment_method set next_attempt_at = now() + interval '1 minute'
    where id in (
      select id from payment_method
      where removed_at is not null and detached_at is null and next_attempt_at <= now()
      order by next_attempt_at limit ${most} for update skip locked)
    returning id, provider_id`;

export const markDetached = async ({ sql }: HasSql, id: string): Promise<void> => {
  await sql`update payment_method set detached_at = now() where id = ${id} and removed_at is not null`;
};
