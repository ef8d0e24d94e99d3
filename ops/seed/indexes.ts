/**
 * An index that is made of a million rows at once costs less than half of one that takes them in one by one. So a large
 * load puts the indexes of its tables aside and makes them again, by their own definitions, before it commits. Nobody else
 * can read or write the tables until then.
 */
import type pg from 'pg';

type Statements = { readonly drop: string; readonly make: string };

/** All but those that foreign keys need. Constraints come before plain indexes, as the names of both are kept. */
const definitions = `
  select coalesce('alter table ' || i.indrelid::regclass || ' drop constraint ' || quote_ident(con.conname),
      'drop index ' || i.indexrelid::regclass) as drop,
    coalesce('alter table ' || i.indrelid::regclass || ' add constraint ' || quote_ident(con.conname) || ' '
      || pg_get_constraintdef(con.oid), pg_get_indexdef(i.indexrelid)) as make
  from pg_index i
    left join pg_constraint con on con.conindid = i.indexrelid and con.conrelid = i.indrelid
      and con.contype in ('p', 'u')
  where i.indrelid = any ($1::text[]::regclass[])
    and not exists (select from pg_constraint f where f.contype = 'f' and f.conindid = i.indexrelid)
  order by i.indrelid, con.conname is null, i.indexrelid`;

/** Within a transaction. Answers what makes the indexes again; a row that they refuse fails it. */
export const putIndexesAside = async (
  client: pg.ClientBase,
  tables: readonly string[],
): Promise<() => Promise<void>> => {
  // In a fixed order, and before anything is read: whoever works on one of them is waited for, and ends first.
  await client.query(`lock table ${tables.join(', ')} in access exclusive mode`);
  const { rows } = await client.query<Statements>(definitions, [tables]);
  for (const { drop } of rows) await client.query(drop);
  return async () => {
    await client.query("set local maintenance_work_mem = '512MB'");
    for (const { make } of rows) await client.query(make);
  };
};
