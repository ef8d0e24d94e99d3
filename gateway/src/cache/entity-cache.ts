// Answers of subgraphs about entities, kept in Redis as long as the supergraph says. Stands before a transport and
// knows requests for entities by their text; of each only those entities are asked for that are not known, and the
// answer is put together from both as text. Without Redis every request goes straight through.
import type { RequestError } from '@orderstream/runtime/errors';
import type { GraphQLSchema } from 'graphql';
import type { Receiver, Transport } from '../transport/transport.ts';
import type { CacheCounts } from './cache-counts.ts';
import { CacheHints } from './cache-hints.ts';
import { mergeAnswers, type PartialAnswer, readAnswer } from './entity-answer.ts';
import { type Question, Questions } from './entity-question.ts';
import type { EntityStore, Kept } from './entity-store.ts';

export type EntityCacheOptions<Asking> = {
  readonly subgraph: string;
  /** the supergraph with everything in it */
  readonly fullSchema: GraphQLSchema;
  readonly store: EntityStore;
  /** What is private is kept by this; null where it is kept for nobody. */
  readonly scopeOf: (asking: Asking) => string | null;
  /**
   * Everything else of a request that changes what a subgraph answers to all: a language, a tenant. Kept apart by it,
   * what is public too; nothing unless told.
   */
  readonly variantOf?: (asking: Asking) => string;
  /** milliseconds; nothing is kept longer, whatever the supergraph says */
  readonly longestMs?: number;
  readonly counts: CacheCounts;
};

/** bytes; larger entities are not kept */
const largestEntity = 64 * 1024;

/** Of each variable, which elements have to be asked for. */
type Missing = ReadonlyMap<string, readonly number[]>;

class EntityCache<Asking> {
  readonly #inner: Transport<Asking>;
  readonly #options: EntityCacheOptions<Asking>;
  readonly #questions: Questions;

  constructor(inner: Transport<Asking>, options: EntityCacheOptions<Asking>, hints: CacheHints) {
    this.#inner = inner;
    this.#options = options;
    this.#questions = new Questions({ ...options, hints });
  }

  send(body: string, isQuery: boolean, asking: Asking, receiver: Receiver): void {
    const { store, counts, scopeOf, variantOf } = this.#options;
    const query = isQuery ? this.#questions.queryOf(body) : null;
    const isAway = query !== null && !store.isReady();
    const question =
      query && !isAway ? this.#questions.read(body, query, variantOf?.(asking) ?? '', scopeOf(asking)) : null;
    if (isAway) counts.passed += 1;
    if (question) this.#look(question, asking, receiver);
    else this.#inner.send(body, isQuery, asking, receiver);
  }

