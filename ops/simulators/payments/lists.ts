import type { Call, Reply } from './call.ts';
import { badParameter, resourceMissing } from './errors.ts';
import { allowOnly, integer, text } from './parameters.ts';

type Listing<Row> = {
  readonly table: 'customer' | 'payment_method' | 'payment_intent' | 'refund' | 'event';
  readonly url: string;
  /** Filter parameters beyond those that every list knows. */
  readonly allowed: readonly string[];
  /** Column to the value it must have. The columns are named by us, never by the caller. */
  readonly filters: Readonly<Record<string, string>>;
  readonly show: (row: Row) => object;
};

const BOUNDS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

const limitOf = (call: Call): number => {
  const limit = integer(call.params, 'limit') ?? 10;
  if (limit < 1 || limit > 100) {
    throw badParameter('limit', 'This value must be between 1 and 100. (limit)', 'parameter_invalid_integer');
  }
  return limit;
};

const createdBounds = (call: Call): [string, number][] => {
  const { created } = call.params;
  if (created === undefined) return [];
  if (typeof created === 'string') return [['created = ?', integer(call.params, 'created') ?? 0]];
  allowOnly(created, Object.keys(BOUNDS));
  return Object.entries(BOUNDS).flatMap(([name, sign]): [string, number][] => {
    const bound = integer(created, name);
    return bound === null ? [] : [[`created ${sign} ?`, bound]];
  });
};

const positionOf = <Row>(call: Call, name: string, { table }: Listing<Row>): number | null => {
  const id = text(call.params, name);
  if (id === null) return null;
  const row = call.book.get<{ seq: number }>(`select seq from ${table} where id = ?`, id);
  if (!row) throw resourceMissing(table, id, name);
  return row.seq;
};

/** A page, newest first, as Stripe's lists are. */
export const listed = <Row>(call: Call, listing: Listing<Row>): Reply => {
  const { table, url, allowed, filters, show } = listing;
  allowOnly(call.params, ['limit', 'starting_after', 'ending_before', 'created', 'expand', ...allowed]);
  const limit = limitOf(call);
  const after = positionOf(call, 'starting_after', listing);
  const before = positionOf(call, 'ending_before', listing);
  const conditions: [string, string | number][] = [
    ...Object.entries(filters).map(([column, value]): [string, string] => [`${column} = ?`, value]),
    ...createdBounds(call),
    ...(after === null ? [] : [['seq < ?', after] as [string, number]]),
    ...(before === null ? [] : [['seq > ?', before] as [string, number]]),
  ];
  const where = conditions.length > 0 ? `where ${conditions.map(([sql]) => sql).join(' and ')}` : '';
  const rows = call.book.all<Row>(
    `select * from ${table} ${where} order by seq ${before === null ? 'desc' : 'asc'} limit ?`,
    ...conditions.map(([, value]) => value),
    limit + 1,
  );
  const page = rows.slice(0, limit);
  if (before !== null) page.reverse();
  return {
    status: 200,
    body: { object: 'list', data: page.map(show), has_more: rows.length > limit, url },
  };
};

const SEARCHABLE = ['status', 'currency', 'customer'];
const TERM = /^\s*(?:metadata\[(?:'([^']*)'|"([^"]*)")\]|([a-z_]+))\s*:\s*(?:'([^']*)'|"([^"]*)")\s*$/;

const termOf = (term: string): { sql: string; values: string[] } => {
  const matched = TERM.exec(term);
  const key = matched?.[1] ?? matched?.[2];
  const field = matched?.[3];
  const value = matched?.[4] ?? matched?.[5];
  if (value !== undefined && key === 'orderId') return { sql: 'order_id = ?', values: [value] };
  if (value !== undefined && key !== undefined) {
    return {
      sql: 'exists (select 1 from json_each(payment_intent.metadata) as m where m.key = ? and m.value = ?)',
      values: [key, value],
    };
  }
  if (value !== undefined && field !== undefined && SEARCHABLE.includes(field)) {
    return { sql: `${field} = ?`, values: [value] };
  }
  throw badParameter('query', `We were unable to parse your search query: ${term.slice(0, 80)}`);
};

/** Equality on metadata, status, currency and customer, joined by AND: the part of Stripe's language a shop needs. */
export const searchedIntents = <Row extends { id: string }>(
  call: Call,
  show: (row: Row) => object,
): Reply => {
  allowOnly(call.params, ['query', 'limit', 'page', 'expand']);
  const query = text(call.params, 'query');
  if (query === null) throw badParameter('query', 'Missing required param: query.', 'parameter_missing');
  const limit = limitOf(call);
  const page = text(call.params, 'page');
  const terms = query.split(/\sAND\s/i).map(termOf);
  const rows = call.book.all<Row>(
    `select * from payment_intent where ${terms.map(({ sql }) => sql).join(' and ')}
       and seq < coalesce((select seq from payment_intent where id = ?), 9007199254740991)
     order by seq desc limit ?`,
    ...terms.flatMap(({ values }) => values),
    page,
    limit + 1,
  );
  const more = rows.length > limit;
  return {
    status: 200,
    body: {
      object: 'search_result',
      data: rows.slice(0, limit).map(show),
      has_more: more,
      next_page: more ? (rows[limit - 1]?.id ?? null) : null,
      url: '/v1/payment_intents/search',
    },
  };
};
