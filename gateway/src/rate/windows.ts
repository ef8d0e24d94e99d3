// How much has been taken lately: counted in Redis for all gateways together, and where Redis does not answer, here, with
// a part of each limit, for the other gateways count as well and know nothing of us.
import type { Log } from '@orderstream/runtime/log';
import type { Redis } from 'ioredis';
import { type Ask, type Bucket, filled, turned, type Verdict, waitFor } from './window.ts';

export type Windows = {
  /**
   * Takes from all or from none of them. `told` is called once, at once where nothing has to be waited for.
   * A hot path waits on no promise for it.
   */
  readonly take: (asks: readonly Ask[], told: (verdict: Verdict) => void) => void;
};

const allowed: Verdict = { isAllowed: true };

/** names that are counted here at a time; the one that was quiet the longest goes first */
const mostNames = 100_000;

/** @param share the part of each limit that may be taken here */
export const createLocalWindows = (
  share = 1,
  now: () => number = Date.now,
): Windows & { readonly size: () => number } => {
  const buckets = new Map<string, Bucket>();
  const nameOf = ({ name, windowMs }: Ask): string => `${name}:${windowMs}`;
  const shareOf = (ask: Ask): Ask =>
    share === 1 ? ask : { ...ask, limit: Math.max(1, Math.floor(ask.limit * share)) };

  const put = (name: string, bucket: Bucket): void => {
    buckets.delete(name);
    if (buckets.size >= mostNames) buckets.delete(buckets.keys().next().value!);
    buckets.set(name, bucket);
  };
  const fill = (asks: readonly Ask[], at: number): void => {
    for (const ask of asks) put(nameOf(ask), filled(turned(buckets.get(nameOf(ask)), ask, at), ask.cost));
  };
  return {
    take: (asks, told) => {
      const at = now();
      for (const ask of asks) {
        const retryAfterMs = waitFor(turned(buckets.get(nameOf(ask)), ask, at), shareOf(ask), at);
        if (retryAfterMs > 0) return told({ isAllowed: false, ask, retryAfterMs });
      }
      fill(asks, at);
      told(allowed);
    },
    size: () => buckets.size,
  };
};

// The same as window.ts, by Redis's own clock. KEYS: a hash per window. ARGV: now or -1, and for each key limit,
// window and cost.
const script = `
local now = tonumber(ARGV[1])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local after = {}
for i, key in ipairs(KEYS) do
  local limit, window, cost = tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3]), tonumber(ARGV[i * 3 + 1])
  local held = redis.call('HMGET', key, 't', 'c', 'p')
  local turn, current, previous = tonumber(held[1]) or -2, tonumber(held[2]) or 0, tonumber(held[3]) or 0
  local present = math.floor(now / window)
  if turn < present then
    previous = turn == present - 1 and current or 0
    turn = present
    current = 0
  end
  local passed = math.max(0, now / window - turn)
  if previous * (1 - passed) + current + cost > limit then
    if cost > limit then return {i, 2 * window} end
    local till
    if current + cost <= limit then
      till = 1 - (limit - current - cost) / previous
    else
      till = 2 - (limit - cost) / current
    end
    return {i, math.max(1, math.ceil((till - passed) * window))}
  end
  after[i] = {turn, current + cost, previous, window}
end
for i, key in ipairs(KEYS) do
  local one = after[i]
  redis.call('HSET', key, 't', string.format('%d', one[1]), 'c', string.format('%.17g', one[2]), 'p', string.format('%.17g', one[3]))
  redis.call('PEXPIRE', key, 2 * one[4])
end
return {0, 0}
`;

type Counting = Redis & {
  takeWindows: (keys: number, ...rest: (string | number)[]) => Promise<[refused: number, waitMs: number]>;
};

/** milliseconds that we count here after Redis failed us, instead of waiting for it again at each request */
const pauseMs = 1_000;

/**
 * @param prefix before each key
 * @param local what counts while Redis does not answer
 * @param now a clock instead of Redis's own, for tests
 */
export const createRedisWindows = (
  redis: Redis,
  prefix: string,
  local: Windows,
  log: Log,
  now?: () => number,
): Windows => {
  redis.defineCommand('takeWindows', { lua: script });
  const counting = redis as Counting;
  let pausedUntil = 0;

  const run = (asks: readonly Ask[]): Promise<[number, number]> =>
    counting.takeWindows(
      asks.length,
      ...asks.map(({ name, windowMs }) => `${prefix}rate:${name}:${windowMs}`),
      now ? now() : -1,
      ...asks.flatMap(({ limit, windowMs, cost }) => [limit, windowMs, cost]),
    );
  const isAway = (): boolean => redis.status !== 'ready' || performance.now() < pausedUntil;
  const failed = (error: unknown): void => {
    pausedUntil = performance.now() + pauseMs;
    log.debug({ err: error }, 'rates are counted here for now');
  };

  return {
    take: (asks, told) => {
      if (asks.length === 0) return told(allowed);
      if (isAway()) return local.take(asks, told);
      run(asks).then(
        ([refused, retryAfterMs]) =>
          told(refused === 0 ? allowed : { isAllowed: false, ask: asks[refused - 1]!, retryAfterMs }),
        (error: unknown) => {
          failed(error);
          local.take(asks, told);
        },
      );
    },
  };
};
