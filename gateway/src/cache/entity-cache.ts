// Answers of subgraphs about entities, kept in Redis as long as the supergraph says. Stands before a transport and
// knows requests for entities by their text; of each only those entities are asked for that are not known, and the
// answer is put together from both as text. Without Redis every request goes straight through.
import type { RequestError } from '@orderstream/runtime/errors';
import type { GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import { elementsAt, type Member } from '../bodies/slices.ts';
import { endOfQuery, queryIn, variablesIn } from '../bodies/subgraph-request.ts';
import { toText } from '../transport/binary.ts';
import type { Receiver, Transport } from '../transport/transport.ts';
import { CacheHints } from './cache-hints.ts';
import { mergeAnswers, type PartialAnswer, readAnswer } from './entity-answer.ts';
import { EntityKeys } from './entity-keys.ts';
import { digest, type EntityQuery, readEntityQuery } from './entity-query.ts';
import type { EntityStore, Kept } from './entity-store.ts';

export type EntityCacheOptions<Asking> = {
  readonly subgraph: string;
  /** the supergraph with everything in it */
  readonly fullSchema: GraphQLSchema;
  readonly store: EntityStore;
  /** What is private is kept by this; null where it is kept for nobody. */
  readonly scopeOf: (asking: Asking) => string | null;
  readonly counts: CacheCounts;
};

/** Counts of one gateway, over all subgraphs and supergraphs. */
export class CacheCounts {
  /** by `subgraph` and `type` */
  readonly entities = new Map<string, { subgraph: string; type: string; hits: number; misses: number }>();
  /** calls that were not made at all, made for fewer entities, and made without looking because Redis was away */
  saved = 0;
  reduced = 0;
  passed = 0;

  count(subgraph: string, type: string, isHit: boolean): void {
    const name = `${subgraph}:${type}`;
    let of = this.entities.get(name);
    if (!of) {
      of = { subgraph, type, hits: 0, misses: 0 };
      this.entities.set(name, of);
    }
    if (isHit) of.hits += 1;
    else of.misses += 1;
  }
}

/** operations of one subgraph that are understood */
const mostQueries = 2_000;
/** characters; longer representations are known by their digest */
const longestName = 200;
/** bytes; larger entities are not kept */
const largestEntity = 64 * 1024;

/** An element of a list of representations as one response key asks for it. */
type Place = {
  readonly alias: string;
  readonly variable: string;
  readonly at: number;
  readonly type: string;
  readonly dataName: string;
  readonly stampName: string;
  readonly forMs: number;
  stamp: string;
  text: string | null;
};

type Representations = {
  readonly member: Member;
  readonly elements: readonly string[];
};

type Question<Asking> = {
  readonly body: string;
  readonly asking: Asking;
  readonly query: EntityQuery;
  readonly queryEnd: number;
  readonly members: readonly Member[];
  readonly lists: ReadonlyMap<string, Representations>;
  readonly places: readonly Place[];
  receiver: Receiver | null;
};

class EntityCache<Asking> {
  readonly #inner: Transport<Asking>;
  readonly #options: EntityCacheOptions<Asking>;
  readonly #hints: CacheHints;
  readonly #keys: EntityKeys;
  readonly #queries = new LRUCache<string, { readonly query: EntityQuery | null }>({ max: mostQueries });

  constructor(inner: Transport<Asking>, options: EntityCacheOptions<Asking>, hints: CacheHints) {
    this.#inner = inner;
    this.#options = options;
    this.#hints = hints;
    this.#keys = new EntityKeys(options.fullSchema, options.subgraph);
  }

  send(body: string, isQuery: boolean, asking: Asking, receiver: Receiver): void {
    const { store, counts } = this.#options;
    const question = isQuery ? this.#read(body, asking, receiver) : null;
    if (!question?.places.length) {
      this.#inner.send(body, isQuery, asking, receiver);
      return;
    }
    if (!store.isReady()) {
      counts.passed += 1;
      this.#inner.send(body, true, asking, receiver);
      return;
    }
    const { places } = question;
    const stamps = [...new Set(places.map(({ stampName }) => stampName))];
    const names = [...stamps, ...places.map(({ dataName }) => dataName)];
    store.read(names, (texts) => {
      if (texts) this.#found(question, new Map(names.map((name, at) => [name, texts[at] ?? null])));
      else this.#passBy(question);
    });
  }

  #passBy({ body, asking, receiver }: Question<Asking>): void {
    this.#options.counts.passed += 1;
    this.#inner.send(body, true, asking, receiver!);
  }

  /** What is asked for and may be known; null for what is not asked in the way that our executor asks for entities. */
  #read(body: string, asking: Asking, receiver: Receiver): Question<Asking> | null {
    const queryEnd = endOfQuery(body);
    const query = queryEnd < 0 ? null : this.#queryOf(body, queryEnd);
    const members = query ? variablesIn(body, queryEnd) : null;
    if (!query || !members) return null;
    const lists = new Map<string, Representations>();
    let others = '';
    for (const member of members) {
      const elements = query.variables.has(member.name) ? elementsAt(body, member.from) : null;
      if (elements) lists.set(member.name, { member, elements });
      else others += `${member.name}:${body.slice(member.from, member.to)},`;
    }
    if (lists.size !== query.variables.size) return null;
    const places: Place[] = [];
    const scope = this.#options.scopeOf(asking);
    for (const { alias, variable, asked } of query.lists)
      for (const [at, text] of lists.get(variable)!.elements.entries()) {
        const place = this.#placeOf(text, asked, others, scope);
        if (place) places.push({ ...place, alias, variable, at });
      }
    return { body, asking, query, queryEnd, members, lists, places, receiver };
  }

  #queryOf(body: string, end: number): EntityQuery | null {
    const text = body.slice(0, end);
    let known = this.#queries.get(text);
    if (!known) {
      const { fullSchema } = this.#options;
      const query = readEntityQuery(queryIn(body, end), fullSchema, this.#hints, this.#keys);
      known = { query };
      this.#queries.set(text, known);
    }
    return known.query;
  }

  #placeOf(
    text: string,
    asked: EntityQuery['lists'][number]['asked'],
    others: string,
    scope: string | null,
  ): Omit<Place, 'alias' | 'variable' | 'at'> | null {
    const representation = JSON.parse(toText(text)) as Record<string, unknown>;
    const type = representation.__typename;
    const what = typeof type === 'string' ? asked(type) : null;
    if (typeof type !== 'string' || !what || (what.isPrivate && scope === null)) return null;
    const key = this.#keys.keyIn(type, representation);
    if (!key) return null;
    const { subgraph, store } = this.#options;
    const circumstances =
      others || what.isPrivate ? digest(JSON.stringify([others, what.isPrivate ? scope : null])) : '-';
    const name = text.length > longestName ? `#${digest(text)}` : text;
    return {
      type,
      dataName: `${store.prefix}e:${encodeURIComponent(subgraph)}:${what.selection}:${circumstances}:${name}`,
      stampName: store.stampName(subgraph, type, key),
      forMs: what.forMs,
      stamp: '',
      text: null,
    };
  }

  #found(question: Question<Asking>, texts: ReadonlyMap<string, string | null>): void {
    const { subgraph, counts } = this.#options;
    for (const place of question.places) {
      place.stamp = texts.get(place.stampName) ?? '';
      const data = texts.get(place.dataName);
      const end = data?.indexOf('\n') ?? -1;
      if (data && end >= 0 && data.slice(0, end) === place.stamp) place.text = data.slice(end + 1);
      counts.count(subgraph, place.type, place.text !== null);
    }
    const missing = this.#missingOf(question);
    const { body, asking } = question;
    const known = question.places.some(({ text }) => text !== null);
    const isAllMissing =
      !known ||
      [...missing].every(([variable, at]) => at.length === question.lists.get(variable)!.elements.length);
    if (isAllMissing) this.#inner.send(body, true, asking, new Answering(this, question, null));
    else if ([...missing.values()].every(({ length }) => length === 0)) {
      counts.saved += 1;
      const { receiver } = question;
      question.receiver = null;
      receiver!.answered(mergeAnswers(null, this.#partsOf(question, missing))!);
    } else {
      counts.reduced += 1;
      this.#inner.send(this.#rest(question, missing), true, asking, new Answering(this, question, missing));
    }
  }

  /** For each variable the elements that have to be asked for, because some response key does not know them. */
  #missingOf({ query, lists, places }: Question<Asking>): Map<string, number[]> {
    const known = new Map<string, number>();
    for (const { variable, at, text } of places)
      if (text !== null) known.set(`${variable}:${at}`, (known.get(`${variable}:${at}`) ?? 0) + 1);
    return new Map(
      [...lists].map(([variable, { elements }]) => {
        const wanted = query.lists.filter((list) => list.variable === variable).length;
        return [variable, [...elements.keys()].filter((at) => known.get(`${variable}:${at}`) !== wanted)];
      }),
    );
  }

  #rest(
    { body, queryEnd, members, lists }: Question<Asking>,
    missing: ReadonlyMap<string, number[]>,
  ): string {
    const variables = members.map(({ name, from, to }) => {
      const list = lists.get(name);
      const value = list
        ? `[${missing
            .get(name)!
            .map((at) => list.elements[at])
            .join(',')}]`
        : body.slice(from, to);
      return `"${name}":${value}`;
    });
    return `${body.slice(0, queryEnd)},"variables":{${variables.join(',')}}}`;
  }

  #partsOf(
    { query, lists, places }: Question<Asking>,
    missing: ReadonlyMap<string, readonly number[]>,
  ): PartialAnswer[] {
    return query.lists.map(({ alias, variable }) => {
      const known: (string | null)[] = new Array(lists.get(variable)!.elements.length).fill(null);
      for (const place of places) if (place.alias === alias) known[place.at] = place.text;
      return { alias, known, asked: missing.get(variable)! };
    });
  }

  /** `missing`: of each list, which elements were asked for; null where all were. */
  answered(question: Question<Asking>, missing: ReadonlyMap<string, number[]> | null, body: string): void {
    const { receiver } = question;
    question.receiver = null;
    if (!missing) receiver!.answered(body);
    else {
      const merged = mergeAnswers(body, this.#partsOf(question, missing));
      // Whatever it is, the executor knows what to make of it, if it answers what the executor has asked.
      if (merged === null) this.#inner.send(question.body, true, question.asking, receiver!);
      else receiver!.answered(merged);
    }
    this.#keep(question, missing, body);
  }

  #keep(question: Question<Asking>, missing: ReadonlyMap<string, number[]> | null, body: string): void {
    const lists = readAnswer(body);
    if (!lists) return;
    const kept: Kept[] = [];
    for (const { alias, variable, at, text: known, dataName: name, stamp, forMs } of question.places) {
      const elements = lists.get(alias);
      const asked = missing?.get(variable);
      const count = asked ? asked.length : question.lists.get(variable)!.elements.length;
      const place = asked ? asked.indexOf(at) : at;
      if (known !== null || place < 0 || elements?.length !== count) continue;
      const text = elements[place]!;
      // What is not there may come to be, and nobody would tell.
      if (text.startsWith('{') && text.length <= largestEntity) kept.push({ name, stamp, text, forMs });
    }
    this.#options.store.write(kept);
  }
}

class Answering<Asking> implements Receiver {
  readonly #cache: EntityCache<Asking>;
  readonly #question: Question<Asking>;
  readonly #missing: ReadonlyMap<string, number[]> | null;

  constructor(
    cache: EntityCache<Asking>,
    question: Question<Asking>,
    missing: ReadonlyMap<string, number[]> | null,
  ) {
    this.#cache = cache;
    this.#question = question;
    this.#missing = missing;
  }

  answered(body: string): void {
    this.#cache.answered(this.#question, this.#missing, body);
  }

  failed(failure: RequestError): void {
    const { receiver } = this.#question;
    this.#question.receiver = null;
    receiver!.failed(failure);
  }
}

/** The transport itself where the supergraph lets nothing be kept. Closed with what it keeps answers of. */
export const withEntityCache = <Asking>(
  inner: Transport<Asking>,
  options: EntityCacheOptions<Asking>,
): Transport<Asking> => {
  const hints = new CacheHints(options.fullSchema);
  if (hints.isEmpty) return inner;
  const cache = new EntityCache(inner, options, hints);
  return {
    send: (body, isQuery, asking, receiver) => cache.send(body, isQuery, asking, receiver),
    close: inner.close,
  };
};
