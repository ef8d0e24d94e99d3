// A request for entities, read: which of them may be known, and by what names they stand in Redis.
import type { GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import { elementsAt, type Member } from '../bodies/slices.ts';
import { endOfQuery, queryIn, variablesIn } from '../bodies/subgraph-request.ts';
import { toText } from '../transport/binary.ts';
import type { CacheCounts, TypeCounts } from './cache-counts.ts';
import type { CacheHints } from './cache-hints.ts';
import { EntityKeys } from './entity-keys.ts';
import { digest, type EntityQuery, readEntityQuery } from './entity-query.ts';
import type { EntityStore } from './entity-store.ts';

/** An element of a list of representations as one response key asks for it. */
export type Place = {
  readonly alias: string;
  readonly variable: string;
  readonly at: number;
  readonly dataName: string;
  readonly stampName: string;
  readonly forMs: number;
  readonly counts: TypeCounts;
  /** what was found */
  stamp: string;
  text: string | null;
};

export type Question = {
  readonly body: string;
  readonly query: EntityQuery;
  /** where the query ends in the body */
  readonly end: number;
  readonly members: readonly Member[];
  /** the representations of each variable */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  readonly places: readonly Place[];
};

type Options = {
  readonly subgraph: string;
  readonly fullSchema: GraphQLSchema;
  readonly hints: CacheHints;
  readonly store: EntityStore;
  readonly counts: CacheCounts;
  readonly longestMs?: number;
};

/** What a representation is known by. */
type Names = {
  readonly type: string;
  readonly name: string;
  readonly stampName: string;
  readonly counts: TypeCounts;
};

type Asked = EntityQuery['lists'][number]['asked'];

/** operations of one subgraph that are understood */
const mostQueries = 2_000;
/** representations of one subgraph whose names are remembered */
const mostNames = 20_000;
/** characters; longer representations are known by their digest, and not remembered */
const longestName = 200;

/** A part of a text keeps all of it in memory; what is remembered is copied. */
const copyOf = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');

export class Questions {
  readonly #options: Options;
  readonly #keys: EntityKeys;
  readonly #queries = new LRUCache<string, { readonly query: EntityQuery | null }>({ max: mostQueries });
  readonly #names = new LRUCache<string, Names>({ max: mostNames });
  readonly #prefix: string;

  constructor(options: Options) {
    const { fullSchema, subgraph, store } = options;
    this.#options = options;
    this.#keys = new EntityKeys(fullSchema, subgraph);
    this.#prefix = `${store.prefix}e:${encodeURIComponent(subgraph)}:`;
  }

  /** Whether the request asks for entities that may be kept, in the way that our executor asks. */
  queryOf(body: string): EntityQuery | null {
    const end = endOfQuery(body);
    if (end < 0) return null;
    const text = body.slice(0, end);
    let known = this.#queries.get(text);
    if (!known) {
      const { fullSchema, hints } = this.#options;
      known = { query: readEntityQuery(queryIn(body, end), fullSchema, hints, this.#keys) };
      this.#queries.set(copyOf(text), known);
    }
    return known.query;
  }

  /**
   * @param query what `queryOf` told
   * @param variant what keeps even public things apart
   * @param scope for whom private things are kept; null for nobody
   * @returns null where nothing of it may be known
   */
  read(body: string, query: EntityQuery, variant: string, scope: string | null): Question | null {
    const end = endOfQuery(body);
    const members = variablesIn(body, end);
    if (!members) return null;
    const lists = new Map<string, readonly string[]>();
    let others = variant && `${JSON.stringify(variant)},`;
    for (const { name, from, to } of members) {
      const elements = query.variables.has(name) ? elementsAt(body, from) : null;
      if (elements) lists.set(name, elements);
      else others += `${name}:${body.slice(from, to)},`;
    }
    if (lists.size !== query.variables.size) return null;
    const places: Place[] = [];
    for (const { alias, variable, asked } of query.lists)
      for (const [at, text] of lists.get(variable)!.entries()) {
        const place = this.#placeOf(alias, variable, at, text, asked, others, scope);
        if (place) places.push(place);
      }
    return places.length ? { body, query, end, members, lists, places } : null;
  }

  #placeOf(
    alias: string,
    variable: string,
    at: number,
    text: string,
    asked: Asked,
    others: string,
    scope: string | null,
  ): Place | null {
    const names = this.#namesOf(text);
    const what = names && asked(names.type);
    if (!what || (what.isPrivate && scope === null)) return null;
    const circumstances =
      others || what.isPrivate ? digest(JSON.stringify([others, what.isPrivate ? scope : null])) : '-';
    return {
      alias,
      variable,
      at,
      dataName: `${this.#prefix}${what.selection}:${circumstances}:${names.name}`,
      stampName: names.stampName,
      forMs: Math.min(what.forMs, this.#options.longestMs ?? Number.POSITIVE_INFINITY),
      counts: names.counts,
      stamp: '',
      text: null,
    };
  }

  #namesOf(text: string): Names | null {
    const known = this.#names.get(text);
    if (known) return known;
    const { subgraph, store, counts } = this.#options;
    const representation = JSON.parse(toText(text)) as Record<string, unknown>;
    const type = representation.__typename;
    const key = typeof type === 'string' ? this.#keys.keyIn(type, representation) : null;
    if (typeof type !== 'string' || !key) return null;
    const isLong = text.length > longestName;
    const name = isLong ? `#${digest(text)}` : copyOf(text);
    const stampName = store.stampName(subgraph, type, key);
    const names = { type, name, stampName, counts: counts.of(subgraph, type) };
    if (!isLong) this.#names.set(name, names);
    return names;
  }
}
