// A fetch of entities: what other subgraphs delivered is gathered, each entity is named once, and what comes back is put
// to every place that asked for it.
import { RequestError } from '@orderstream/runtime/errors';
import type { GraphQLSchema } from 'graphql';
import { type Composite, isComposite, type Value } from '../parse/values.ts';
import type { EntityBatch, EntityFetch } from '../plan/query-plan.ts';
import { toBinary } from '../transport/binary.ts';
import type { Transport } from '../transport/transport.ts';
import type { AskedPaths } from './asked.ts';
import { Call, type CallPlan } from './call.ts';
import { missingIn, type Reported, tell } from './errors.ts';
import { variablesText } from './fetch.ts';
import { type Gathering, nextStamp, placesOf, type Walk } from './gather.ts';
import { copyOf } from './merge.ts';
import type { ErrorPath } from './operation.ts';
import { rename } from './rename.ts';
import type { RepresentationWriters, WriteRepresentation } from './representations.ts';
import type { Request, Step } from './request.ts';

/** One list of entities in the answer, made once per operation. */
export type BatchPlan = EntityBatch & {
  readonly writers: RepresentationWriters;
  /** place of its variable among the operation's lists of representations */
  readonly list: number;
  readonly merge: (target: Composite, source: Composite) => void;
  /** one for each path; at a stub place equal objects become one */
  readonly walks: readonly { readonly walk: Walk; readonly isStub: boolean }[];
};

export type EntityPlan<Asking> = CallPlan<Asking> & {
  readonly fetch: EntityFetch;
  readonly batches: readonly BatchPlan[];
  /** the variables that hold representations, as the start of their JSON: name and colon */
  readonly lists: readonly string[];
  readonly fullSchema: GraphQLSchema;
  readonly asked: AskedPaths;
  readonly next: Step<Asking>;
};

/** The representations of one variable, each once. */
class Representations {
  count = 0;
  text = '';
  readonly #slots: Map<string, number>[] = [];

  slotOf(writer: WriteRepresentation, key: string): number | undefined {
    return this.#slots[writer.index]?.get(key);
  }

  add(writer: WriteRepresentation, key: string, representation: string): number {
    let slots = this.#slots[writer.index];
    if (!slots) {
      slots = new Map();
      this.#slots[writer.index] = slots;
    }
    this.text += this.count ? `,${representation}` : representation;
    slots.set(key, this.count);
    return this.count++;
  }
}

/** Who waits for the entities of one batch. */
class Waiting {
  readonly objects: Composite[] = [];
  /** for each object, which entity; with its bits turned where another object takes it first and a copy is due */
  readonly slots: number[] = [];
}

/** An object that waits for an entity, and where. */
type Standing = { readonly object: Composite; readonly place: ErrorPath };

const noPlaces: Map<BatchPlan, Map<number, Standing[]>> = new Map();

const wrongCount = (): RequestError =>
  new RequestError('SUBGRAPH_UNAVAILABLE', undefined, {
    cause: new Error('the subgraph answered with another number of entities than it was asked for'),
  });

class EntityCall<Asking> extends Call<Asking> implements Gathering {
  readonly #plan: EntityPlan<Asking>;
  #lists: Representations[] = [];
  #waiting: Waiting[] = [];
  #isStrict = false;
  // what is being gathered for
  #writers: RepresentationWriters | null = null;
  #list: Representations | null = null;
  #waits: Waiting | null = null;
  /** by slot, the object that stands for all equal ones */
  #firsts: Composite[] | null = null;
  #places = noPlaces;
  stamp = 0;

  constructor(request: Request<Asking>, plan: EntityPlan<Asking>) {
    super(request, plan);
    this.#plan = plan;
  }

  /** Whether there is anything to ask for. */
  gather(request: Request<Asking>): boolean {
    const { batches, lists } = this.#plan;
    this.#isStrict = request.failed !== null;
    for (let at = 0; at < lists.length; at++) this.#lists.push(new Representations());
    for (const batch of batches) {
      this.#writers = batch.writers;
      this.#list = this.#lists[batch.list]!;
      this.#waits = new Waiting();
      this.#waiting.push(this.#waits);
      for (const { walk, isStub } of batch.walks) {
        this.stamp = nextStamp();
        this.#firsts = isStub ? [] : null;
        walk(request.data!, this);
      }
    }
    if (request.failed) this.#reportUnnamed(request, request.failed);
    for (let at = 0; at < lists.length; at++) if (this.#lists[at]!.count > 0) return true;
    return false;
  }

  /** Entities that cannot be asked for, because what would name them did not come: the reason is told at their fields. */
  #reportUnnamed(
    request: Request<Asking>,
    { error, subgraph }: NonNullable<Request<Asking>['failed']>,
  ): void {
    const places: ErrorPath[] = [];
    for (const batch of this.#plan.batches)
      for (const path of batch.paths)
        placesOf(path, this.#plan.fullSchema, request.data!, (object, place) => {
          const write = batch.writers.for(object.__typename);
          if (write && write.text(object, true) === undefined) this.#missing(batch, object, place, places);
        });
    if (places.length) tell(request, subgraph, error, places);
  }

