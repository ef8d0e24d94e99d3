-- Orders go on after they are confirmed: to the carrier and to the customer.
alter table saga add column needs_operator boolean not null default false;
-- whether a person has to look at it before its goods leave: NONE, WANTED, CLEARED
alter table saga add column review text not null default 'NONE';
-- decided already, and waiting for its moment within the step
alter table saga add column pending text;
-- the warehouse that the parcel starts from, as inventory told it
alter table saga add column origin jsonb;
-- of the parcel: a second one is made when the first was called back for a review
alter table saga add column parcel int not null default 1;
-- of the order's timeline; counted in the row whose lock orders them
alter table saga add column entries int not null default 1;
alter table saga add constraint saga_review check (review in ('NONE', 'WANTED', 'CLEARED'));
alter table saga add constraint saga_pending
  check (pending in ('CANCEL', 'REVIEW', 'RETRY', 'EXTENDED', 'DELIVERED', 'LOST'));

-- What rested when it was confirmed asks for its goods again, and is sent.
update saga set deadline_at = now() where step = 'ALLOCATING' and rests;
alter table saga drop column rests;

-- The timeline has what others did as well. `version` is the order's where this changed it; `seq` counts both.
alter table order_event add column version int;
update order_event set version = seq;
update saga set entries = (select max(seq) from order_event e where e.order_id = saga.order_id);
alter table order_event alter column to_step drop not null;
alter table order_event add constraint order_event_version unique (order_id, version);
alter table order_event add constraint order_event_fact check (version is not null or to_step is null);
