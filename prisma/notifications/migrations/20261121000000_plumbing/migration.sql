-- The tables every subgraph's database starts with: what was said (outbox), heard (inbox), set aside (parked)
-- and answered before (idempotency). Each subgraph's first migration is a copy of this file.
create schema plumbing;

create table plumbing.outbox (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  shard smallint not null,
  topic text not null,
  key text not null,
  hinted boolean not null,
  message json not null,
  created_at timestamptz not null default now()
);
create index outbox_by_shard on plumbing.outbox (shard, id);

create table plumbing.inbox (
  message_id uuid primary key,
  tenant_id uuid not null,
  received_at timestamptz not null default now()
);
create index inbox_by_age on plumbing.inbox (received_at);

-- What is parked may be unreadable; then nobody knows whose it is.
create table plumbing.parked_key (
  tenant_id uuid,
  topic text not null,
  key text not null,
  parked_at timestamptz not null default now(),
  primary key (topic, key)
);

create table plumbing.parked_message (
  id bigint generated always as identity primary key,
  tenant_id uuid,
  topic text not null,
  partition int not null,
  "offset" bigint not null,
  key text not null,
  type text,
  payload text not null,
  error text,
  attempts int not null default 0,
  parked_at timestamptz not null default now(),
  unique (topic, partition, "offset")
);
create index parked_by_key on plumbing.parked_message (topic, key, id);

create table plumbing.parked_audit (
  id bigint generated always as identity primary key,
  tenant_id uuid,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  topic text not null,
  key text not null,
  message_id bigint
);

create table plumbing.idempotency (
  tenant_id uuid not null,
  user_id uuid not null,
  operation text not null,
  key text not null,
  request_hash text not null,
  response json,
  created_at timestamptz not null default now(),
  primary key (tenant_id, user_id, operation, key)
);
create index idempotency_by_age on plumbing.idempotency (created_at);
