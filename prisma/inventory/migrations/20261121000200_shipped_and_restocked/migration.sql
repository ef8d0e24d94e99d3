-- Goods that have left with the carrier, and the ones of them that came back and can be sold again.

alter table reservation_part
  -- of the quantity, what came back after it had been shipped
  add column restocked integer not null default 0,
  add constraint reservation_part_restocked check (restocked between 0 and quantity);

-- Each refund puts goods back once. One that comes before the goods are known to have left waits for that.
create table restock (
  refund_id uuid primary key,
  tenant_id uuid not null,
  order_id uuid not null,
  done boolean not null default false,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);
create index restock_waiting on restock (tenant_id, order_id) where not done;

create table restock_line (
  refund_id uuid not null references restock (refund_id),
  variant_id uuid not null,
  tenant_id uuid not null,
  wanted integer not null check (wanted > 0),
  restocked integer not null default 0 check (restocked between 0 and wanted),
  primary key (refund_id, variant_id)
);
