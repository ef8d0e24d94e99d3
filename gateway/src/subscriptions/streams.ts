// All subscriptions to subgraphs of this process. Who asks for the same and may see the same shares one.
import { RequestError } from '@orderstream/runtime/errors';
import type { Log } from '@orderstream/runtime/log';
import type { Upstream } from '../transport/upstream.ts';
import { Look } from './look.ts';
import type { Payload } from './payload.ts';
import type { Live, Preparation } from './preparation.ts';
import { type Ending, type Member, Stream } from './stream.ts';

export type Upstreams<Asking> = ReadonlyMap<string, Upstream<Asking>>;

export type Streams<Asking> = {
  /**
   * @returns a function to leave by
   * @throws RequestError RATE_LIMITED where this process serves as many as it may
   */
  readonly join: (live: Live<Asking>, member: Member<Asking>) => () => void;
  /** What still fits the newer supergraph goes on, the rest ends. Resolves when all is decided. */
  readonly replace: (preparation: Preparation<Asking>, upstreams: Upstreams<Asking>) => Promise<void>;
  /** subscriptions to subgraphs, and who shares them */
  readonly state: () => { readonly upstreams: number; readonly members: number };
};

type Options<Asking> = {
  readonly upstreams: Upstreams<Asking>;
  /** Equal for all who may see the same; null for whoever shares nothing. */
  readonly shareKeyOf: (asking: Asking) => string | null;
  /** The same for one event, with a deadline of its own. */
  readonly renew: (asking: Asking) => Asking;
  /** subscriptions to subgraphs */
  readonly most: number;
  readonly log: Log;
  /** milliseconds for which a late comer hears the subgraph itself */
  readonly lookMs?: number;
};

/** A member's place, wherever it is at the moment, and what of the events it wants. */
class Seat<Asking> implements Member<Asking> {
  readonly #member: Member<Asking>;
  /** the version told last; null where events are of many things */
  #since: number | null;
  #home: Stream<Asking> | null = null;

  constructor(member: Member<Asking>, since: number | null) {
    this.#member = member;
    this.#since = since;
  }

  get asking(): Asking {
    return this.#member.asking;
  }

  at(home: Stream<Asking>): void {
    this.#home = home;
  }

  told(payload: Payload): void {
    const { version } = payload.mark;
    if (this.#since !== null && version !== null) {
      if (version <= this.#since) return;
      this.#since = version;
    }
    this.#member.told(payload);
  }

  ended(ending: Ending): void {
    this.#home = null;
    this.#member.ended(ending);
  }

  leave(): void {
    const home = this.#home;
    this.#home = null;
    home?.leave(this);
  }
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** streams that are looked at in one turn of the event loop */
const atOnce = 100;

export const createStreams = <Asking>(options: Options<Asking>): Streams<Asking> => {
  const { shareKeyOf, renew, most, log, lookMs = 1_000 } = options;
  let { upstreams } = options;
  const all = new Set<Stream<Asking>>();
  const shared = new Map<string, Stream<Asking>>();
  const looks = new Map<string, Look<Asking>>();

  const open = (live: Live<Asking>, seat: Member<Asking>, key: string | null): Stream<Asking> => {
    if (all.size >= most)
      throw new RequestError('RATE_LIMITED', 'No more subscriptions can be served just now.', {
        retryAfterMs: 5_000,
      });
    const upstream = upstreams.get(live.operation.source!.subgraph)!;
    const over = (one: Stream<Asking>): void => {
      all.delete(one);
      if (key !== null && shared.get(key) === one) shared.delete(key);
    };
    const stream = new Stream({ live, upstream, log, renew, over }, seat);
    all.add(stream);
    if (key !== null) shared.set(key, stream);
    stream.open();
    return stream;
  };

  /** For a stream whose past is not its state: a late comer hears for a moment what the subgraph tells a new one. */
  const look = (elder: Stream<Asking>, live: Live<Asking>, seat: Seat<Asking>, key: string): void => {
    const under = looks.get(key);
    if (under?.isFresh) {
      under.young.join(seat);
      return;
    }
    const made = new Look(elder, open(live, seat, null), lookMs, () => {
      if (looks.get(key) === made) looks.delete(key);
    });
    looks.set(key, made);
  };

  const join: Streams<Asking>['join'] = (live, member) => {
    const scope = shareKeyOf(member.asking);
    const seat = new Seat(member, live.since ?? (live.isState ? Number.NEGATIVE_INFINITY : null));
    const key = scope === null ? null : `${scope}\n${live.key}`;
    const known = key === null ? undefined : shared.get(key);
    if (key === null || !known) open(live, seat, key);
    else if (known.hasSpoken && !known.canRecall) look(known, live, seat, key);
    else {
      known.join(seat);
      known.recall(seat);
    }
    return () => seat.leave();
  };

  const refit = async (stream: Stream<Asking>, preparation: Preparation<Asking>): Promise<void> => {
    const [member] = stream.members;
    if (!member) return;
    try {
      const live = await preparation.prepare(stream.live.request, member.asking);
      const upstream = 'operation' in live ? upstreams.get(live.operation.source!.subgraph) : undefined;
      if ('operation' in live && upstream) stream.replace(live, upstream);
      else stream.end({ kind: 'outdated' });
    } catch (error) {
      log.info({ err: error }, 'a subscription does not fit the new supergraph');
      stream.end({ kind: 'outdated' });
    }
  };

  return {
    join,
    replace: async (preparation, newer) => {
      upstreams = newer;
      let count = 0;
      for (const stream of [...all]) {
        if (!stream.isOver) await refit(stream, preparation);
        count += 1;
        if (count % atOnce === 0) await breathe();
      }
    },
    state: () => {
      let members = 0;
      for (const stream of all) members += stream.members.size;
      return { upstreams: all.size, members };
    },
  };
};
