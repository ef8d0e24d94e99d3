// "Something happened to this key": published by the relay on Redis, heard by subscriptions, which then read the truth
// from PostgreSQL. A lost hint costs a heartbeat of delay, nothing else.
import type { Redis } from 'ioredis';
import type { Log } from './log.ts';

export type Hint = { readonly key: string; readonly version: number };

export type Hints = {
  readonly tell: (topic: string, key: string, version: number) => void;
  /** Listens from the moment of the call. A turn is a hint about the key, or null for a heartbeat. `*` hears every key. */
  readonly listen: (topic: string, key: string) => AsyncGenerator<Hint | null>;
  /** Subscribes ahead, so that the first listener misses nothing. */
  readonly open: (topics: readonly string[]) => Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * Lets a watcher go at once. A generator hears that it should end at its next yield, and one that watches what rests has
 * none: so what it listens to ends first.
 */
export const endingWith = <T>(
  turns: AsyncGenerator<Hint | null>,
  events: AsyncGenerator<T>,
): AsyncGenerator<T> => {
  const end = events.return.bind(events);
  events.return = async (value) => {
    await turns.return(undefined);
    return end(value);
  };
  return events;
};

type Listener = (hint: Hint) => void;

/** milliseconds after which a listener looks by itself: seldom while hints come, each second while they cannot */
const heartbeat = { calm: 5_000, blind: 1_000 };
/** milliseconds: listeners look at the same moments, so that what they look at is read together */
const beat = 250;

export const createHints = (publisher: Redis, subscriber: Redis, prefix: string, log: Log): Hints => {
  const topics = new Set<string>();
  const listeners = new Map<string, Set<Listener>>();
  const channel = (topic: string): string => `${prefix}hints:${topic}`;

  const subscribe = (topic: string): Promise<unknown> =>
    subscriber
      .subscribe(channel(topic))
      .catch((error) => log.debug({ err: error }, 'hints come by heartbeat for now'));

  // A subscription that failed for want of a connection is made when there is one.
  subscriber.on('ready', () => {
    for (const topic of topics) subscribe(topic);
  });
  subscriber.on('message', (name: string, text: string) => {
    const topic = name.slice(channel('').length);
    const blank = text.lastIndexOf(' ');
    const hint = { key: text.slice(0, blank), version: Number(text.slice(blank + 1)) };
    for (const key of [hint.key, '*'])
      for (const listener of listeners.get(`${topic} ${key}`) ?? []) listener(hint);
  });

  const listen = (topic: string, key: string): AsyncGenerator<Hint | null> => {
    const waiting = new Map<string, Hint>();
    let rouse: (() => void) | undefined;
    let ended = false;
    const listener: Listener = (hint) => {
      // Only the newest hint of a key matters: a slow reader skips versions and its queue stays short.
      waiting.delete(hint.key);
      waiting.set(hint.key, hint);
      if (waiting.size > 1_000) waiting.delete(waiting.keys().next().value!);
      rouse?.();
    };
    const place = `${topic} ${key}`;
    listeners.set(place, (listeners.get(place) ?? new Set()).add(listener));
    if (!topics.has(topic)) {
      topics.add(topic);
      subscribe(topic);
    }
    const leave = async () => {
      ended = true;
      listeners.get(place)?.delete(listener);
      if (listeners.get(place)?.size === 0) listeners.delete(place);
      rouse?.();
    };
    const pause = () =>
      new Promise<void>((resolve) => {
        const patience = subscriber.status === 'ready' ? heartbeat.calm : heartbeat.blind;
        const timer = setTimeout(resolve, patience + beat - (performance.now() % beat));
        rouse = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    const turns: AsyncGenerator<Hint | null> = {
      next: async () => {
        if (waiting.size === 0 && !ended) await pause();
        rouse = undefined;
        if (ended) return { done: true, value: undefined };
        const [first] = waiting.values();
        if (first) waiting.delete(first.key);
        return { done: false, value: first ?? null };
      },
      return: async () => {
        await leave();
        return { done: true, value: undefined };
      },
      throw: async (error) => {
        await leave();
        throw error;
      },
      [Symbol.asyncIterator]: () => turns,
      [Symbol.asyncDispose]: leave,
    };
    return turns;
  };

  return {
    tell: (topic, key, version) => {
      publisher
        .publish(channel(topic), `${key} ${version}`)
        .catch((error) => log.debug({ err: error }, 'hint lost'));
    },
    listen,
    open: async (names) => {
      for (const name of names) topics.add(name);
      await Promise.all(names.map(subscribe));
    },
    close: async () => subscriber.disconnect(),
  };
};
