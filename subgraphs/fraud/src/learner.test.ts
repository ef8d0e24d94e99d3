import { describe, expect, test } from 'vitest';
import { type Example, learn, outputsOf, qualityOf, toScore } from './learner.ts';
import { highRisk } from './messages.ts';
import { openStudy } from './study.ts';

const names = ['risk', 'noise'];

/** One in ten is fraud; the first input tells, the second does not. Made by a formula, so always the same. */
const examples: Example[] = Array.from({ length: 600 }, (_, index) => {
  const isFraud = index % 10 === 3;
  return {
    isFraud,
    input: [(isFraud ? 5 : 1) + Math.sin(index), Math.cos(7 * index)],
    score: isFraud ? 60 : 5,
  };
});

describe('a network', () => {
  test('learns what can be told apart, and is measured on what it has not seen', () => {
    const lesson = learn(examples, names, 1)!;
    expect(lesson).toMatchObject({ trainedOn: 480, testedOn: 120, testedFrauds: 12 });
    expect(lesson.net).toEqual({ precision: 1, recall: 1 });
    // The rules' scores are all below their threshold here: they stop nothing.
    expect(lesson.rules).toEqual({ precision: null, recall: 0 });
    const stored = JSON.parse(JSON.stringify(lesson.network));
    expect(stored).toEqual(lesson.network);
    const [low, high] = outputsOf(stored, [
      [1, 0],
      [5, 0],
    ]);
    expect(low!).toBeLessThan(lesson.network.threshold);
    expect(high!).toBeGreaterThan(lesson.network.threshold);
  });

  test('is the same for the same examples and seed, and another for another seed', () => {
    expect(learn(examples, names, 7)).toEqual(learn(examples, names, 7));
    expect(learn(examples, names, 7)?.network.weights).not.toEqual(
      learn(examples, names, 8)?.network.weights,
    );
  });

  test('leaves chance to others as it was', () => {
    const own = Math.random;
    learn(examples, names, 1);
    expect(Math.random).toBe(own);
  });

  test('is not made of too few examples, nor of one kind only', () => {
    expect(learn(examples.slice(0, 80), names, 1)).toBeNull();
    expect(
      learn(
        examples.filter(({ isFraud }) => !isFraud),
        names,
        1,
      ),
    ).toBeNull();
    expect(
      learn(
        examples.filter(({ isFraud }) => isFraud),
        names,
        1,
      ),
    ).toBeNull();
  });

  test('scores over 80 from its threshold on, and never outside 0 to 100', () => {
    expect([0, 0.29, 0.3, 1].map((output) => toScore(output, 0.3))).toEqual([0, 77, 81, 100]);
    expect(toScore(1, 1)).toBeGreaterThan(highRisk);
  });
});

test('precision is of what was stopped, recall of what should have been', () => {
  expect(qualityOf([true, true, false, false], [true, false, true, false])).toEqual({
    precision: 0.5,
    recall: 0.5,
  });
});

test('the thread says what the network says, and the host goes on meanwhile', async () => {
  const study = openStudy();
  try {
    const pauses: number[] = [];
    let last = performance.now();
    const clock = setInterval(() => {
      pauses.push(performance.now() - last);
      last = performance.now();
    }, 2);
    const lesson = await study.learn(examples, names, 1);
    clearInterval(clock);
    expect(lesson).toEqual(learn(examples, names, 1));
    const inputs = examples.map(({ input }) => input);
    expect(await study.score(lesson!.network, inputs)).toEqual(outputsOf(lesson!.network, inputs));
    expect(pauses.length).toBeGreaterThan(5);
    // The machine may be busy with others; what must not happen is a pause for as long as training takes.
    expect(pauses.toSorted((a, b) => a - b)[pauses.length >> 1]).toBeLessThan(20);
    await expect(study.score({ ...lesson!.network, weights: null }, inputs)).rejects.toThrow();
    expect(await study.score(lesson!.network, inputs)).toHaveLength(inputs.length);
  } finally {
    await study.close();
  }
});
