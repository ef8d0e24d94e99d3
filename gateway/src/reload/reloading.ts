// The supergraph changes while requests are under way. The next generation is opened and made ready beside the one that
// serves; then new requests enter it, and those that entered the old one end there. One that cannot be opened changes
// nothing.
import { createHash } from 'node:crypto';
import type { Log } from '@orderstream/runtime/log';

/** Everything that belongs to one supergraph. */
export type Generation = {
  /** Called once, when the last request is out. */
  readonly close: () => Promise<void>;
};

/** A generation, and how many requests are in it. Whoever enters leaves, whatever happens in between. */
export type Era<G> = {
  readonly generation: G;
  /** rises by one with each supergraph */
  readonly number: number;
  leave(): void;
};

export type Reloaded =
  | { readonly outcome: 'accepted'; readonly number: number }
  /** the same text as the one that serves */
  | { readonly outcome: 'unchanged' }
  /** a newer one came meanwhile */
  | { readonly outcome: 'overtaken' }
  /** what is wrong with it, line by line */
  | { readonly outcome: 'refused'; readonly problems: readonly string[] };

export type ReloadCounts = { accepted: number; refused: number; serving: number };

export type Reloading<G> = {
  /** Costs an addition. */
  readonly enter: () => Era<G>;
  /** To look at, without entering. */
  readonly current: () => G;
  readonly update: (sdl: string) => Promise<Reloaded>;
  readonly counts: () => ReloadCounts;
  /** Takes in no more supergraphs, and answers when all generations are closed. */
  readonly close: () => Promise<void>;
};

type Options<G extends Generation> = {
  /**
   * Opens a supergraph and makes it ready to serve: what was known to `before` is known to it. Where it throws, it has
   * closed what it opened.
   * @throws whatever is wrong with it
   */
  readonly open: (sdl: string, before: G | null) => Promise<G>;
  readonly log: Log;
  /** Told when another generation serves, before the one before is let go: subscriptions move over here. */
  readonly onSwap?: (now: G, before: G) => void;
  /** Milliseconds after which an old generation is closed whoever is still in it. */
  readonly longest?: number;
};

const problemsOf = (error: unknown): string[] => {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n').filter((line) => line.trim() !== '');
};

const hashOf = (sdl: string): string => createHash('sha256').update(sdl).digest('base64');

class Stage<G extends Generation> implements Era<G> {
  readonly generation: G;
  readonly number: number;
  readonly hash: string;
  readonly closed = Promise.withResolvers<void>();
  readonly #log: Log;
  #inside = 0;
  #isRetired = false;
  #isClosing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(generation: G, number: number, hash: string, log: Log) {
    this.generation = generation;
    this.number = number;
    this.hash = hash;
    this.#log = log;
  }

  enter(): this {
    this.#inside += 1;
    return this;
  }

  leave(): void {
    this.#inside -= 1;
    if (this.#isRetired && this.#inside === 0) this.#close();
  }

  retire(longest: number): void {
    this.#isRetired = true;
    if (this.#inside === 0) this.#close();
    else
      this.#timer = setTimeout(() => {
        this.#log.warn(
          { generation: this.number, requests: this.#inside },
          'requests outlived their supergraph',
        );
        this.#close();
      }, longest).unref();
  }

  #close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearTimeout(this.#timer);
    this.generation
      .close()
      .catch((err: unknown) =>
        this.#log.error({ err, generation: this.number }, 'a supergraph was not closed'),
      )
      .finally(this.closed.resolve);
  }
}

/** @throws whatever is wrong with the first supergraph: there is nothing that could serve in its place */
export const createReloading = async <G extends Generation>(
  sdl: string,
  { open, log, onSwap, longest = 60_000 }: Options<G>,
): Promise<Reloading<G>> => {
  let stage = new Stage(await open(sdl, null), 1, hashOf(sdl), log);
  const old = new Set<Stage<G>>();
  const counts = { accepted: 1, refused: 0 };
  let newest = 0;
  let turn: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const retire = (one: Stage<G>): void => {
    old.add(one);
    void one.closed.promise.then(() => old.delete(one));
    one.retire(longest);
  };

  const refuse = (error: unknown): Reloaded => {
    counts.refused += 1;
    const problems = problemsOf(error);
    log.error({ problems }, 'the new supergraph is refused; the one before goes on serving');
    return { outcome: 'refused', problems };
  };

  const replace = async (next: string, mine: number): Promise<Reloaded> => {
    if (isClosed || mine !== newest) return { outcome: 'overtaken' };
    const hash = hashOf(next);
    if (hash === stage.hash) return { outcome: 'unchanged' };
    let generation: G;
    try {
      generation = await open(next, stage.generation);
    } catch (error) {
      return refuse(error);
    }
    if (isClosed) {
      await generation.close();
      return { outcome: 'overtaken' };
    }
    const before = stage;
    stage = new Stage(generation, before.number + 1, hash, log);
    counts.accepted += 1;
    try {
      onSwap?.(generation, before.generation);
    } catch (err) {
      log.error({ err }, 'not everybody has taken the new supergraph');
    }
    retire(before);
    log.info({ generation: stage.number }, 'a new supergraph serves');
    return { outcome: 'accepted', number: stage.number };
  };

  return {
    enter: () => stage.enter(),
    current: () => stage.generation,
    update: (next) => {
      newest += 1;
      const mine = newest;
      const done = turn.then(() => replace(next, mine));
      turn = done;
      return done;
    },
    counts: () => ({ ...counts, serving: 1 + old.size }),
    close: async () => {
      if (!isClosed) {
        isClosed = true;
        await turn;
        retire(stage);
      }
      await Promise.all([...old].map(({ closed }) => closed.promise));
    },
  };
};
