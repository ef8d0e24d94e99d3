// A sliding window out of two buckets: what fell into the one before counts by the part of it that the window still
// covers. At most as wrong as the previous bucket was uneven, and two numbers per name whatever the traffic.
// https://blog.cloudflare.com/counting-things-a-lot-of-different-things/

export type Ask = {
  /** who, and of what */
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
  /** how much of the limit this takes */
  readonly cost: number;
};

export type Verdict =
  | { readonly isAllowed: true }
  | { readonly isAllowed: false; readonly ask: Ask; readonly retryAfterMs: number };

export type Bucket = { readonly turn: number; readonly current: number; readonly previous: number };

const empty: Bucket = { turn: Number.NEGATIVE_INFINITY, current: 0, previous: 0 };

/** The bucket as it stands now; `now` in milliseconds. */
export const turned = (bucket: Bucket | undefined, { windowMs }: Ask, now: number): Bucket => {
  const { turn, current, previous } = bucket ?? empty;
  const present = Math.floor(now / windowMs);
  // A clock that went back does not open the window again.
  if (turn >= present) return { turn, current, previous };
  return { turn: present, current: 0, previous: turn === present - 1 ? current : 0 };
};

const passedOf = ({ turn }: Bucket, { windowMs }: Ask, now: number): number =>
  Math.max(0, now / windowMs - turn);

/** Milliseconds until there is room for the cost; 0 where there is. What is dearer than the limit waits two windows. */
export const waitFor = (bucket: Bucket, ask: Ask, now: number): number => {
  const { limit, windowMs, cost } = ask;
  const { current, previous } = bucket;
  const passed = passedOf(bucket, ask, now);
  if (previous * (1 - passed) + current + cost <= limit) return 0;
  if (cost > limit) return 2 * windowMs;
  const until =
    current + cost <= limit ? 1 - (limit - current - cost) / previous : 2 - (limit - cost) / current;
  return Math.max(1, Math.ceil((until - passed) * windowMs));
};

export const filled = (bucket: Bucket, cost: number): Bucket => ({
  ...bucket,
  current: bucket.current + cost,
});
