-- What the shop sells. Amounts are minor units with tax contained; ids are version 7 and made outside.

-- Comes with PostgreSQL and is trusted: whoever owns the database may create it.
create extension if not exists pg_trgm;

-- How text is split into words, for goods and for queries alike: punctuation separates, apostrophes vanish, so that
-- T-LIGHT, T LIGHT, children's and CHILDRENS are found whichever way they are typed.
create function searchable(words text) returns text
  language sql immutable strict parallel safe
  return translate(words, '/\-_.,:;!?()[]{}<>|&+*#"@%=~^`$£€''’‘', repeat(' ', 33));

create table category (
  tenant_id uuid not null,
  id uuid not null,
  parent_id uuid,
  slug text not null,
  name text not null,
  constraint category_pkey primary key (tenant_id, id),
  constraint category_slug_key unique (tenant_id, slug),
  -- for product.category_name, which is a copy that the database itself keeps
  constraint category_name_key unique (tenant_id, id, name),
  constraint category_parent_fkey foreign key (tenant_id, parent_id) references category (tenant_id, id)
    on delete restrict on update cascade,
  constraint category_slug_check check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  constraint category_name_check check (name <> ''),
  constraint category_parent_check check (parent_id <> id)
);
create index category_by_parent on category (tenant_id, parent_id);

create table product (
  tenant_id uuid not null,
  id uuid not null,
  slug text not null,
  name text not null,
  description text not null,
  category_id uuid not null,
  category_name text not null,
  words tsvector not null generated always as (
    setweight(to_tsvector('english', searchable(name)), 'A')
    || setweight(to_tsvector('english', searchable(category_name)), 'B')
    || setweight(to_tsvector('english', searchable(description)), 'C')
  ) stored,
  constraint product_pkey primary key (tenant_id, id),
  constraint product_slug_key unique (tenant_id, slug),
  constraint product_category_fkey foreign key (tenant_id, category_id, category_name)
    references category (tenant_id, id, name) on delete restrict on update cascade,
  constraint product_slug_check check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  constraint product_name_check check (name <> '')
);
create index product_by_name on product (tenant_id, name, id);
create index product_by_category on product (tenant_id, category_id, name, id);
-- Without a pending list: while PostgreSQL moves one into the index, a search for what a text does not say finds rows
-- whose words are half moved.
create index product_by_words on product using gin (words) with (fastupdate = off);

create table variant (
  tenant_id uuid not null,
  id uuid not null,
  product_id uuid not null,
  sku text not null,
  name text not null,
  price_minor bigint not null,
  currency text not null,
  weight_grams int,
  image_url text,
  -- [{ "name": "Colour", "value": "red" }, …]
  attributes jsonb not null default '[]',
  -- false: not sold any more; orders of the past still show it
  active boolean not null default true,
  version int not null default 1,
  constraint variant_pkey primary key (tenant_id, id),
  constraint variant_sku_key unique (tenant_id, sku),
  constraint variant_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id)
    on delete restrict on update cascade,
  constraint variant_sku_check check (sku <> ''),
  constraint variant_name_check check (name <> ''),
  constraint variant_price_check check (price_minor between 0 and 9007199254740991),
  constraint variant_currency_check check (currency ~ '^[A-Z]{3}$'),
  constraint variant_weight_check check (weight_grams > 0),
  constraint variant_attributes_check check (jsonb_typeof(attributes) = 'array'),
  constraint variant_version_check check (version >= 1)
);
create index variant_by_product on variant (tenant_id, product_id, id);

create table review (
  tenant_id uuid not null,
  id uuid not null,
  product_id uuid not null,
  -- of the users subgraph
  user_id uuid,
  rating int not null,
  body text not null,
  created_at timestamptz(3) not null,
  constraint review_pkey primary key (tenant_id, id),
  constraint review_once_key unique (tenant_id, product_id, user_id),
  constraint review_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id)
    on delete restrict on update cascade,
  constraint review_rating_check check (rating between 1 and 5)
);
create index review_by_product on review (tenant_id, product_id, created_at desc, id desc);

-- Every word that some product has: what a word half typed is completed from and a mistyped one is corrected to.
-- Words are only added. One that no product has any more corrects to nothing found, which is what it was.
create table search_word (
  tenant_id uuid not null,
  -- compared by bytes, so that the key serves prefixes, too
  word text collate "C" not null,
  -- what `product.words` holds of it
  stem text not null,
  constraint search_word_pkey primary key (tenant_id, word)
);
create index search_word_by_stem on search_word (tenant_id, stem);
create index search_word_by_likeness on search_word using gist (word gist_trgm_ops);

create function learn_words() returns trigger language plpgsql as $$
begin
  insert into search_word (tenant_id, word, stem)
  select tenant_id, word, stem from (
    select distinct tenant_id, unnest(tsvector_to_array(to_tsvector('simple',
      searchable(name || ' ' || category_name || ' ' || description)))) as word
    from written
  ) spoken, lateral unnest(tsvector_to_array(to_tsvector('english', word))) as stem
  on conflict do nothing;
  return null;
end $$;

create trigger product_teaches_words after insert on product
  referencing new table as written for each statement execute function learn_words();
create trigger product_teaches_new_words after update on product
  referencing new table as written for each statement execute function learn_words();
