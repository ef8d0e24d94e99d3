// One subscription to a subgraph and everybody who shares it. Each event is made whole by the other subgraphs once and
// written once; the answers leave in the order in which the events came.
import type { Log } from '@orderstream/runtime/log';
import type { GraphQLFormattedError } from 'graphql';
import type { Outcome } from '../execute/operation.ts';
import type { EventListener, Upstream } from '../transport/upstream.ts';
import { Echo } from './echo.ts';
import { createNewer, type Mark } from './marks.ts';
import { Newest } from './newest.ts';
import { Payload } from './payload.ts';
import type { Live } from './preparation.ts';

/** Why nothing comes any more. */
export type Ending =
  | { readonly kind: 'complete' }
  /** The subgraph will not serve it. */
  | { readonly kind: 'refused'; readonly errors: readonly GraphQLFormattedError[] }
  /** A new supergraph does not know it any more. */
  | { readonly kind: 'outdated' };

export type Member<Asking> = {
  readonly asking: Asking;
  /** It has come to this stream. */
  at?(home: Stream<Asking>): void;
  told(payload: Payload): void;
  ended(ending: Ending): void;
};

/** Who is told besides the members, and of the end by whichever way it comes. */
export type Watcher = { heard(payload: Payload): void; over(): void };

type Event = { readonly text: string; readonly key: string; readonly mark: Mark };

const unmarked: Mark = { thing: null, version: null };

/** events that other subgraphs complete at the same time, and events that wait for that, with their bytes */
const mostTurns = 16;
const mostEvents = 1_000;
const mostEventBytes = 8 * 1024 * 1024;

/** milliseconds for which what other subgraphs said of an event is taken for their state now */
const freshMs = 5_000;

/** bytes of an event that is kept for late comers */
const mostRecalled = 256 * 1024;

/** An event on its way through the other subgraphs. */
class Turn implements Outcome {
  readonly event: Event;
  readonly #settled: (turn: Turn) => void;
  body: string | null = null;

  constructor(event: Event, settled: (turn: Turn) => void) {
    this.event = event;
    this.#settled = settled;
  }

  done(body: string): void {
    this.body = body;
    this.#settled(this);
  }
}

type Options<Asking> = {
  readonly live: Live<Asking>;
  readonly upstream: Upstream<Asking>;
  readonly log: Log;
  /** The same for one event, with a deadline of its own. */
  readonly renew: (asking: Asking) => Asking;
  /** Nobody is left, or nothing comes any more. */
  readonly over: (stream: Stream<Asking>) => void;
};

export class Stream<Asking> implements EventListener {
  #live: Live<Asking>;
  #upstream: Upstream<Asking>;
  readonly #log: Log;
  readonly #renew: (asking: Asking) => Asking;
  readonly #over: (stream: Stream<Asking>) => void;
  readonly #members = new Set<Member<Asking>>();
  readonly #isNewer = createNewer();
  readonly #echo = new Echo();
  readonly #events = new Newest<Event>(mostEvents, mostEventBytes);
  readonly #turns: Turn[] = [];
  #leave: () => void = () => {};
  #nameless = 0;
  #isOver = false;
  #last: { readonly event: Event; readonly payload: Payload; readonly at: number } | null = null;
  /** the last event asked about once more, and who waits for that */
  #recalling: Turn | null = null;
  #forgetful: Member<Asking>[] = [];
  readonly #settled = (): void => this.#release();
  #isMute = false;
  #hasSpoken = false;
  #isLast = false;
  watcher: Watcher | null = null;

  constructor({ live, upstream, log, renew, over }: Options<Asking>, first: Member<Asking>) {
    this.#live = live;
    this.#upstream = upstream;
    this.#log = log;
    this.#renew = renew;
    this.#over = over;
    this.join(first);
  }

  /** After the constructor, so that whoever is told of the stream has it. */
  open(): void {
    const { source } = this.#live.operation;
    this.#leave = this.#upstream.subscribe(source!.body(this.#live.variables), this.#asking(), this);
  }

  get live(): Live<Asking> {
    return this.#live;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get members(): ReadonlySet<Member<Asking>> {
    return this.#members;
  }

  /** Members have been told something. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** What they were told last is the state, and known still. */
  get canRecall(): boolean {
    return this.#last !== null;
  }

