-- Programs of partners: their keys, what they may ask, what they asked. A key itself is nowhere.
create table api_client (
  id uuid primary key,
  tenant_id uuid not null,
  name text not null,
  -- what the key begins with, by which it is found
  key_prefix text not null unique,
  -- SHA-256 of the whole key
  key_hash bytea not null,
  scopes text[] not null,
  per_minute int not null,
  per_day int not null,
  cost_per_minute int,
  -- rises with every change, so that who holds a copy can ask for what is newer
  version int not null default 1,
  created_at timestamptz(3) not null default now(),
  created_by uuid not null,
  revoked_at timestamptz(3),
  constraint api_client_name_is_short check (char_length(name) between 1 and 100),
  constraint api_client_key_is_hashed check (octet_length(key_hash) = 32),
  constraint api_client_has_limits check (per_minute > 0 and per_day > 0 and cost_per_minute > 0),
  constraint api_client_version_rises check (version >= 1)
);
create index api_client_newest on api_client (tenant_id, created_at desc, id desc);

create table api_client_operation (
  client_id uuid not null references api_client (id),
  id text not null,
  tenant_id uuid not null,
  name text,
  body text not null,
  primary key (client_id, id),
  constraint api_client_operation_is_named check (char_length(id) between 1 and 200 and char_length(name) <= 200)
);

-- By day in UTC, as gateways tell it.
create table api_client_usage (
  client_id uuid not null references api_client (id),
  day date not null,
  tenant_id uuid not null,
  requests bigint not null,
  refused bigint not null,
  cost bigint not null,
  primary key (client_id, day),
  constraint api_client_usage_is_counted check (requests >= 0 and refused between 0 and requests and cost >= 0)
);

create table api_client_audit (
  id uuid primary key,
  tenant_id uuid not null,
  client_id uuid not null references api_client (id),
  actor uuid not null,
  action text not null check (action in ('CREATED', 'OPERATIONS_SET', 'REVOKED')),
  -- of the client, after it
  version int not null,
  at timestamptz(3) not null default clock_timestamp()
);
create index api_client_audit_of on api_client_audit (client_id, id);

create function api_client_audit_stays() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end $$;
create trigger api_client_audit_stays before update or delete on api_client_audit
  for each row execute function api_client_audit_stays();
create trigger api_client_audit_stays_whole before truncate on api_client_audit
  execute function api_client_audit_stays();
