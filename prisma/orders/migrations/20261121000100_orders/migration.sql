create table cart (
  id uuid primary key,
  tenant_id uuid not null,
  user_id uuid not null,
  version int not null default 1,
  updated_at timestamptz(3) not null default now(),
  constraint cart_of_user unique (tenant_id, user_id)
);

create table cart_line (
  id uuid primary key,
  tenant_id uuid not null,
  cart_id uuid not null references cart (id) on delete cascade,
  variant_id uuid not null,
  quantity int not null check (quantity > 0),
  seen_price_minor bigint not null check (seen_price_minor >= 0),
  constraint cart_line_of_variant unique (cart_id, variant_id)
);
create index cart_line_by_variant on cart_line (variant_id);

-- The catalogue's word on variants, as heard; written by handlers only.
create table catalog_variant (
  tenant_id uuid not null,
  variant_id uuid primary key,
  product_id uuid not null,
  sku text not null,
  name text not null,
  price_minor bigint not null check (price_minor >= 0),
  currency text not null,
  weight_grams int,
  active boolean not null,
  version int not null
);
create index catalog_variant_by_product on catalog_variant (product_id);

-- Inventory's word on what can be sold, as heard; written by handlers only.
create table stock_level (
  tenant_id uuid not null,
  variant_id uuid primary key,
  available int not null,
  version int not null
);

create sequence order_serial;

create table orders (
  id uuid primary key,
  tenant_id uuid not null,
  number text not null,
  customer_id uuid,
  status text not null check (status in ('PENDING', 'AWAITING_PAYMENT', 'AWAITING_REVIEW', 'CONFIRMED', 'PROCESSING',
    'SHIPPED', 'DELIVERED', 'CANCELLED')),
  status_reason text,
  version int not null check (version > 0),
  placed_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  currency text not null check (length(currency) = 3),
  subtotal_minor bigint not null check (subtotal_minor >= 0),
  discount_minor bigint not null check (discount_minor >= 0),
  shipping_minor bigint not null check (shipping_minor >= 0),
  tax_minor bigint not null check (tax_minor >= 0),
  total_minor bigint not null,
  recipient text,
  line1 text,
  line2 text,
  city text,
  postcode text,
  country text,
  idempotency_key text,
  constraint orders_total check (total_minor = subtotal_minor - discount_minor + shipping_minor),
  constraint orders_number unique (tenant_id, number),
  constraint orders_once unique (tenant_id, customer_id, idempotency_key)
);
create index orders_by_customer on orders (customer_id, placed_at desc, id desc);
create index orders_by_placed on orders (tenant_id, placed_at desc, id desc);
create index orders_by_status on orders (tenant_id, status, placed_at desc, id desc);
create index orders_by_total on orders (tenant_id, total_minor, id);
create index orders_by_updated on orders (tenant_id, updated_at desc, id desc);

create table order_line (
  id uuid primary key,
  tenant_id uuid not null,
  order_id uuid not null references orders (id),
  position int not null,
  variant_id uuid not null,
  sku text not null,
  name text not null,
  quantity int not null check (quantity > 0),
  unit_price_minor bigint not null check (unit_price_minor >= 0),
  line_total_minor bigint not null,
  constraint order_line_total check (line_total_minor = unit_price_minor * quantity),
  constraint order_line_place unique (order_id, position)
);
create index order_line_by_variant on order_line (variant_id);
create index order_line_by_sku on order_line (sku);

create table saga (
  order_id uuid primary key references orders (id),
  tenant_id uuid not null,
  step text not null,
  rests boolean not null default false,
  attempts int not null default 0,
  -- in the shop's own words; what a person typed stands on the order only
  reason text,
  deadline_at timestamptz(3),
  payment_method_id uuid not null,
  hold_until timestamptz(3) not null,
  address_hash text not null,
  device_hash text,
  client_hash text
);
create index saga_by_deadline on saga (deadline_at) where deadline_at is not null;
create index saga_by_step on saga (step);

-- Everything that happened to an order; its number is the order's version.
create table order_event (
  order_id uuid not null references orders (id),
  seq int not null check (seq > 0),
  tenant_id uuid not null,
  message_id uuid,
  type text not null,
  at timestamptz(3) not null,
  actor text not null,
  from_step text,
  to_step text not null,
  from_status text,
  to_status text not null,
  reason text,
  primary key (order_id, seq),
  constraint order_event_once unique (order_id, message_id)
);