  take(object: Composite): Composite {
    const writer = this.#writers!.for(object.__typename);
    const key = writer?.key(object, this.#isStrict);
    if (!writer || !key) return object;
    const list = this.#list!;
    let slot = list.slotOf(writer, key);
    const isFirst = slot === undefined;
    if (slot === undefined) {
      const text = writer.text(object, this.#isStrict);
      if (!text) return object;
      slot = list.add(writer, key, text);
    }
    const firsts = this.#firsts;
    if (firsts) {
      const first = firsts[slot];
      if (first) return first;
      firsts[slot] = object;
    }
    this.#waits!.objects.push(object);
    this.#waits!.slots.push(isFirst ? slot : ~slot);
    return object;
  }

  /** JSON of the representations, as variables. */
  representations(): string {
    const { lists } = this.#plan;
    let text = '';
    for (let at = 0; at < lists.length; at++)
      text += `${at ? ',' : ''}${lists[at]}[${this.#lists[at]!.text}]`;
    return text;
  }

  protected deliver(request: Request<Asking>, data: Composite): void {
    const { batches } = this.#plan;
    for (let at = 0; at < batches.length; at++) {
      const batch = batches[at]!;
      const { objects, slots } = this.#waiting[at]!;
      if (!objects.length) continue;
      const entities = data[batch.alias];
      const { count } = this.#lists[batch.list]!;
      if (Array.isArray(entities) && entities.length === count) this.#put(batch, entities, objects, slots);
      else if (entities !== null && entities !== undefined) this.#reportCount(request);
    }
  }

  #put(
    batch: BatchPlan,
    entities: readonly Value[],
    objects: readonly Composite[],
    slots: readonly number[],
  ): void {
    for (const one of batch.renames)
      for (const entity of entities) rename(this.#plan.fullSchema, entity ?? null, one);
    for (let at = 0; at < objects.length; at++) {
      const slot = slots[at]!;
      const entity = entities[slot < 0 ? ~slot : slot];
      if (isComposite(entity)) batch.merge(objects[at]!, slot < 0 ? (copyOf(entity) as Composite) : entity);
    }
  }

  #reportCount(request: Request<Asking>): void {
    const failure = wrongCount();
    const error = { message: failure.message, path: undefined, extensions: {}, concernsAll: true, failure };
    request.failed = { error, subgraph: this.#plan.subgraph };
    this.report(request, error);
  }

  protected report(request: Request<Asking>, error: Reported): void {
    if (error.path) {
      this.#reportAt(request, error, error.path);
      return;
    }
    const places: ErrorPath[] = [];
    if (error.concernsAll)
      for (const batch of this.#plan.batches)
        for (const standing of this.#placesOf(request, batch).values())
          for (const { object, place } of standing) this.#missing(batch, object, place, places);
    // Nobody waited for it: the client did not ask for what could not be told.
    if (error.failure && !places.length) return;
    tell(request, this.#plan.subgraph, error, places);
  }

  #reportAt(request: Request<Asking>, error: Reported, [alias, slot, ...rest]: ErrorPath): void {
    const { asked, batches, subgraph } = this.#plan;
    let isTold = false;
    for (const batch of batches) {
      if (batch.alias !== alias) continue;
      const internal = new Map(batch.renames.map(({ path, to }) => [path.at(-1)?.key, to]));
      const below = rest.map((step) => (typeof step === 'string' ? (internal.get(step) ?? step) : step));
      const places = this.#placesOf(request, batch);
      for (const { object, place } of typeof slot === 'number'
        ? (places.get(slot) ?? [])
        : [...places.values()].flat()) {
        const instead: ErrorPath[] = [];
        this.#missing(batch, object, place, instead);
        tell(request, subgraph, error, [asked.within([...place, ...below])], instead);
        isTold = true;
      }
    }
    if (!isTold) tell(request, subgraph, error, []);
  }

  #missing(batch: BatchPlan, object: Composite, place: ErrorPath, places: ErrorPath[]): void {
    const shape = this.#plan.shape.fields.get(batch.alias);
    if (shape?.shape !== 'object') return;
    missingIn(object, shape, place, (missing) => {
      if (this.#plan.asked.has(missing)) places.push(missing);
    });
  }

  /** Where each entity stands, by slot. Nothing of it is kept while all goes well: the paths are walked again. */
  #placesOf(request: Request<Asking>, batch: BatchPlan): Map<number, Standing[]> {
    const known = this.#places.get(batch);
    if (known) return known;
    const places = new Map<number, Standing[]>();
    for (const path of batch.paths)
      placesOf(path, this.#plan.fullSchema, request.data!, (object, place) => {
        const writer = batch.writers.for(object.__typename);
        const key = writer?.key(object, this.#isStrict);
        const slot = writer && key ? this.#lists[batch.list]!.slotOf(writer, key) : undefined;
        if (slot === undefined) return;
        const standing = places.get(slot);
        if (standing) standing.push({ object, place });
        else places.set(slot, [{ object, place }]);
      });
    if (this.#places === noPlaces) this.#places = new Map();
    this.#places.set(batch, places);
    return places;
  }

  protected proceed(request: Request<Asking>): void {
    this.#lists = [];
    this.#waiting = [];
    this.#list = null;
    this.#waits = null;
    this.#firsts = null;
    this.#places = noPlaces;
    this.#plan.next(request);
  }
}

export const entityStep = <Asking>(plan: EntityPlan<Asking>, transport: Transport<Asking>): Step<Asking> => {
  const { operation, variables: names } = plan.fetch;
  const start = `{"query":${toBinary(JSON.stringify(operation))},"variables":{`;
  return (request) => {
    const call = new EntityCall(request, plan);
    if (!call.gather(request)) {
      plan.next(request);
      return;
    }
    const variables = names.length ? variablesText(names, request.variables) : '';
    transport.send(`${start}${variables}${call.representations()}}}`, true, request.asking, call);
  };
};
