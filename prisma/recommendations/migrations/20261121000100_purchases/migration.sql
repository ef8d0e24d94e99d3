-- What stood in which order. `at` is the order's time and the same on all its rows. Ids of orders rise with time, so the
-- key is the order of time as well. A cancelled order stays, so that hearing of it again does not bring it back, but is
-- not counted.
create table purchase (
  tenant_id uuid not null,
  order_id uuid not null,
  product_id uuid not null,
  customer_id uuid,
  quantity integer not null check (quantity > 0),
  at timestamptz(3) not null,
  cancelled boolean not null default false,
  primary key (tenant_id, order_id, product_id)
);
create index purchase_of_customer on purchase (tenant_id, customer_id, at desc);

-- Customers who were erased: an order of theirs that is heard of later is nobody's.
create table erased_customer (
  tenant_id uuid not null,
  customer_id uuid not null,
  primary key (tenant_id, customer_id)
);

-- What the purchases say of a good, as it is served: one row holds its neighbours, best first, because they are
-- written and read together. Scores are cosines.
create table affinity (
  tenant_id uuid not null,
  product_id uuid not null,
  baskets integer not null check (baskets > 0),
  trend double precision not null check (trend >= 0),
  together_ids uuid[] not null,
  together_scores real[] not null,
  together_baskets integer[] not null,
  similar_ids uuid[] not null,
  similar_scores real[] not null,
  version integer not null,
  primary key (tenant_id, product_id),
  constraint affinity_together check (
    cardinality(together_ids) = cardinality(together_scores)
    and cardinality(together_ids) = cardinality(together_baskets)),
  constraint affinity_similar check (cardinality(similar_ids) = cardinality(similar_scores))
);

-- When a tenant's purchases changed, to within ten seconds, and were last learnt from; the lease keeps a second process
-- from doing it as well.
create table learning (
  tenant_id uuid primary key,
  changed_at timestamptz(3) not null default now(),
  version integer not null default 0,
  read_at timestamptz(3),
  took_ms integer not null default 0 check (took_ms >= 0),
  leased_until timestamptz(3)
);

-- Goods that a visitor put into a cart lately. A visitor is a customer's id or a keyed hash.
create table interest (
  tenant_id uuid not null,
  visitor text not null,
  product_id uuid not null,
  at timestamptz(3) not null,
  primary key (tenant_id, visitor, product_id)
);
create index interest_lately on interest (tenant_id, visitor, at desc);
create index interest_by_age on interest (at);

-- How much activity came from where in the last minute.
create table tracking (
  id uuid primary key,
  tenant_id uuid not null,
  source text not null,
  items integer not null check (items > 0),
  at timestamptz(3) not null default clock_timestamp()
);
create index tracking_from on tracking (tenant_id, source, at);
create index tracking_by_age on tracking (at);
