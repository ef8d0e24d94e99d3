-- Money is taken once the goods have left, and goes back in parts. Sales that another system took the money of stand in
-- the same book, and nothing is ever asked of the provider for them.

alter table payment
  -- who took the money; a sale of another system may have no customer of ours
  add column provider text not null default 'stripe',
  -- the idempotency key of the capture that is wanted; a capture after a clear refusal has another
  add column capture_key text,
  alter column customer_id drop not null,
  drop constraint payment_wanted,
  add constraint payment_wanted check (wanted in ('AUTHORIZE', 'CAPTURE', 'VOID')),
  add constraint payment_provider check (provider in ('stripe', 'import')),
  add constraint payment_imported check (provider <> 'import'
    or (provider_id is null and wanted is null and payment_method_id is null)),
  add constraint payment_customer check (customer_id is not null or provider = 'import'),
  add constraint payment_of_capture unique (capture_key),
  add constraint payment_capturing check (wanted is distinct from 'CAPTURE'
    or (state = 'AUTHORIZED' and provider_id is not null and capture_key is not null));

-- What a payment is for, line by line: what can be refunded by line.
create table paid_line (
  payment_id uuid not null,
  order_line_id uuid not null,
  tenant_id uuid not null,
  variant_id uuid not null,
  quantity integer not null,
  unit_price_minor bigint not null,
  -- pieces whose money is on its way back, and back
  refunding_quantity integer not null default 0,
  refunded_quantity integer not null default 0,
  constraint paid_line_pkey primary key (payment_id, order_line_id),
  constraint paid_line_of foreign key (payment_id) references payment (id) on delete restrict on update no action,
  constraint paid_line_amounts check (quantity > 0 and unit_price_minor >= 0),
  constraint paid_line_refunds check (refunding_quantity >= 0 and refunded_quantity >= 0
    and refunding_quantity + refunded_quantity <= quantity)
);
create index paid_line_of_order_line on paid_line (order_line_id);

create table refund_line (
  refund_id uuid not null,
  order_line_id uuid not null,
  payment_id uuid not null,
  tenant_id uuid not null,
  quantity integer not null,
  amount_minor bigint not null,
  -- whether the pieces can be sold again
  restock boolean not null,
  constraint refund_line_pkey primary key (refund_id, order_line_id),
  constraint refund_line_of foreign key (refund_id) references refund (id) on delete restrict on update no action,
  constraint refund_line_of_paid foreign key (payment_id, order_line_id)
    references paid_line (payment_id, order_line_id) on delete restrict on update no action,
  constraint refund_line_amounts check (quantity > 0 and amount_minor >= 0)
);
create index refund_line_by_paid on refund_line (payment_id, order_line_id);
