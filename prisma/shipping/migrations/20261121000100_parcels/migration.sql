-- Parcels, as the shop knows them. The carrier's book is the other half and the one that is right about scans.

create table shipment (
  id uuid not null,
  tenant_id uuid not null,
  order_id uuid not null,
  -- of the order, from 1; the next is made when one was called back for a review
  parcel integer not null default 1,
  -- null for guests, and once the customer was erased
  customer_id uuid,
  state text not null,
  -- what the shop wants of the carrier and has not got yet
  wanted text,
  -- the attempt at a label; each has an idempotency key of its own
  attempt integer not null default 1,
  pieces integer not null,
  warehouse_id uuid not null,
  origin_name text not null,
  origin_latitude double precision not null,
  origin_longitude double precision not null,
  -- as it was read from the order for this attempt
  recipient text,
  line1 text,
  line2 text,
  city text,
  postcode text,
  country text,
  carrier text,
  carrier_id text,
  tracking_number text,
  failure_reason text,
  estimated_delivery timestamptz(3),
  last_sequence integer not null default 0,
  label_at timestamptz(3),
  handed_over_at timestamptz(3),
  delivered_at timestamptz(3),
  -- the first estimate that the carrier gave: what was promised
  promised_at timestamptz(3),
  -- of the last command, for the messages that answer it
  traceparent text not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz(3) not null default now(),
  -- a worker has it in hand until then
  leased_until timestamptz(3),
  -- when the carrier was last asked for the label; null: never, so it cannot know of this parcel
  called_at timestamptz(3),
  -- how often it was looked for since the last news
  looks integer not null default 0,
  next_look_at timestamptz(3) not null default now(),
  erased_at timestamptz(3),
  -- when the carrier is to be told to forget the address
  forget_at timestamptz(3),
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint shipment_pkey primary key (id),
  constraint shipment_of_order unique (tenant_id, order_id, parcel),
  constraint shipment_of_carrier unique (carrier_id),
  constraint shipment_state check (state in ('PENDING', 'FAILED', 'LABELLED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY',
    'EXCEPTION', 'DELIVERED', 'LOST', 'CANCELLED')),
  constraint shipment_wanted check (wanted in ('LABEL', 'CANCEL') and (wanted <> 'LABEL' or state = 'PENDING')),
  constraint shipment_pieces check (pieces > 0 and attempt > 0 and parcel > 0),
  constraint shipment_origin check (origin_latitude between -90 and 90 and origin_longitude between -180 and 180),
  constraint shipment_address check (num_nonnulls(recipient, line1, city, postcode, country) in (0, 5)
    and (line2 is null or line1 is not null)),
  constraint shipment_erased check (erased_at is null or (customer_id is null and recipient is null)),
  constraint shipment_label check (num_nonnulls(carrier, carrier_id, tracking_number, label_at) in (0, 4)),
  constraint shipment_labelled check (carrier_id is not null or state in ('PENDING', 'FAILED', 'CANCELLED')),
  -- Nothing moves, arrives or is lost that the carrier has not been given, and what it has cannot be cancelled.
  constraint shipment_handed_over check ((handed_over_at is not null) =
    (state in ('IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION', 'DELIVERED', 'LOST'))),
  constraint shipment_delivered check ((delivered_at is not null) = (state = 'DELIVERED')),
  constraint shipment_sequence check (last_sequence >= 0)
);
create index shipment_due on shipment (next_attempt_at) where wanted is not null;
create index shipment_under_way on shipment (next_look_at)
  where state in ('LABELLED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION');
create index shipment_of_customer on shipment (tenant_id, customer_id);
create index shipment_to_forget on shipment (forget_at) where forget_at is not null;

create table tracking_event (
  shipment_id uuid not null,
  sequence integer not null,
  tenant_id uuid not null,
  status text not null,
  at timestamptz(3) not null,
  place text,
  latitude double precision,
  longitude double precision,
  constraint tracking_event_pkey primary key (shipment_id, sequence),
  constraint tracking_event_of foreign key (shipment_id) references shipment (id) on delete restrict on update no action,
  constraint tracking_event_sequence check (sequence > 0),
  constraint tracking_event_status check (status in ('LABELLED', 'COLLECTED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY',
    'DELIVERED', 'EXCEPTION', 'LOST', 'CANCELLED')),
  constraint tracking_event_point check (num_nonnulls(latitude, longitude) in (0, 2)
    and latitude between -90 and 90 and longitude between -180 and 180)
);

-- A parcel that was given up before anybody asked for it: a late request for it is refused.
create table cancelled_parcel (
  tenant_id uuid not null,
  order_id uuid not null,
  parcel integer not null,
  created_at timestamptz(3) not null default now(),
  constraint cancelled_parcel_pkey primary key (tenant_id, order_id, parcel)
);

-- A command about somebody who was erased may come late; nothing is kept about them again.
create table erased_customer (
  tenant_id uuid not null,
  customer_id uuid not null,
  erased_at timestamptz(3) not null default now(),
  constraint erased_customer_pkey primary key (tenant_id, customer_id)
);

create table webhook_event (
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
  constraint webhook_event_pkey primary key (event_id),
  constraint webhook_event_outcome check (outcome in ('APPLIED', 'OLD_NEWS', 'IGNORED')
    and (outcome is null) = (processed_at is null))
);
create index webhook_event_due on webhook_event (next_attempt_at) where processed_at is null;
create index webhook_event_by_age on webhook_event (received_at);
