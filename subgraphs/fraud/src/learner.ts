/**
 * A network of brain.js that learns from labelled assessments. Runs in a thread of its own (learner-thread.ts): training
 * takes seconds. brain.js draws its first weights with Math.random and has no seed, so a seeded one stands in its place
 * while it trains: the same examples and the same seed give the same network. Fraud is rare, so honest examples are
 * thinned out for training, and the threshold is set on examples as they come.
 */
import brain from 'brain.js';
import { highRisk } from './messages.ts';

/** In the order of time. `input` is `inputOf`'s, `score` the rules'. */
export type Example = {
  readonly input: readonly number[];
  readonly isFraud: boolean;
  readonly score: number;
};

/** Everything needed to score; plain JSON. */
export type Network = {
  readonly inputs: readonly string[];
  readonly means: readonly number[];
  readonly spreads: readonly number[];
  /** output from which it would stop an order */
  readonly threshold: number;
  readonly weights: unknown;
};

export type Quality = { readonly precision: number | null; readonly recall: number | null };

export type Lesson = {
  readonly network: Network;
  readonly seed: number;
  readonly trainedOn: number;
  readonly testedOn: number;
  readonly testedFrauds: number;
  readonly net: Quality;
  readonly rules: Quality;
};

/** Frauds in each of the three parts of the examples; fewer teach and prove nothing. */
const leastFrauds = 5;
const leastExamples = 100;
const starts = 3;
const honestForEachFraud = 30;
const iterations = 150;

/** mulberry32 (public domain): 32 bits of state are plenty for first weights. */
const dice = (seed: number) => {
  let state = seed >>> 0;
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const withDice = <T>(roll: () => number, work: () => T): T => {
  const own = Math.random;
  Math.random = roll;
  try {
    return work();
  } finally {
    Math.random = own;
  }
};

export const qualityOf = (stopped: readonly boolean[], isFraud: readonly boolean[]): Quality => {
  const right = stopped.filter((stop, index) => stop && isFraud[index]).length;
  const all = stopped.filter(Boolean).length;
  const frauds = isFraud.filter(Boolean).length;
  return { precision: all > 0 ? right / all : null, recall: frauds > 0 ? right / frauds : null };
};

/** The threshold that is best on these outputs by F1, halfway to the next lower output. */
const bestThreshold = (outputs: readonly number[], isFraud: readonly boolean[]) => {
  const frauds = isFraud.filter(Boolean).length;
  const order = [...outputs.keys()].sort((a, b) => outputs[b]! - outputs[a]!);
  let best = { threshold: 1, f1: 0 };
  let right = 0;
  for (const [place, index] of order.entries()) {
    if (isFraud[index]) right += 1;
    const next = order[place + 1];
    const here = outputs[index]!;
    if (next !== undefined && outputs[next] === here) continue;
    const f1 = (2 * right) / (place + 1 + frauds);
    if (f1 > best.f1) best = { threshold: next === undefined ? here : (here + outputs[next]!) / 2, f1 };
  }
  return best;
};

const scalerOf = (inputs: readonly (readonly number[])[]) => {
  const columns = inputs[0]!.map((_, column) => inputs.map((row) => row[column]!));
  const means = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / column.length);
  const spreads = columns.map((column, index) => {
    const variance = column.reduce((sum, value) => sum + (value - means[index]!) ** 2, 0) / column.length;
    return Math.sqrt(variance) || 1;
  });
  return { means, spreads };
};

const scaled = (input: readonly number[], { means, spreads }: Pick<Network, 'means' | 'spreads'>): number[] =>
  input.map((value, index) => Math.max(-4, Math.min(4, (value - means[index]!) / spreads[index]!)));

const fit = (examples: readonly Example[], scaler: Pick<Network, 'means' | 'spreads'>, seed: number) =>
  withDice(dice(seed), () => {
    const roll = Math.random;
    const frauds = examples.filter((example) => example.isFraud);
    const honest = examples.filter((example) => !example.isFraud);
    const share = Math.min(1, (frauds.length * honestForEachFraud) / honest.length);
    const chosen = [...frauds, ...honest.filter(() => roll() < share)]
      .map((example) => ({ example, at: roll() }))
      .sort((a, b) => a.at - b.at)
      .map(({ example }) => ({ input: scaled(example.input, scaler), output: [Number(example.isFraud)] }));
    const net = new brain.NeuralNetwork({ hiddenLayers: [16], activation: 'sigmoid' });
    net.train(chosen, { iterations, errorThresh: 1e-4, learningRate: 0.1 });
    return net;
  });

/**
 * Learns from the oldest three fifths, chooses among several starts and sets the threshold on the next fifth, and is
 * measured on the newest fifth, which nothing of it has seen. Null where there are too few examples of either kind.
 */
export const learn = (
  examples: readonly Example[],
  inputs: readonly string[],
  seed: number,
): Lesson | null => {
  if (examples.length < leastExamples) return null;
  const firstCut = Math.floor(examples.length * 0.6);
  const secondCut = Math.floor(examples.length * 0.8);
  const parts = [
    examples.slice(0, firstCut),
    examples.slice(firstCut, secondCut),
    examples.slice(secondCut),
  ] as const;
  const [training, choosing, testing] = parts;
  const fraudsIn = (part: readonly Example[]): number => part.filter(({ isFraud }) => isFraud).length;
  if (parts.some((part) => fraudsIn(part) < leastFrauds || fraudsIn(part) === part.length)) return null;

  const scaler = scalerOf(training.map(({ input }) => input));
  const labels = (part: readonly Example[]): boolean[] => part.map(({ isFraud }) => isFraud);
  const tries = [...Array(starts).keys()].map((start) => {
    const net = fit(training, scaler, seed + start);
    const outputs = choosing.map(({ input }) => net.run<number[], number[]>(scaled(input, scaler))[0]!);
    // How it was trained does not survive JSON (an endless time-out becomes null) and is not needed to score.
    const { trainOpts: _, ...weights } = net.toJSON();
    return { weights, ...bestThreshold(outputs, labels(choosing)) };
  });
  const { weights, threshold } = tries.reduce((best, each) => (each.f1 > best.f1 ? each : best));
  const network: Network = { inputs, ...scaler, threshold, weights };
  const outputs = outputsOf(
    network,
    testing.map(({ input }) => input),
  );
  return {
    network,
    seed,
    trainedOn: secondCut,
    testedOn: testing.length,
    testedFrauds: fraudsIn(testing),
    net: qualityOf(
      outputs.map((output) => output >= threshold),
      labels(testing),
    ),
    rules: qualityOf(
      testing.map((example) => example.score > highRisk),
      labels(testing),
    ),
  };
};

/** 0 to 1 for each input. */
export const outputsOf = (network: Network, inputs: readonly (readonly number[])[]): number[] => {
  const net = new brain.NeuralNetwork();
  net.fromJSON(network.weights as Parameters<typeof net.fromJSON>[0]);
  return inputs.map((input) => net.run<number[], number[]>(scaled(input, network))[0]!);
};

/** An output as a score of 0 to 100 that passes 80 where the output passes the network's threshold. */
export const toScore = (output: number, threshold: number): number =>
  output >= threshold
    ? Math.min(100, highRisk + 1 + Math.floor((19 * (output - threshold)) / Math.max(1 - threshold, 1e-9)))
    : Math.min(highRisk, Math.floor((highRisk * output) / Math.max(threshold, 1e-9)));
