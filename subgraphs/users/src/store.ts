// Users and their address books.
import { type Db, part, raw, type Tx } from '@orderstream/runtime/database';
import type { Cursor, Page } from '@orderstream/runtime/paging';
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import type { Address } from './address.ts';
import type { PrismaClient } from './generated/prisma/client.ts';
import type { Role } from './generated/resolvers.ts';
import type { Registration, User } from './user.ts';

const userFields = {
  id: true,
  tenantId: true,
  email: true,
  displayName: true,
  roles: true,
  version: true,
  createdAt: true,
} as const;

type UserRow = Omit<User, 'email' | 'displayName' | 'roles'> & {
  readonly email: string | null;
  readonly displayName: string | null;
  readonly roles: string[];
};

const columns = raw(
  'id, tenant_id as "tenantId", email, display_name as "displayName", roles, version, created_at as "createdAt"',
);

/** Of a row that is not erased: the table's checks promise its name, address and roles. */
const toUser = (row: UserRow): User => ({
  ...row,
  email: row.email!,
  displayName: row.displayName!,
  roles: row.roles as Role[],
});

/** Not who asks decides here but `mayRead`, in the loader. */
export const usersByIds = async (
  db: Db<PrismaClient>,
  tenantId: string,
  ids: readonly string[],
): Promise<User[]> => {
  const rows = await db.prisma.user.findMany({
    where: { tenantId, id: { in: [...ids] }, erasedAt: null },
    select: userFields,
  });
  return rows.map(toUser);
};

export const addressesOf = (
  db: Db<PrismaClient>,
  tenantId: string,
  userIds: readonly string[],
): Promise<Address[]> =>
  db.prisma.address.findMany({
    where: { tenantId, userId: { in: [...userIds] } },
    omit: { tenantId: true, savedAt: true },
    orderBy: [{ userId: 'asc' }, { id: 'asc' }],
  });

export const cursorOf = (user: User): Cursor => ({
  sort: 'newest',
  at: user.createdAt.toISOString(),
  id: user.id,
});

const first: Pick<Cursor, 'at' | 'id'> = { at: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };

/** Of the index users_words, letter for letter. */
const matching = (words: string | null) =>
  words === null
    ? raw('')
    : part`and to_tsvector('simple', display_name || ' ' || translate(email, '@.+-_', '     '))
             @@ to_tsquery('simple', ${words})`;

/** Newest first, on the index users_newest; with words, on users_words. */
export const userPage = async (
  db: Db,
  tenantId: string,
  page: Page,
  words: string | null,
): Promise<User[]> => {
  const after = page.after ?? first;
  const rows = await db.sql<UserRow>`
    select ${columns} from users
    where tenant_id = ${tenantId} and erased_at is null and (created_at, id) < (${after.at}, ${after.id})
      ${matching(words)}
    order by created_at desc, id desc limit ${page.first + 1}`;
  return rows.map(toUser);
};

export const countUsers = async (db: Db, tenantId: string, words: string | null): Promise<number> => {
  const [row] = await db.sql<{ count: number }>`
    select count(*) from users where tenant_id = ${tenantId} and erased_at is null ${matching(words)}`;
  return row!.count;
};

export const passwordOf = async (
  db: Db,
  tenantId: string,
  email: string | null,
): Promise<{ id: string; hash: string | null } | null> => {
  if (email === null) return null;
  const [row] = await db.sql<{ id: string; hash: string | null }>`
    select id, password_hash as hash from users where tenant_id = ${tenantId} and email = ${email}`;
  return row ?? null;
};

/** Null where the e-mail address has an account; two at once are told apart by the table's unique key. */
export const insertUser = async (
  tx: Tx,
  tenantId: string,
  id: string,
  { email, displayName }: Omit<Registration, 'password'>,
  passwordHash: string,
): Promise<User | null> => {
  const [row] = await tx.sql<UserRow>`
    insert into users (id, tenant_id, email, display_name, password_hash, roles)
    values (${id}, ${tenantId}, ${email}, ${displayName}, ${passwordHash}, '{CUSTOMER}')
    on conflict (tenant_id, email) do nothing
    returning ${columns}`;
  return row ? toUser(row) : null;
};

/** Null for the erased, as if there had never been one. */
export const userForUpdate = async (tx: Tx, tenantId: string, id: string): Promise<User | null> => {
  const [row] = await tx.sql<UserRow>`
    select ${columns}
    from users where id = ${id} and tenant_id = ${tenantId} and erased_at is null for update`;
  return row ? toUser(row) : null;
};

/** The version after this change. */
export const raiseVersion = async (tx: Tx, user: User): Promise<number> => {
  const [row] = await tx.sql<{ version: number }>`
    update users set version = version + 1 where id = ${user.id} returning version`;
  return row!.version;
};

export const countAddresses = async (tx: Tx, userId: string): Promise<number> => {
  const [row] = await tx.sql<{ count: number }>`select count(*) from address where user_id = ${userId}`;
  return row!.count;
};

export const insertAddress = async (
  tx: Tx,
  user: User,
  id: string,
  label: PostalAddress,
): Promise<Address> => {
  await tx.sql`
    insert into address (id, tenant_id, user_id, recipient, line1, line2, city, postcode, country)
    values (${id}, ${user.tenantId}, ${user.id}, ${label.recipient}, ${label.line1}, ${label.line2}, ${label.city},
            ${label.postcode}, ${label.country})`;
  return { id, userId: user.id, ...label };
};

/** Null where the user has no such address. */
export const updateAddress = async (
  tx: Tx,
  user: User,
  id: string,
  label: PostalAddress,
): Promise<Address | null> => {
  const [row] = await tx.sql`
    update address set recipient = ${label.recipient}, line1 = ${label.line1}, line2 = ${label.line2},
      city = ${label.city}, postcode = ${label.postcode}, country = ${label.country}, saved_at = now()
    where id = ${id} and user_id = ${user.id} and tenant_id = ${user.tenantId} returning id`;
  return row ? { id, userId: user.id, ...label } : null;
};

export const deleteAddress = async (tx: Tx, user: User, id: string): Promise<boolean> => {
  const rows = await tx.sql`
    delete from address where id = ${id} and user_id = ${user.id} and tenant_id = ${user.tenantId} returning id`;
  return rows.length > 0;
};

/** Leaves the id and when things happened; the checks of the table hold that nothing else is left. */
export const eraseUser = async (tx: Tx, user: User): Promise<void> => {
  await tx.sql`delete from address where user_id = ${user.id}`;
  await tx.sql`delete from session where user_id = ${user.id}`;
  await tx.sql`
    update users set email = null, display_name = null, password_hash = null, roles = '{CUSTOMER}', erased_at = now()
    where id = ${user.id}`;
};
