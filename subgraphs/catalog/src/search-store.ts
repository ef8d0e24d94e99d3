// The search box against PostgreSQL's full text: which words the shop knows, and what speaks of them.
import type { Db } from '@orderstream/runtime/database';
import { grouped } from '@orderstream/runtime/loaders';
import type { Page } from '@orderstream/runtime/paging';
import type { Filter } from './product-list.ts';
import { type ProductRow, toProduct } from './product-store.ts';
import type { Hit, Interpretation, Known, Question } from './search.ts';

const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Each word in its order. Prefixes are compared with whole words, for the index holds stems: `decoratio` begins no
 * stem, but `decoration`, whose stem is `decor`.
 */
export const knownWords = (db: Db, tenantId: string, { words, halfTyped }: Question): Promise<Known[]> =>
  db.sql<Known>`
    select asked.word, own.stems <> '{}' as "isMeant",
      exists (select from search_word s where s.tenant_id = ${tenantId} and s.stem = any(own.stems))
        or asked.word is not distinct from ${halfTyped}
          and exists (select from search_word s where s.tenant_id = ${tenantId} and s.word like asked.word || '%')
        as "isKnown",
      case when asked.word is not distinct from ${halfTyped} then array(
        select distinct s.stem from search_word s
        where s.tenant_id = ${tenantId} and s.word like asked.word || '%' and s.stem not like asked.word || '%'
        limit 50) else '{}' end as completions
    from unnest(${words}::text[]) with ordinality as asked(word, place)
    cross join lateral (select tsvector_to_array(to_tsvector('english', asked.word)) as stems) own
    order by asked.place`;

/** Words of the shop that look most like each of these, the likest first; rides on search_word_by_likeness. */
export const similarWords = async (
  db: Db,
  tenantId: string,
  words: readonly string[],
): Promise<string[][]> => {
  const rows = await db.sql<{ asked: string; word: string }>`
    select asked.word as asked, near.word from unnest(${words}::text[]) as asked(word)
    cross join lateral (
      select s.word, s.word <-> asked.word as distance from search_word s
      where s.tenant_id = ${tenantId} order by s.word <-> asked.word limit 40
    ) near order by asked.word, near.distance, near.word`;
  return grouped(words, rows, (row) => row.asked).map((own) => own.map((row) => row.word));
};

/**
 * The best first; rides on product_by_words. The rank is a whole number, so that the cursor holds it exactly: matches
 * in the name weigh most, then in the category, then in the description; near each other more than far apart; and a
 * word as typed more than one it could become.
 */
export const productsByRank = async (
  db: Db,
  tenantId: string,
  { text, head, ending }: Interpretation,
  { categoryId, price }: Filter,
  { first, after }: Page,
): Promise<Hit[]> => {
  const rows = await db.sql<ProductRow & { rank: number }>`
    with asked as (
      select websearch_to_tsquery('english', ${text}) as typed,
        case when ${ending}::text is null then websearch_to_tsquery('english', ${text})
        else websearch_to_tsquery('english', ${text})
          || (websearch_to_tsquery('english', ${head}) && to_tsquery('simple', ${ending})) end as meant
    ), found as (
      select p.id, p.slug, p.name, p.description, p.category_id,
        least(2e9, 10000 * (2 * ts_rank_cd(p.words, asked.typed, 1) + ts_rank_cd(p.words, asked.meant, 1)))::int as rank
      from product p, asked
      where p.tenant_id = ${tenantId} and p.words @@ asked.meant
        and (${categoryId}::uuid is null or p.category_id in (
          select c.id from category c where c.tenant_id = ${tenantId} and ${categoryId}::uuid in (c.id, c.parent_id)))
        and exists (
          select from variant v where v.tenant_id = p.tenant_id and v.product_id = p.id and v.active
            and (${price?.currency}::text is null
              or v.currency = ${price?.currency} and v.price_minor between coalesce(${price?.min}::bigint, 0)
                and coalesce(${price?.max}::bigint, 9007199254740991)))
    )
    select * from found
    where (rank, id) < (${after ? Number(after.at) : 2 ** 31 - 1}, ${after?.id ?? lastId}::uuid)
    order by rank desc, id desc limit ${first + 1}`;
  return rows.map((row) => ({ ...toProduct(tenantId, row), rank: row.rank }));
};
