-- Accounts, address books, sign-ins. Everything personal in the shop stands here, on the order and on the shipment.
create table users (
  id uuid primary key,
  tenant_id uuid not null,
  email text,
  display_name text,
  -- argon2id in PHC form; null for people who have never set a password
  password_hash text,
  roles text[] not null,
  version int not null default 1,
  created_at timestamptz(3) not null default now(),
  erased_at timestamptz(3),
  unique (tenant_id, email),
  constraint users_email_is_short check (char_length(email) between 3 and 254),
  constraint users_display_name_is_short check (char_length(display_name) between 1 and 100),
  constraint users_roles_are_known check (
    roles <@ array['CUSTOMER', 'SELLER', 'ADMIN', 'ANALYST', 'FRAUD_REVIEWER', 'PARTNER']
    and cardinality(roles) >= 1
  ),
  constraint users_version_rises check (version >= 1),
  -- A row is a whole person or, once erased, nothing but its id.
  constraint users_erased_or_whole check (
    case when erased_at is null then email is not null and display_name is not null
    else email is null and display_name is null and password_hash is null end
  )
);
create index users_newest on users (tenant_id, created_at desc, id desc) where erased_at is null;
create index users_words on users
  using gin (to_tsvector('simple', display_name || ' ' || translate(email, '@.+-_', '     ')));

create table address (
  id uuid primary key,
  tenant_id uuid not null,
  user_id uuid not null references users (id),
  recipient text not null,
  line1 text not null,
  line2 text,
  city text not null,
  postcode text not null,
  country text not null,
  saved_at timestamptz(3) not null default now(),
  constraint address_is_short check (
    char_length(recipient) between 1 and 100 and char_length(line1) between 1 and 100
    and char_length(line2) between 1 and 100 and char_length(city) between 1 and 100
    and char_length(postcode) between 1 and 16
  ),
  constraint address_country_is_a_code check (country ~ '^[A-Z]{2}$')
);
create index address_book on address (user_id, id);

-- One sign-in on one device: the family of the refresh tokens that follow one another.
create table session (
  id uuid primary key,
  tenant_id uuid not null,
  user_id uuid not null references users (id),
  started_at timestamptz(3) not null default now(),
  -- of the newest token; moves with each one
  expires_at timestamptz(3) not null,
  ended_at timestamptz(3),
  ended_because text,
  constraint session_end_has_a_reason check (
    (ended_at is null) = (ended_because is null) and ended_because in ('LOGOUT', 'EVERYWHERE', 'REUSE')
  )
);
create index session_of_user on session (user_id);
create index session_by_age on session (expires_at);

create table refresh_token (
  -- SHA-256 of the token, which itself is nowhere
  hash bytea primary key,
  tenant_id uuid not null,
  session_id uuid not null references session (id) on delete cascade,
  issued_at timestamptz(3) not null default now(),
  used_at timestamptz(3),
  constraint refresh_token_hash_is_sha256 check (octet_length(hash) = 32)
);
create index refresh_token_of_session on refresh_token (session_id);
-- A family has one token that can still be used.
create unique index refresh_token_current on refresh_token (session_id) where used_at is null;
create index refresh_token_by_age on refresh_token (used_at);

-- Sign-ins and registrations of the last minutes, for the throttle. Who and where are keyed hashes.
create table attempt (
  id uuid primary key,
  tenant_id uuid not null,
  kind text not null,
  address bytea not null,
  account bytea,
  at timestamptz(3) not null default clock_timestamp(),
  -- null while the password is being checked
  failed_at timestamptz(3),
  constraint attempt_kind_is_known check (kind in ('LOGIN', 'REGISTRATION')),
  constraint attempt_login_has_an_account check (kind <> 'LOGIN' or account is not null)
);
create index attempt_from on attempt (tenant_id, kind, address, at desc);
create index attempt_by_age on attempt (at);
