import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines, type Timed } from './deadlines.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const timed = (name: string, deadline: number, over: string[], then = (): void => {}): Timed => ({
  deadline,
  earlier: null,
  later: null,
  expire: () => {
    over.push(name);
    then();
  },
});

test('whatever the order they come in, each is over in its time, and none before', () => {
  const deadlines = new Deadlines();
  const over: { readonly deadline: number; readonly at: number }[] = [];
  const began = performance.now();
  for (let at = 0; at < 500; at += 1) {
    const deadline = began + ((at * 7_919) % 30_000);
    const one: Timed = {
      deadline,
      earlier: null,
      later: null,
      expire: (now) => over.push({ deadline, at: now }),
    };
    deadlines.add(one);
  }
  vi.advanceTimersByTime(40_000);
  expect(over).toHaveLength(500);
  expect(deadlines.size).toBe(0);
  for (const { deadline, at } of over) {
    expect(at).toBeGreaterThanOrEqual(deadline);
    expect(at - deadline).toBeLessThanOrEqual(100);
  }
});

test('what is taken out is never over, also when another takes it out', () => {
  const deadlines = new Deadlines();
  const over: string[] = [];
  const soon = performance.now() + 100;
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => timed(name, soon, over)) as [
    Timed,
    Timed,
    Timed,
    Timed,
  ];
  for (const one of [a, b, c]) deadlines.add(one);
  deadlines.add({ ...d, expire: () => deadlines.remove(b) });
  deadlines.remove(a);
  vi.advanceTimersByTime(1_000);
  expect(over).toEqual(['c']);
  expect(deadlines.size).toBe(0);
});

test('what has passed already is over at the next turn', () => {
  const deadlines = new Deadlines();
  const over: string[] = [];
  vi.advanceTimersByTime(5_000);
  deadlines.add(timed('late', performance.now() - 3_000, over));
  vi.advanceTimersByTime(150);
  expect(over).toEqual(['late']);
});
