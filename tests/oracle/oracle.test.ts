// The same questions to a schema without federation and to the gateway's executor; `npm run verify -- oracle` asks many more.
import { afterAll, expect, test } from 'vitest';
import { canonical, differenceOf, gapOf, unexplained } from './answer.ts';
import type { Contestant } from './contest.ts';
import { runOracle, simplified, toldFinding } from './oracle.ts';
import { openOurs } from './ours.ts';

const rust = openOurs('rust');
const apollo = openOurs('apollo');
afterAll(() => {
  rust.close?.();
  apollo.close?.();
});

const queries = 2_000;

test(`${queries} generated queries are answered as if there were no federation`, {
  timeout: 600_000,
}, async () => {
  const contests = [
    { contestant: rust, every: 1, withAway: true },
    { contestant: apollo, every: 25, withAway: true },
  ];
  const tally = await runOracle(contests, 1, queries, 3);
  const told = await Promise.all(
    tally.findings.map(async (finding) =>
      toldFinding(await simplified(finding.contestant === rust.name ? rust : apollo, finding)),
    ),
  );
  expect(told.join('\n')).toBe('');
  // All kinds of questions have been asked, and more than a few of them go wrong in part.
  expect(tally.compared[rust.name]).toBeGreaterThan(2 * queries);
  expect(tally.compared[apollo.name]).toBeGreaterThan(queries / 20);
  expect(tally.withErrors).toBeGreaterThan(queries / 4);
  expect(tally.lostByThePlan).toBeLessThan(queries / 50);
});

// Found by asking 100,000.
test.each([
  ['@apollo/query-planner asks before what is required has come', [3_986, 4_697, 13_986, 14_284, 15_222]],
  ['planners forget an object of which all may be skipped', [4_346, 4_832, 9_220, 10_336, 15_898]],
  ['a mutation is asked for twice under one key', [54_150, 6_465, 13_080, 26_565]],
  ['@apollo/query-planner declares variables of no use', [35_774, 69_117, 90_885]],
  ['a call that failed is told at so many places, and not at more', [15_191]],
])('answers are right where %s', { timeout: 60_000 }, async (_, seeds) => {
  const contests = [rust, apollo].map((contestant) => ({ contestant, every: 1, withAway: true }));
  for (const seed of seeds) {
    const { findings } = await runOracle(contests, seed, 1);
    expect(findings.map(toldFinding).join('\n')).toBe('');
  }
});

/** The executor, but for what a mistake in it would do to an answer. */
const mistaken = (mistake: (text: string) => string): Contestant => ({
  name: 'a gateway with a mistake',
  answer: async (query, asking) => JSON.parse(mistake(JSON.stringify(await apollo.answer(query, asking)))),
});

test.each<[string, (text: string) => string]>([
  ['a text that is changed', (text) => text.replace('plain', 'plane')],
  ['an error that is lost', (text) => text.replace(/"errors":\[\{.*\}\]/, '"x":0')],
  ['a null that is made up', (text) => text.replace(/"id":"u1"/, '"id":null')],
])('%s is found', async (_, mistake) => {
  const contests = [{ contestant: mistaken(mistake), every: 1, withAway: false }];
  const { findings } = await runOracle(contests, 1, 120, 1);
  expect(findings).not.toHaveLength(0);
});

test('an error explains the gap above it, and nothing where there is none', () => {
  const data = { a: [{ b: null }, null], c: 1 };
  expect(gapOf(data, ['a', 0, 'b'])).toBe('["a",0,"b"]');
  expect(gapOf(data, ['a', 1, 'b', 'deeper'])).toBe('["a",1]');
  expect(gapOf(data, ['c'])).toMatch(/^no gap/);
  expect(gapOf(data, ['a', 0, 'x'])).toMatch(/^nowhere/);
  expect(differenceOf({ data }, { data, errors: [{ message: 'no', path: ['a', 1] }] })).toMatch(/^gaps/);
});

test('while a subgraph is away, what is lost is explained and the rest is right', () => {
  const whole = { data: { a: { b: 1 }, c: [2] } };
  const away = [{ message: 'away', path: ['a', 'b'] }];
  expect(unexplained(whole, { data: { a: null, c: [2] }, errors: away })).toBeNull();
  expect(unexplained(whole, { data: { a: null, c: [3] }, errors: away })).toMatch(/^lost/);
  expect(unexplained(whole, { data: { a: null, c: [2] } })).toMatch(/^lost/);
});

test('keys that are traps are keys', () => {
  expect(canonical(JSON.parse('{"b":1,"__proto__":{"z":[null]}}'))).toBe('{"__proto__":{"z":[null]},"b":1}');
});
