-- Money, as the shop knows it. The provider's book is the other half; cards stand there, never here.

-- A shopper at the provider.
create table customer (
  tenant_id uuid not null,
  user_id uuid not null,
  provider_id text not null,
  created_at timestamptz(3) not null default now(),
  constraint customer_pkey primary key (tenant_id, user_id),
  constraint customer_of_provider unique (provider_id)
);

create table payment_method (
  id uuid not null,
  tenant_id uuid not null,
  user_id uuid not null,
  provider_id text not null,
  kind text not null,
  brand text not null,
  last4 text not null,
  created_at timestamptz(3) not null default now(),
  removed_at timestamptz(3),
  -- when the provider confirmed that it has forgotten the method, too
  detached_at timestamptz(3),
  next_attempt_at timestamptz(3) not null default now(),
  constraint payment_method_pkey primary key (id),
  constraint payment_method_of_provider unique (provider_id),
  constraint payment_method_owner foreign key (tenant_id, user_id) references customer (tenant_id, user_id)
    on delete restrict on update no action,
  -- Four digits and not one more: no card number can end up here.
  constraint payment_method_last4 check (last4 ~ '^[0-9]{4}$'),
  constraint payment_method_detached check (detached_at is null or removed_at is not null)
);
create index payment_method_of_user on payment_method (tenant_id, user_id, created_at);
create index payment_method_to_detach on payment_method (next_attempt_at)
  where removed_at is not null and detached_at is null;

create table payment (
  id uuid not null,
  tenant_id uuid not null,
  order_id uuid not null,
  customer_id uuid not null,
  payment_method_id uuid,
  -- the idempotency key of the charge: pay_<order>_<attempt>
  provider_key text not null,
  provider_id text,
  state text not null,
  -- what the shop wants of the provider and has not got yet
  wanted text,
  currency text not null,
  amount_minor bigint not null,
  authorized_minor bigint not null default 0,
  captured_minor bigint not null default 0,
  -- on its way back, and back
  refunding_minor bigint not null default 0,
  refunded_minor bigint not null default 0,
  failure_reason text,
  authorization_expires_at timestamptz(3),
  -- of the last command, for the messages that answer it
  traceparent text not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz(3) not null default now(),
  -- a worker has it in hand until then
  leased_until timestamptz(3),
  called_at timestamptz(3),
  checked_at timestamptz(3),
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint payment_pkey primary key (id),
  constraint payment_of_order unique (tenant_id, order_id),
  constraint payment_of_key unique (provider_key),
  constraint payment_of_provider unique (provider_id),
  constraint payment_paid_with foreign key (payment_method_id) references payment_method (id)
    on delete restrict on update no action,
  constraint payment_state check (state in ('AUTHORIZING', 'UNKNOWN', 'AUTHORIZED', 'CAPTURED',
    'PARTIALLY_REFUNDED', 'REFUNDED', 'FAILED', 'VOIDED', 'EXPIRED')),
  constraint payment_wanted check (wanted in ('AUTHORIZE', 'VOID')),
  constraint payment_currency check (currency ~ '^[A-Z]{3}$'),
  constraint payment_amounts check (amount_minor > 0 and refunding_minor >= 0 and refunded_minor >= 0
    and refunding_minor + refunded_minor <= captured_minor and captured_minor <= authorized_minor
    and authorized_minor <= amount_minor),
  constraint payment_captured check ((captured_minor > 0) = (state in ('CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED')))
);
create index payment_due on payment (next_attempt_at) where wanted is not null;
create index payment_in_doubt on payment (called_at) where state = 'UNKNOWN';
create index payment_of_method on payment (payment_method_id);

-- An order that was given up before anybody asked for its money: a late request for it is refused.
create table voided_order (
  tenant_id uuid not null,
  order_id uuid not null,
  created_at timestamptz(3) not null default now(),
  constraint voided_order_pkey primary key (tenant_id, order_id)
);

create table payment_event (
  payment_id uuid not null,
  -- the payment's version that this made
  version integer not null,
  tenant_id uuid not null,
  at timestamptz(3) not null default now(),
  type text not null,
  amount_minor bigint,
  provider_reference text,
  constraint payment_event_pkey primary key (payment_id, version),
  constraint payment_event_of foreign key (payment_id) references payment (id) on delete restrict on update no action
);

