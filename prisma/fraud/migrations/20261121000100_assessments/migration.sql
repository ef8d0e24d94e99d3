-- What is known of customers: facts told by users, and what their paid orders used to amount to. Logarithms, because
-- amounts spread by factors and not by sums.
create table customer (
  tenant_id uuid not null,
  customer_id uuid not null,
  registered_at timestamptz(3),
  address_changed_at timestamptz(3),
  currency text,
  orders integer not null default 0 check (orders >= 0),
  sum_minor bigint not null default 0 check (sum_minor >= 0),
  log_sum double precision not null default 0,
  log_squares double precision not null default 0,
  primary key (tenant_id, customer_id)
);

-- The same of all customers together, brought up to date by a job: one row that every order wrote would be a queue.
create table usual (
  tenant_id uuid not null,
  currency text not null,
  orders integer not null check (orders >= 0),
  log_sum double precision not null,
  log_squares double precision not null,
  primary key (tenant_id, currency)
);

-- Customers who were erased: an order of theirs that is heard of later is nobody's.
create table erased_customer (
  tenant_id uuid not null,
  customer_id uuid not null,
  primary key (tenant_id, customer_id)
);

-- Orders of the last thirty days. Hashes are keyed: they tell what is shared, never what it is.
create table recent_order (
  tenant_id uuid not null,
  order_id uuid not null,
  customer_id uuid,
  amount_minor bigint not null,
  currency text not null,
  address_hash text,
  device_hash text,
  network_hash text,
  variant_ids uuid[] not null,
  at timestamptz(3) not null default now(),
  primary key (tenant_id, order_id)
);
create index recent_order_of_customer on recent_order (tenant_id, customer_id, at);
create index recent_order_of_network on recent_order (tenant_id, network_hash, at);
create index recent_order_by_age on recent_order (at);

-- Which account was seen with which address, device or network.
create table sighting (
  tenant_id uuid not null,
  kind text not null check (kind in ('address', 'device', 'network')),
  hash text not null,
  customer_id uuid not null,
  last_at timestamptz(3) not null default now(),
  primary key (tenant_id, kind, hash, customer_id)
);
create index sighting_lately on sighting (tenant_id, kind, hash, last_at);
create index sighting_of_customer on sighting (tenant_id, customer_id, kind);
create index sighting_by_age on sighting (last_at);

-- What stood in rejected orders.
create table abused_hash (
  tenant_id uuid not null,
  kind text not null check (kind in ('address', 'device', 'network')),
  hash text not null,
  rejected integer not null check (rejected > 0),
  last_at timestamptz(3) not null default now(),
  primary key (tenant_id, kind, hash)
);
create index abused_hash_by_age on abused_hash (last_at);

create table abused_good (
  tenant_id uuid not null,
  variant_id uuid not null,
  rejected integer not null default 0 check (rejected >= 0),
  refunded integer not null default 0 check (refunded >= 0),
  orders integer not null default 0 check (orders >= 0),
  primary key (tenant_id, variant_id)
);

create table decline (
  tenant_id uuid not null,
  payment_id uuid not null,
  customer_id uuid not null,
  at timestamptz(3) not null default now(),
  primary key (tenant_id, payment_id)
);
create index decline_of_customer on decline (tenant_id, customer_id, at);
create index decline_by_age on decline (at);

-- One for each order. The score is null while a review was asked for an order that has not been scored; the queue
-- takes that for the worst (`rank`).
create table assessment (
  id uuid primary key,
  tenant_id uuid not null,
  order_id uuid not null,
  customer_id uuid,
  amount_minor bigint,
  currency text,
  score integer check (score between 0 and 100),
  rank integer not null default 100 check (rank between 0 and 100),
  factors jsonb not null default '[]',
  features jsonb,
  rules_version text,
  took_ms double precision not null default 0 check (took_ms >= 0),
  review text not null default 'NOT_NEEDED'
    check (review in ('NOT_NEEDED', 'PENDING', 'APPROVED', 'REJECTED', 'INFO_REQUESTED', 'EXPIRED')),
  due_at timestamptz(3),
  decided_by uuid,
  decided_at timestamptz(3),
  closed_at timestamptz(3),
  captured_at timestamptz(3),
  refunded_at timestamptz(3),
  is_usual boolean not null default false,
  flagged_at timestamptz(3),
  shadow_score integer check (shadow_score between 0 and 100),
  shadow_version integer,
  created_at timestamptz(3) not null default now(),
  unique (tenant_id, order_id),
  check ((score is null) = (features is null)),
  check (score is null or rank = score),
  check ((review in ('APPROVED', 'REJECTED')) <= (decided_by is not null and decided_at is not null)),
  check ((shadow_score is null) = (shadow_version is null))
);
create index assessment_queue on assessment (tenant_id, rank desc, id desc)
  where review in ('PENDING', 'INFO_REQUESTED');
create index assessment_overdue on assessment (due_at) where review in ('PENDING', 'INFO_REQUESTED');
create index assessment_of_customer on assessment (tenant_id, customer_id);
create index assessment_flagged on assessment (tenant_id, flagged_at) where flagged_at is not null;
create index assessment_unshadowed on assessment (tenant_id, created_at)
  where shadow_version is null and features is not null;
create index assessment_labelled on assessment (tenant_id, created_at)
  where review in ('APPROVED', 'REJECTED') or captured_at is not null;
create index assessment_not_usual on assessment (captured_at) where captured_at is not null and not is_usual;

-- Who did what with a review. Only a note may be taken away, when the person it is about is erased.
create table review_audit (
  id uuid primary key,
  tenant_id uuid not null,
  assessment_id uuid not null references assessment (id),
  actor uuid,
  action text not null check (action in ('OPENED', 'APPROVED', 'REJECTED', 'INFO_REQUESTED', 'EXPIRED', 'CLOSED')),
  note text,
  at timestamptz(3) not null default clock_timestamp()
);
create index review_audit_of on review_audit (assessment_id, id);

create function review_audit_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if new.note is null and (new.id, new.tenant_id, new.assessment_id, new.actor, new.action, new.at)
      is not distinct from (old.id, old.tenant_id, old.assessment_id, old.actor, old.action, old.at) then
      return new;
    end if;
  end if;
  raise exception '% is append-only', tg_table_name;
end $$;
create trigger review_audit_stays before update or delete on review_audit
  for each row execute function review_audit_stays();
create trigger review_audit_stays_whole before truncate on review_audit
  execute function review_audit_stays();

-- Networks learnt from labelled assessments, with what they and the rules did on the ones that neither had seen.
create table model (
  tenant_id uuid not null,
  version integer not null check (version > 0),
  trained_at timestamptz(3) not null default now(),
  seed integer not null,
  trained_on integer not null,
  tested_on integer not null,
  tested_frauds integer not null,
  net_precision double precision,
  net_recall double precision,
  rules_precision double precision,
  rules_recall double precision,
  network jsonb not null,
  primary key (tenant_id, version)
);

-- How many labels there were when a tenant's network was last trained; the lease keeps a second process from it.
create table training (
  tenant_id uuid primary key,
  labels integer not null default 0,
  tried_at timestamptz(3),
  leased_until timestamptz(3)
);
