// Chance that can be repeated.

export type Dice = {
  /** 0 to 1, without 1 */
  readonly roll: () => number;
  /** true once in `n` */
  readonly oneIn: (n: number) => boolean;
  /** 0 to n - 1 */
  readonly below: (n: number) => number;
  readonly pick: <T>(from: readonly T[]) => T;
};

/** mulberry32 */
export const diceOf = (seed: number): Dice => {
  let state = seed >>> 0;
  const roll = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n: number): number => Math.floor(roll() * n);
  return { roll, below, oneIn: (n) => below(n) === 0, pick: (from) => from[below(from.length)]! };
};

/** FNV-1a of what it is called, for chance that belongs to a place. */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
};
