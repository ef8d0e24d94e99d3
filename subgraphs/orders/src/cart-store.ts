import type { Db, Tx } from '@orderstream/runtime/database';
import { type Money, money } from '@orderstream/runtime/money';
import type { Cart, Variant } from './cart.ts';

type Row = {
  cart_id: string;
  user_id: string;
  version: number;
  line_id: string | null;
  quantity: number;
  seen_price_minor: number;
  variant_id: string;
  product_id: string;
  sku: string;
  name: string;
  price_minor: number;
  currency: string;
  active: boolean;
  available: number | null;
};

type VariantRow = Omit<Row, 'cart_id' | 'user_id' | 'version' | 'line_id' | 'quantity' | 'seen_price_minor'>;

const toVariant = (row: VariantRow): Variant => ({
  id: row.variant_id,
  productId: row.product_id,
  sku: row.sku,
  name: row.name,
  price: money(row.price_minor, row.currency),
  active: row.active,
  available: row.available,
});

const toCart = (rows: readonly Row[], currency: string): Cart | null => {
  const [first] = rows;
  return first
    ? {
        id: first.cart_id,
        userId: first.user_id,
        version: first.version,
        currency,
        lines: rows
          .filter((row) => row.line_id !== null)
          .map((row) => ({
            id: row.line_id!,
            variant: toVariant(row),
            quantity: row.quantity,
            seenPrice: money(row.seen_price_minor, row.currency),
          })),
      }
    : null;
};

/** With its lines priced by the newest copy of the catalogue; oldest line first. Rides on cart_of_user. */
export const cartOf = async (
  db: Pick<Db, 'sql'>,
  tenantId: string,
  userId: string,
  currency: string,
): Promise<Cart | null> =>
  toCart(
    await db.sql<Row>`
      select c.id as cart_id, c.user_id, c.version, l.id as line_id, l.quantity, l.seen_price_minor,
        v.variant_id, v.product_id, v.sku, v.name, v.price_minor, v.currency, v.active, s.available
      from cart c
      left join cart_line l on l.cart_id = c.id
      left join catalog_variant v on v.variant_id = l.variant_id
      left join stock_level s on s.variant_id = l.variant_id
      where c.tenant_id = ${tenantId} and c.user_id = ${userId}
      order by l.id`,
    currency,
  );

const lockCart = (tx: Tx, tenantId: string, userId: string) =>
  tx.sql`select 1 from cart where tenant_id = ${tenantId} and user_id = ${userId} for update`;

/** Makes sure that there is a cart, locks it and reads it, its lines as they are once it is locked. */
export const cartForUpdate = async (
  tx: Tx,
  newCartId: string,
  tenantId: string,
  userId: string,
  currency: string,
): Promise<Cart> => {
  // Sent together: the server reads once the cart is ours.
  const lockAndRead = () =>
    Promise.all([lockCart(tx, tenantId, userId), cartOf(tx, tenantId, userId, currency)] as const);
  const [, known] = await lockAndRead();
  if (known) return known;
  await tx.sql`
    insert into cart (id, tenant_id, user_id) values (${newCartId}, ${tenantId}, ${userId})
    on conflict do nothing`;
  const [, made] = await lockAndRead();
  return made!;
};

export const variantById = async (tx: Tx, tenantId: string, variantId: string): Promise<Variant | null> => {
  const [row] = await tx.sql<VariantRow>`
    select v.variant_id, v.product_id, v.sku, v.name, v.price_minor, v.currency, v.active, s.available
    from catalog_variant v left join stock_level s on s.variant_id = v.variant_id
    where v.tenant_id = ${tenantId} and v.variant_id = ${variantId}`;
  return row ? toVariant(row) : null;
};

type NewLine = {
  readonly id: string;
  readonly variantId: string;
  readonly quantity: number;
  readonly seenPrice: Money;
};

/** Replaces the quantity of a variant; 0 takes the line out. The cart is locked by the caller. */
export const putLine = (tx: Tx, tenantId: string, cartId: string, line: NewLine): void => {
  if (line.quantity === 0)
    tx.write`
      with gone as (delete from cart_line where cart_id = ${cartId} and variant_id = ${line.variantId})
      update cart set version = version + 1, updated_at = now() where id = ${cartId}`;
  else
    tx.write`
      with put as (
        insert into cart_line (id, tenant_id, cart_id, variant_id, quantity, seen_price_minor)
        values (${line.id}, ${tenantId}, ${cartId}, ${line.variantId}, ${line.quantity},
          ${line.seenPrice.amountMinor})
        on conflict (cart_id, variant_id) do update
        set quantity = excluded.quantity, seen_price_minor = excluded.seen_price_minor)
      update cart set version = version + 1, updated_at = now() where id = ${cartId}`;
};

export const emptyCart = (tx: Tx, cartId: string): void => tx.write`
  with gone as (delete from cart_line where cart_id = ${cartId})
  update cart set version = version + 1, updated_at = now() where id = ${cartId}`;

export const removeCart = async (tx: Tx, tenantId: string, userId: string): Promise<void> => {
  await tx.sql`delete from cart where tenant_id = ${tenantId} and user_id = ${userId}`;
};
