// The Rust planner in a process of its own: there are valid queries that end the process it runs in.
// `node planner-process.ts` is that process; it plans what it is sent.
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { QueryPlan } from '../../gateway/src/plan/query-plan.ts';
import { openSupergraph } from '../../gateway/src/plan/supergraph.ts';

type Told = { readonly plan: QueryPlan } | { readonly refusal: string };

export type PlannerProcess = {
  /** Why it is not planned, or the plan. */
  readonly plan: (text: string) => Promise<Told>;
  /** how often it has died of a query */
  readonly deaths: () => number;
  readonly stop: () => void;
};

export const startPlanner = (supergraphFile: string): PlannerProcess => {
  let child: ChildProcess | null = null;
  let deaths = 0;
  const begin = (): ChildProcess =>
    fork(fileURLToPath(import.meta.url), [supergraphFile], { stdio: 'ignore', execArgv: [] });
  return {
    plan: (text) => {
      child ??= begin();
      const asked = child;
      const { promise, resolve } = Promise.withResolvers<Told>();
      const hear = (told: Told): void => {
        asked.off('exit', die);
        resolve(told);
      };
      const die = (): void => {
        deaths += 1;
        child = null;
        resolve({ refusal: 'the planner died of it' });
      };
      asked.once('message', hear);
      asked.once('exit', die);
      asked.send(text);
      return promise;
    },
    deaths: () => deaths,
    stop: () => child?.kill(),
  };
};

const serve = (supergraphFile: string): void => {
  const { planner } = openSupergraph(readFileSync(supergraphFile, 'utf8'), { planningMs: 60_000 });
  const { signal } = new AbortController();
  process.on('message', async (text: string) => {
    const told = await planner.plan(text, undefined, signal).then(
      (plan): Told => ({ plan }),
      (error: Error): Told => ({ refusal: error.message }),
    );
    process.send!(told);
  });
  process.on('disconnect', () => process.exit());
};

if (import.meta.main) serve(process.argv[2]!);