  /** Tells one member the last event; what other subgraphs add to it is asked again where it may have changed. */
  recall(member: Member<Asking>): void {
    const last = this.#last;
    if (!last) return;
    if (Date.now() - last.at < freshMs) {
      member.told(last.payload);
      return;
    }
    this.#forgetful.push(member);
    if (this.#recalling) return;
    this.#recalling = new Turn(last.event, (turn) => this.#recalled(turn));
    this.#run(this.#recalling);
  }

  join(member: Member<Asking>): void {
    this.#members.add(member);
    member.at?.(this);
  }

  leave(member: Member<Asking>): void {
    if (this.#members.delete(member) && this.#members.size === 0) this.#close();
  }

  /** Events are under way. */
  get isBusy(): boolean {
    return this.#turns.length > 0 || this.#events.size > 0;
  }

  /** Hears no more of the subgraph; its members are told by somebody else. */
  mute(): void {
    this.#isMute = true;
    this.#leave();
    this.#leave = () => {};
  }

  /** The members are elsewhere now. */
  vacate(): void {
    this.#members.clear();
    this.#close();
  }

  next(text: string): void {
    if (this.#isOver || this.#isMute) return;
    const { read } = this.#live;
    const mark = read ? read(text) : unmarked;
    if (!this.#isNewer(mark) || this.#echo.isHeard(mark, text, Date.now())) return;
    // Without a name one event cannot be taken for a newer one of the same thing.
    this.#nameless += 1;
    const key = mark.thing === null ? `nameless ${this.#nameless}` : `id ${mark.thing}`;
    this.#events.put(key, { text, key, mark }, text.length);
    this.#start();
  }

  again(): void {
    this.#echo.again(Date.now());
  }

  refused(errors: readonly GraphQLFormattedError[]): void {
    this.end({ kind: 'refused', errors });
  }

  /** What came before is still told. */
  complete(): void {
    if (!this.isBusy) this.end({ kind: 'complete' });
    else this.#isLast = true;
  }

  end(ending: Ending): void {
    if (this.#isOver) return;
    const members = [...this.#members];
    this.#members.clear();
    this.#close();
    for (const member of members) member.ended(ending);
  }

  /** Goes on with a newer supergraph; the subgraph notices only where it is asked something else. */
  replace(live: Live<Asking>, upstream: Upstream<Asking>): void {
    if (this.#isOver) return;
    const before = this.#live.operation.source!.body(this.#live.variables);
    const isSame = upstream === this.#upstream && before === live.operation.source!.body(live.variables);
    this.#live = live;
    this.#upstream = upstream;
    if (isSame || this.#isMute) return;
    this.#leave();
    this.again();
    this.open();
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave();
    this.#turns.length = 0;
    this.#last = null;
    this.#recalling = null;
    this.#forgetful = [];
    this.watcher?.over();
    this.#over(this);
  }

  /** Whoever has been here longest asks for all: they may see the same. */
  #asking(): Asking {
    const [member] = this.#members;
    return this.#renew(member!.asking);
  }

  #start(): void {
    while (this.#turns.length < mostTurns) {
      const event = this.#events.take();
      if (!event) return;
      const turn = new Turn(event, this.#settled);
      this.#turns.push(turn);
      this.#run(turn);
      if (this.#isOver) return;
    }
  }

  #run(turn: Turn): void {
    try {
      this.#live.operation.event!(turn.event.text, this.#live.variables, this.#asking(), turn);
    } catch (error) {
      this.#log.error({ err: error }, 'an event of a subscription was lost');
      turn.done('');
    }
  }

  #recalled(turn: Turn): void {
    const waiting = this.#forgetful;
    this.#forgetful = [];
    this.#recalling = null;
    if (this.#isOver || turn.body === '') return;
    const payload = new Payload(turn.event.key, turn.event.mark, turn.body!);
    if (this.#last?.event === turn.event) this.#last = { event: turn.event, payload, at: Date.now() };
    // Who left meanwhile is not told, and whoever was told something newer takes nothing older.
    for (const member of waiting) if (this.#members.has(member)) member.told(payload);
  }

  #release(): void {
    while (!this.#isOver && this.#turns[0] && this.#turns[0].body !== null) {
      const { event, body } = this.#turns.shift()!;
      if (body !== '') this.#tell(event, body!);
    }
    if (this.#isOver) return;
    this.#start();
    if (this.#isLast && this.#turns.length === 0) this.end({ kind: 'complete' });
  }

  #tell(event: Event, body: string): void {
    const payload = new Payload(event.key, event.mark, body);
    this.#hasSpoken = true;
    const isKept = this.#live.isState && payload.json.length <= mostRecalled;
    this.#last = isKept ? { event, payload, at: Date.now() } : null;
    this.watcher?.heard(payload);
    for (const member of this.#members) member.told(payload);
  }
}
