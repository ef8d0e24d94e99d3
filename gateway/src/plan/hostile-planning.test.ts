// Whoever asks for plans and does not wait for them.
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { marketSdl } from '../execute/fixture-market.ts';
import { PlannerChild } from './planner-child.ts';

let planner: PlannerChild;
afterEach(() => planner.close());

const ignored = () => undefined;

const query = (at: number): string => `query Q${at} { product(id: "p${at}") { title left } }`;

test('a process is there in the end, though nobody waits for as long as it takes to start', async () => {
  planner = new PlannerChild(marketSdl);
  let planned = 0;
  for (let at = 0; planned === 0 && at < 500; at++)
    await planner.engine(query(at), undefined, AbortSignal.timeout(60), ignored).then(
      () => {
        planned += 1;
      },
      () => undefined,
    );
  expect(planned).toBe(1);
}, 60_000);

test('those who gave up before the process was there are not planned for, and the next one is', async () => {
  planner = new PlannerChild(marketSdl);
  const impatient = Array.from({ length: 50 }, (_, at) =>
    planner.engine(query(at), undefined, AbortSignal.timeout(1), ignored).then(
      () => 'planned',
      (error: Error) => error.message,
    ),
  );
  await pause(10);
  const patient = planner.engine(query(50), undefined, new AbortController().signal, ignored);
  expect(new Set(await Promise.all(impatient))).toEqual(new Set(['nobody waits for the plan any more']));
  expect((await patient).node).toMatchObject({ kind: 'sequence' });
}, 60_000);

test('where there is no supergraph to plan with, everybody is told at once, and nobody waits', async () => {
  planner = new PlannerChild('type Query { a: Int }');
  const asked = [1, 2].map((at) =>
    planner.engine(query(at), undefined, new AbortController().signal, ignored),
  );
  for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected');
}, 60_000);
