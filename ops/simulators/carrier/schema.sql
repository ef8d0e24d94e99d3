-- The carrier's own book. Times are milliseconds since 1970. The triggers hold even if the code above them is wrong.
create table if not exists shipment (
  seq integer primary key autoincrement,
  id text not null unique,
  reference text not null unique,
  tracking_number text not null unique,
  status text not null check (status in ('label_created', 'collected', 'in_transit', 'out_for_delivery',
                                         'delivered', 'exception', 'lost', 'cancelled')),
  origin text not null,
  -- The label as it was printed; null once the shop has asked to forget it.
  destination text,
  town text not null,
  pieces integer not null check (pieces > 0),
  created_at integer not null,
  estimated_delivery integer not null,
  last_sequence integer not null default 0,
  held_at integer,
  -- What the request was and what it was told, for its repetition; the fingerprint goes with the address.
  idempotency_key text not null unique,
  fingerprint text,
  answer text not null
) strict;

-- What is still to happen; a scan that was made leaves this table in the transaction that writes its event.
create table if not exists scan (
  seq integer primary key autoincrement,
  shipment text not null references shipment (id),
  status text not null,
  due_at integer not null,
  held integer not null default 0,
  place text not null,
  latitude real not null,
  longitude real not null,
  description text not null
) strict;
create index if not exists scan_due on scan (due_at, seq) where held = 0;
create index if not exists scan_of_shipment on scan (shipment, due_at, seq);

create table if not exists event (
  seq integer primary key autoincrement,
  id text not null unique,
  shipment text not null references shipment (id),
  sequence integer not null,
  status text not null,
  at integer not null,
  place text not null,
  latitude real not null,
  longitude real not null,
  description text not null,
  -- What the webhook says, as things stood then.
  body text not null,
  unique (shipment, sequence)
) strict;

create trigger if not exists event_without_gap before insert on event
when new.sequence <> 1 + (select coalesce(max(sequence), 0) from event where shipment = new.shipment)
begin select raise(abort, 'an event would leave a gap'); end;

create trigger if not exists event_before_the_end before insert on event
when exists (select 1 from event where shipment = new.shipment and status in ('delivered', 'lost', 'cancelled'))
begin select raise(abort, 'nothing happens to a parcel after its end'); end;

-- One row per promised delivery of a webhook; due_at is null once there is nothing left to do.
create table if not exists delivery (
  seq integer primary key autoincrement,
  event integer not null references event (seq),
  shipment text not null,
  due_at integer,
  held integer not null default 0,
  swapped integer not null default 0,
  attempts integer not null default 0,
  last_status integer,
  delivered_at integer
) strict;
create index if not exists delivery_due on delivery (due_at, seq) where due_at is not null and held = 0;
create index if not exists delivery_open on delivery (shipment) where due_at is not null;

create table if not exists fault (
  seq integer primary key autoincrement,
  name text not null,
  value integer not null,
  remaining integer,
  reference text,
  postcode text
) strict;
