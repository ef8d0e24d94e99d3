/** Draws that fall the same way for the same text, fast enough for millions. */
import { hash } from 'node:crypto';

export type Dice = {
  /** in [0, 1) */
  readonly fraction: () => number;
  /** 32 bits */
  readonly bits: () => number;
  /** of a normal distribution with mean 0 and deviation 1 */
  readonly normal: () => number;
  /** of a Poisson distribution */
  readonly poisson: (mean: number) => number;
};

/** The generator is sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, sums and shifts only. */
export const diceOf = (seed: string): Dice => {
  const start = hash('sha256', seed, 'buffer');
  let [a, b, c, counter] = [0, 4, 8, 12].map((at) => start.readInt32LE(at)) as [
    number,
    number,
    number,
    number,
  ];
  const bits = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  const fraction = (): number => bits() / 2 ** 32;
  return {
    bits,
    fraction,
    // Box and Muller (1958), of whose two results one is used.
    normal: () => Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction()),
    // Knuth, TAOCP 2, 3.4.1: for small means.
    poisson: (mean) => {
      const limit = Math.exp(-mean);
      let count = 0;
      for (let product = fraction(); product > limit; product *= fraction()) count += 1;
      return count;
    },
  };
};

/** One of many with chances by weight: what `at(fraction)` answers for a fraction in [0, 1). */
export const weighted = <T>(from: readonly T[], weightOf: (each: T) => number): ((fraction: number) => T) => {
  const reach: number[] = [];
  let sum = 0;
  for (const each of from) {
    sum += weightOf(each);
    reach.push(sum);
  }
  return (fraction) => {
    const wanted = fraction * sum;
    let [low, high] = [0, reach.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (reach[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return from[low]!;
  };
};
