-- Who is erased stays as an id, so that a method added at the same moment, or late, is let go again.
alter table customer
  add column erased_at timestamptz(3),
  -- somebody erased may never have been named to the provider
  alter column provider_id drop not null,
  add constraint customer_named check (provider_id is not null or erased_at is not null);