  #look(question: Question, asking: Asking, receiver: Receiver): void {
    const { places, body } = question;
    const { store, counts } = this.#options;
    const stamps = new Map<string, number>();
    const stampPlaces = places.map(({ stampName }) => {
      const at = stamps.get(stampName) ?? stamps.size;
      stamps.set(stampName, at);
      return at;
    });
    store.read([...stamps.keys(), ...places.map(({ dataName }) => dataName)], (texts) => {
      if (!texts) {
        counts.passed += 1;
        this.#inner.send(body, true, asking, receiver);
        return;
      }
      for (const [at, place] of places.entries()) {
        place.stamp = texts[stampPlaces[at]!] ?? '';
        const data = texts[stamps.size + at];
        const isHit = data?.startsWith(`${place.stamp}\n`);
        if (isHit) place.text = data!.slice(place.stamp.length + 1);
        place.counts[isHit ? 'hits' : 'misses'] += 1;
      }
      this.#answer(question, asking, receiver);
    });
  }

  #answer(question: Question, asking: Asking, receiver: Receiver): void {
    const { body, lists } = question;
    const { counts } = this.#options;
    const missing = this.#missingOf(question);
    const isAll = [...missing].every(([variable, at]) => at.length === lists.get(variable)!.length);
    if (isAll) {
      this.#inner.send(body, true, asking, new Answering(this, question, null, asking, receiver));
    } else if ([...missing.values()].every(({ length }) => length === 0)) {
      counts.saved += 1;
      receiver.answered(mergeAnswers(null, this.#partsOf(question, missing))!);
    } else {
      counts.reduced += 1;
      const answering = new Answering(this, question, missing, asking, receiver);
      this.#inner.send(this.#rest(question, missing), true, asking, answering);
    }
  }

  /** Some response key does not know them. */
  #missingOf({ query, lists, places }: Question): Missing {
    const known = new Map<string, number[]>();
    for (const [variable, { length }] of lists) known.set(variable, new Array(length).fill(0));
    for (const { variable, at, text } of places) if (text !== null) known.get(variable)![at]! += 1;
    return new Map(
      [...known].map(([variable, counts]) => {
        const wanted = query.lists.filter((list) => list.variable === variable).length;
        return [variable, [...counts.keys()].filter((at) => counts[at] !== wanted)];
      }),
    );
  }

  #rest({ body, end, members, lists }: Question, missing: Missing): string {
    const variables = members.map(({ name, from, to }) => {
      const list = lists.get(name);
      const value = list
        ? `[${missing
            .get(name)!
            .map((at) => list[at])
            .join(',')}]`
        : body.slice(from, to);
      return `"${name}":${value}`;
    });
    return `${body.slice(0, end)},"variables":{${variables.join(',')}}}`;
  }

  #partsOf({ query, lists, places }: Question, missing: Missing): PartialAnswer[] {
    return query.lists.map(({ alias, variable }) => {
      const known: (string | null)[] = new Array(lists.get(variable)!.length).fill(null);
      for (const place of places) if (place.alias === alias) known[place.at] = place.text;
      return { alias, known, asked: missing.get(variable)! };
    });
  }

  /** `missing`: null where all was asked for */
  answered(
    question: Question,
    missing: Missing | null,
    asking: Asking,
    receiver: Receiver,
    body: string,
  ): void {
    const merged = missing ? mergeAnswers(body, this.#partsOf(question, missing)) : body;
    // Whatever it is, the executor knows what to make of it, if it answers what the executor has asked.
    if (merged === null) this.#inner.send(question.body, true, asking, receiver);
    else receiver.answered(merged);
    this.#keep(question, missing, body);
  }

  #keep({ places, lists }: Question, missing: Missing | null, body: string): void {
    const answer = readAnswer(body);
    if (!answer) return;
    const kept: Kept[] = [];
    for (const { alias, variable, at, text: known, dataName: name, stamp, forMs } of places) {
      const elements = answer.get(alias);
      const asked = missing?.get(variable);
      const place = asked ? asked.indexOf(at) : at;
      const count = asked ? asked.length : lists.get(variable)!.length;
      if (known !== null || place < 0 || elements?.length !== count) continue;
      const text = elements[place]!;
      // What is not there may come to be, and nobody would tell.
      if (text.startsWith('{') && text.length <= largestEntity) kept.push({ name, stamp, text, forMs });
    }
    this.#options.store.write(kept);
  }
}

/** Waits for what had to be asked for. */
class Answering<Asking> implements Receiver {
  readonly #cache: EntityCache<Asking>;
  readonly #missing: Missing | null;
  #question: Question | null;
  #asking: Asking | null;
  #receiver: Receiver | null;

  constructor(
    cache: EntityCache<Asking>,
    question: Question,
    missing: Missing | null,
    asking: Asking,
    receiver: Receiver,
  ) {
    this.#cache = cache;
    this.#question = question;
    this.#missing = missing;
    this.#asking = asking;
    this.#receiver = receiver;
  }

  answered(body: string): void {
    const question = this.#question;
    const receiver = this.#receiver;
    const asking = this.#asking as Asking;
    this.#letGo();
    if (question && receiver) this.#cache.answered(question, this.#missing, asking, receiver, body);
  }

  failed(failure: RequestError): void {
    const receiver = this.#receiver;
    this.#letGo();
    receiver?.failed(failure);
  }

  #letGo(): void {
    this.#question = null;
    this.#receiver = null;
    this.#asking = null;
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