create table refund (
  id uuid not null,
  tenant_id uuid not null,
  payment_id uuid not null,
  -- the idempotency key of the refund: ref_<id>, or the provider's name of it where it was not our doing
  provider_key text not null,
  provider_id text,
  state text not null,
  amount_minor bigint not null,
  currency text not null,
  reason text,
  attempts integer not null default 0,
  next_attempt_at timestamptz(3) not null default now(),
  leased_until timestamptz(3),
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint refund_pkey primary key (id),
  constraint refund_of_key unique (provider_key),
  constraint refund_of_provider unique (provider_id),
  constraint refund_of_payment foreign key (payment_id) references payment (id) on delete restrict on update no action,
  constraint refund_state check (state in ('REQUESTED', 'PENDING', 'SUCCEEDED', 'FAILED')),
  constraint refund_amount check (amount_minor > 0)
);
create index refund_by_payment on refund (payment_id, created_at);
create index refund_open on refund (next_attempt_at) where state in ('REQUESTED', 'PENDING');

-- The book: one transaction for each movement of money, entries in pairs, nothing ever changed.
create table ledger_txn (
  id uuid not null,
  tenant_id uuid not null,
  payment_id uuid not null,
  refund_id uuid,
  kind text not null,
  at timestamptz(3) not null default now(),
  constraint ledger_txn_pkey primary key (id),
  constraint ledger_txn_of_payment foreign key (payment_id) references payment (id) on delete restrict on update no action,
  constraint ledger_txn_of_refund foreign key (refund_id) references refund (id) on delete restrict on update no action,
  constraint ledger_txn_once_by_refund unique (refund_id),
  constraint ledger_txn_kind check (kind in ('CAPTURE', 'REFUND') and (kind = 'REFUND') = (refund_id is not null))
);
create unique index ledger_txn_once_by_capture on ledger_txn (payment_id) where kind = 'CAPTURE';

create table ledger_entry (
  txn_id uuid not null,
  line smallint not null,
  tenant_id uuid not null,
  account text not null,
  currency text not null,
  -- debits are positive, credits negative
  amount_minor bigint not null,
  constraint ledger_entry_pkey primary key (txn_id, line),
  constraint ledger_entry_of foreign key (txn_id) references ledger_txn (id) on delete restrict on update no action,
  constraint ledger_entry_account check (account in ('customer_receivable', 'provider_clearing', 'revenue', 'refunds')),
  constraint ledger_entry_amount check (amount_minor <> 0)
);

create function ledger_is_balanced() returns trigger language plpgsql as $$
begin
  if exists (select 1 from ledger_entry where txn_id = new.txn_id group by currency having sum(amount_minor) <> 0) then
    raise exception 'ledger transaction % does not add up to nothing', new.txn_id using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger ledger_entry_balanced after insert on ledger_entry
  deferrable initially deferred for each row execute function ledger_is_balanced();

create function is_append_only() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger ledger_entry_append_only before update or delete or truncate on ledger_entry
  for each statement execute function is_append_only();
create trigger ledger_txn_append_only before update or delete or truncate on ledger_txn
  for each statement execute function is_append_only();
create trigger payment_event_append_only before update or delete or truncate on payment_event
  for each statement execute function is_append_only();

-- What the provider told us, as it came; worked off later.
create table webhook_event (
  provider text not null,
  event_id text not null,
  tenant_id uuid not null,
  type text not null,
  body text not null,
  received_at timestamptz(3) not null default now(),
  processed_at timestamptz(3),
  outcome text,
  attempts integer not null default 0,
  next_attempt_at timestamptz(3) not null default now(),
  leased_until timestamptz(3),
  constraint webhook_event_pkey primary key (provider, event_id),
  constraint webhook_event_outcome check ((processed_at is null) = (outcome is null)
    and outcome in ('APPLIED', 'OLD_NEWS', 'IGNORED'))
);
create index webhook_event_due on webhook_event (next_attempt_at) where processed_at is null;
create index webhook_event_by_age on webhook_event (received_at);
