-- One row per customer who was ever told something. Whoever adds a notification locks it and takes the next number, so
-- numbers become visible in their order, and whoever has seen number 7 has missed nothing before it.
create table mailbox (
  tenant_id uuid not null,
  customer_id uuid not null,
  last_seq integer not null default 0 check (last_seq >= 0),
  -- What comes late for somebody who was erased is not kept.
  erased boolean not null default false,
  primary key (tenant_id, customer_id)
);

create table notification (
  -- the id of the message that asked for it
  id uuid primary key,
  tenant_id uuid not null,
  customer_id uuid not null,
  seq integer not null check (seq > 0),
  order_id uuid not null,
  number text not null,
  kind text not null check (kind in
    ('ORDER_CONFIRMED', 'ORDER_HELD', 'ORDER_SHIPPED', 'ORDER_DELIVERED', 'ORDER_CANCELLED', 'REFUNDED')),
  reason text,
  amount_minor bigint check (amount_minor > 0),
  currency char(3) not null,
  created_at timestamptz(3) not null default now(),
  read_at timestamptz(3),
  foreign key (tenant_id, customer_id) references mailbox (tenant_id, customer_id)
);

-- Lists, newest first, and what came after a number.
create unique index notification_of_customer on notification (tenant_id, customer_id, seq desc);
create index notification_unread on notification (tenant_id, customer_id) where read_at is null;
-- An order is confirmed or cancelled once, however often that is told; money may come back several times.
create unique index notification_once on notification (tenant_id, order_id, kind) where kind <> 'REFUNDED';
create index notification_by_age on notification (created_at);
create index notification_by_reading on notification (read_at) where read_at is not null;
