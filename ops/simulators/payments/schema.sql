-- The provider's own book. Amounts are integer minor units; the checks hold even if the code above them is wrong.
create table if not exists customer (
  seq integer primary key autoincrement,
  id text not null unique,
  email text,
  name text,
  description text,
  metadata text not null,
  created integer not null
) strict;

create table if not exists payment_method (
  seq integer primary key autoincrement,
  id text not null unique,
  token text not null,
  customer text references customer (id),
  detached integer not null default 0,
  metadata text not null default '{}',
  created integer not null
) strict;
create index if not exists payment_method_of_customer on payment_method (customer, seq);

create table if not exists payment_intent (
  seq integer primary key autoincrement,
  id text not null unique,
  client_secret text not null,
  amount integer not null check (amount > 0),
  currency text not null,
  capture_method text not null,
  customer text references customer (id),
  payment_method text references payment_method (id),
  automatic_payment_methods text,
  setup_future_usage text,
  description text,
  metadata text not null,
  order_id text generated always as (json_extract(metadata, '$.orderId')) stored,
  status text not null,
  amount_capturable integer not null default 0,
  amount_received integer not null default 0,
  amount_refunded integer not null default 0,
  latest_charge text,
  last_payment_error text,
  canceled_at integer,
  cancellation_reason text,
  reply_lost integer not null default 0,
  created integer not null,
  revision integer not null,
  check (amount_capturable >= 0 and amount_received >= 0 and amount_capturable + amount_received <= amount),
  check (amount_refunded >= 0 and amount_refunded <= amount_received),
  check (amount_capturable = 0 or status = 'requires_capture'),
  check (amount_received = 0 or status = 'succeeded')
) strict;
create index if not exists payment_intent_of_order on payment_intent (order_id);
create index if not exists payment_intent_of_customer on payment_intent (customer, seq);
create unique index if not exists payment_intent_by_revision on payment_intent (revision);

create table if not exists charge (
  seq integer primary key autoincrement,
  id text not null unique,
  payment_intent text not null references payment_intent (id),
  payment_method text not null references payment_method (id),
  amount integer not null,
  amount_captured integer not null default 0,
  amount_refunded integer not null default 0,
  status text not null,
  failure_code text,
  decline_code text,
  failure_message text,
  created integer not null,
  check (amount_refunded <= amount and amount_captured <= amount)
) strict;
create index if not exists charge_of_intent on charge (payment_intent, seq);

create table if not exists refund (
  seq integer primary key autoincrement,
  id text not null unique,
  payment_intent text not null references payment_intent (id),
  charge text not null references charge (id),
  amount integer not null check (amount > 0),
  reason text,
  status text not null,
  failure_reason text,
  metadata text not null,
  created integer not null
) strict;
create index if not exists refund_of_intent on refund (payment_intent, seq);

create table if not exists event (
  seq integer primary key autoincrement,
  id text not null unique,
  type text not null,
  payment_intent text not null,
  order_id text,
  body text not null,
  created integer not null
) strict;

-- One row per promised delivery; due_at in milliseconds, null once there is nothing left to do.
create table if not exists delivery (
  seq integer primary key autoincrement,
  event integer not null references event (seq),
  payment_intent text not null,
  due_at integer,
  held integer not null default 0,
  swapped integer not null default 0,
  attempts integer not null default 0,
  last_status integer,
  delivered_at integer,
  promised_at integer not null
) strict;
create index if not exists delivery_due on delivery (due_at, seq) where due_at is not null and held = 0;
create index if not exists delivery_open on delivery (payment_intent) where due_at is not null;

create table if not exists idempotency (
  key text primary key,
  fingerprint text not null,
  status integer not null,
  body text not null,
  request_id text not null,
  created integer not null
) strict, without rowid;

create table if not exists fault (
  seq integer primary key autoincrement,
  name text not null,
  value integer not null,
  option text,
  remaining integer,
  order_id text,
  path text
) strict;
