create table warehouse (
  id uuid primary key,
  tenant_id uuid not null,
  code text not null,
  name text not null,
  latitude double precision not null check (latitude between -90 and 90),
  longitude double precision not null check (longitude between -180 and 180),
  constraint warehouse_code unique (tenant_id, code)
);

-- What stands in a warehouse. The checks are the last line of defence: whatever a program does, nothing is sold twice
-- (held + allocated <= on_hand) and no unit appears or vanishes unexplained (the sum of what came and went).
create table stock (
  id uuid primary key,
  tenant_id uuid not null,
  variant_id uuid not null,
  warehouse_id uuid not null references warehouse (id),
  on_hand integer not null default 0,
  held integer not null default 0,
  allocated integer not null default 0,
  received bigint not null default 0,
  returned bigint not null default 0,
  shipped bigint not null default 0,
  written_off bigint not null default 0,
  reorder_point integer,
  version integer not null default 1,
  updated_at timestamptz(3) not null default now(),
  constraint stock_place unique (variant_id, warehouse_id),
  constraint stock_counts check (held >= 0 and allocated >= 0 and held + allocated <= on_hand),
  constraint stock_room check (on_hand <= 100000000),
  constraint stock_came_and_went check (received >= 0 and returned >= 0 and shipped >= 0 and written_off >= 0),
  constraint stock_conserved check (on_hand + shipped + written_off = received + returned),
  constraint stock_reorder_point check (reorder_point >= 0)
);
-- Levels that need attention are few; 10 is what counts as low where no reorder point is set.
create index stock_low on stock (tenant_id, updated_at) where on_hand - held - allocated < coalesce(reorder_point, 10);

-- What can be sold of a variant over all warehouses, as it was last told; the version orders those messages.
create table variant_level (
  variant_id uuid primary key,
  tenant_id uuid not null,
  available integer not null check (available >= 0),
  reorder_point integer not null default 0,
  version integer not null default 1
);

-- One for each order, also for those refused or released before they came: a late reserve finds what was decided.
create table reservation (
  id uuid primary key,
  tenant_id uuid not null,
  order_id uuid not null,
  state text not null check (state in ('HELD', 'ALLOCATED', 'RELEASED', 'EXPIRED', 'REFUSED', 'SHIPPED')),
  hold_until timestamptz(3),
  refused_skus text[] not null default '{}',
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint reservation_order unique (tenant_id, order_id),
  constraint reservation_deadline check (state <> 'HELD' or hold_until is not null)
);
create index reservation_due on reservation (hold_until) where state = 'HELD';

create table reservation_part (
  tenant_id uuid not null,
  reservation_id uuid not null references reservation (id),
  variant_id uuid not null,
  warehouse_id uuid not null,
  sku text not null,
  quantity integer not null check (quantity > 0),
  primary key (reservation_id, variant_id, warehouse_id),
  constraint reservation_part_stock foreign key (variant_id, warehouse_id) references stock (variant_id, warehouse_id)
);

-- Every change of a counter of stock; `kind` is the counter, and its movements add up to it.
create table movement (
  id uuid primary key,
  tenant_id uuid not null,
  variant_id uuid not null,
  warehouse_id uuid not null,
  kind text not null check (kind in ('received', 'returned', 'shipped', 'written_off', 'held', 'allocated')),
  quantity integer not null check (quantity <> 0),
  order_id uuid,
  reason text,
  actor_id uuid,
  at timestamptz(3) not null default now(),
  constraint movement_stock foreign key (variant_id, warehouse_id) references stock (variant_id, warehouse_id)
);
create index movement_of_stock on movement (variant_id, warehouse_id, at);

create function movement_stays() returns trigger language plpgsql as $$
begin
  raise exception 'movements are only ever added';
end $$;
create trigger movement_stays before update or delete or truncate on movement
  for each statement execute function movement_stays();

-- The catalogue's word on each variant, kept by its VariantChanged messages.
create table catalog_variant (
  tenant_id uuid not null,
  variant_id uuid primary key,
  product_id uuid not null,
  sku text not null,
  name text not null,
  price_minor bigint not null,
  currency text not null,
  weight_grams integer,
  active boolean not null,
  version integer not null
);
create index catalog_variant_by_sku on catalog_variant (tenant_id, sku, variant_id);
-- Whole words and beginnings of words, of name and SKU alike.
create index catalog_variant_words on catalog_variant
  using gin (to_tsvector('simple', regexp_replace(sku || ' ' || name, '[^[:alnum:]]+', ' ', 'g')));
