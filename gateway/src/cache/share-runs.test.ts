import { expect, test, vi } from 'vitest';
import type { Operation, Outcome, Variables } from '../execute/operation.ts';
import { type RunCounts, shareRuns } from './share-runs.ts';

type Asking = { readonly user: string | null };

const open = (kind: Operation<Asking>['kind'] = 'query') => {
  const underWay: { variables: Variables; asking: Asking; outcome: Outcome }[] = [];
  const counts: RunCounts = { asked: 0, joined: 0 };
  const operation: Operation<Asking> = {
    kind,
    run: (variables, asking, outcome) => void underWay.push({ variables, asking, outcome }),
    weight: 1,
    describe: () => 'plan',
  };
  const shared = shareRuns(operation, { scopeOf: ({ user }) => (user === null ? '' : null), counts });
  const answers: string[] = [];
  const ask = (variables: Variables = {}, user: string | null = null) =>
    shared.run(variables, { user }, { done: (body) => void answers.push(body) });
  return { underWay, counts, shared, operation, answers, ask };
};

test('a thousand visitors who ask the same are answered by one run', () => {
  const { underWay, counts, answers, ask } = open();
  for (let at = 0; at < 1_000; at += 1) ask({ first: 10 });
  expect(underWay).toHaveLength(1);
  underWay[0]!.outcome.done('{"data":1}', false);
  expect(answers).toEqual(new Array(1_000).fill('{"data":1}'));
  expect(counts).toEqual({ asked: 1_000, joined: 999 });
});

test('those who can take bytes are given the very same ones, and who asks alone is given text', () => {
  const { underWay, shared } = open();
  const bytes: (Buffer | string)[] = [];
  const outcome: Outcome = {
    done: (body) => void bytes.push(body),
    doneAlike: (body) => void bytes.push(body),
  };
  for (let at = 0; at < 3; at += 1) shared.run({}, { user: null }, outcome);
  underWay[0]!.outcome.done('{"data":"\xc3\xa9"}', false);
  expect(new Set(bytes).size).toBe(1);
  expect(bytes).toHaveLength(3);
  expect(bytes[0]!.toString()).toBe('{"data":"é"}');
  shared.run({}, { user: null }, outcome);
  underWay[1]!.outcome.done('{}', false);
  expect(bytes.at(-1)).toBe('{}');
});

test('other variables are another question, and so is the same one after its answer', () => {
  const { underWay, ask } = open();
  ask({ first: 10 });
  ask({ first: 20 });
  ask();
  expect(underWay).toHaveLength(3);
  underWay[0]!.outcome.done('{}', false);
  ask({ first: 10 });
  expect(underWay).toHaveLength(4);
});

test('what somebody asks who is signed in is nobody else’s answer', () => {
  const { underWay, counts, ask } = open();
  ask({}, 'ann');
  ask({}, 'ann');
  ask({}, 'bob');
  ask({});
  expect(underWay.map(({ asking }) => asking.user)).toEqual(['ann', 'ann', 'bob', null]);
  expect(counts).toEqual({ asked: 1, joined: 0 });
});

test('a mutation runs as often as it is asked for', () => {
  const { shared, operation } = open('mutation');
  expect(shared).toBe(operation);
});

test('who asks while an answer is given gets a new one', () => {
  const { underWay, ask, shared } = open();
  shared.run({}, { user: null }, { done: () => ask() });
  underWay[0]!.outcome.done('{}', false);
  expect(underWay).toHaveLength(2);
});

test('nobody joins a run that takes long', () => {
  vi.useFakeTimers();
  try {
    const { underWay, answers, ask } = open();
    ask();
    vi.advanceTimersByTime(501);
    ask();
    expect(underWay).toHaveLength(2);
    underWay[0]!.outcome.done('old', false);
    ask();
    expect(underWay).toHaveLength(2);
    underWay[1]!.outcome.done('new', false);
    expect(answers).toEqual(['old', 'new', 'new']);
  } finally {
    vi.useRealTimers();
  }
});

test('scopes cannot be mistaken for variables', () => {
  const underWay: unknown[] = [];
  const operation: Operation<string> = {
    kind: 'query',
    run: (variables) => void underWay.push(variables),
    weight: 1,
    describe: () => '',
  };
  const shared = shareRuns(operation, { scopeOf: (scope) => scope, counts: { asked: 0, joined: 0 } });
  shared.run({ a: 1 }, 'x', { done: () => {} });
  shared.run({}, 'x{"a":1}', { done: () => {} });
  expect(underWay).toHaveLength(2);
});
