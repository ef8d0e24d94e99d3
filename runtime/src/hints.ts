// "Something happened to this key": published by the relay on Redis, heard by subscriptions, which then read the truth
// from PostgreSQL. A lost hint costs a heartbeat of delay, nothing else.
import type { Redis } from 'ioredis';
import type { Log } from './log.ts';

export type Hints = {
  readonly tell: (topic: string, key: string, version: number) => void;
  /** Turns each hint about one of the keys, and each heartbeat, into one turn of the iterator. `*` hears every key. */
  readonly listen: (
    topic: string,
    key: string,
    heartbeatMs: number,
  ) => AsyncGenerator<{ key: string; version: number } | null>;
  readonly close: () => Promise<void>;
};

type Listener = (key: string, version: number) => void;

export const createHints = (publisher: Redis, subscriber: Redis, prefix: string, log: Log): Hints => {
  const listeners = new Map<string, Map<string, Set<Listener>>>();
  const channel = (topic: string): string => `${prefix}hints:${topic}`;

  const subscribe = (topic: string): void => {
    subscriber
      .subscribe(channel(topic))
      .catch((error) => log.debug({ err: error }, 'hints come by heartbeat for now'));
  };
  // A new connection has forgotten its subscriptions when the first attempt failed.
  subscriber.on('ready', () => {
    for (const topic of listeners.keys()) subscribe(topic);
  });
  subscriber.on('message', (name: string, text: string) => {
    const topic = name.slice(channel('').length);
    const blank = text.lastIndexOf(' ');
    const key = text.slice(0, blank);
    const version = Number(text.slice(blank + 1));
    for (const of of [key, '*'])
      for (const listener of listeners.get(topic)?.get(of) ?? []) listener(key, version);
  });

  async function* listen(topic: string, key: string, heartbeatMs: number) {
    let waiting: { key: string; version: number }[] = [];
    let rouse: (() => void) | undefined;
    const listener: Listener = (about, version) => {
      // Only the newest hint of a key matters: a slow reader skips versions and its queue stays short.
      waiting = waiting.filter((hint) => hint.key !== about);
      waiting.push({ key: about, version });
      if (waiting.length > 1_000) waiting.shift();
      rouse?.();
    };
    const isNewTopic = !listeners.has(topic);
    const keys = listeners.get(topic) ?? new Map<string, Set<Listener>>();
    listeners.set(topic, keys);
    keys.set(key, (keys.get(key) ?? new Set()).add(listener));
    if (isNewTopic) subscribe(topic);
    try {
      while (true) {
        if (waiting.length === 0)
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, heartbeatMs);
            rouse = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        rouse = undefined;
        yield waiting.shift() ?? null;
      }
    } finally {
      const set = keys.get(key);
      set?.delete(listener);
      if (set?.size === 0) keys.delete(key);
    }
  }

  return {
    tell: (topic, key, version) => {
      publisher
        .publish(channel(topic), `${key} ${version}`)
        .catch((error) => log.debug({ err: error }, 'hint lost'));
    },
    listen,
    close: async () => {
      subscriber.disconnect();
    },
  };
};
