// The planners in a process of their own. The Rust planner ends its whole process at some valid operations, and no limit
// can tell which; here that costs one process that is started again. It also keeps planning off the thread that answers.
import { openApolloPlanner } from './apollo-planner.ts';
import { openHivePlanner } from './hive-planner.ts';
import { planCheck } from './plan-check.ts';
import type { Engine } from './planner.ts';
import type { QueryPlan } from './query-plan.ts';

export type ToPlanner =
  | { readonly kind: 'supergraph'; readonly sdl: string }
  | {
      readonly kind: 'plan';
      readonly id: number;
      readonly document: string;
      readonly operationName: string | undefined;
      /** The first planner died of it. */
      readonly isDeadly: boolean;
    };

export type FromPlanner =
  | { readonly isReady: true }
  /** from here on it takes as long as planning takes */
  | { readonly id: number; readonly isTaken: true }
  | { readonly id: number; readonly plan: QueryPlan }
  | { readonly id: number; readonly problem: string };

/** The Rust planner knows for sure when no subgraph can deliver a field. */
const isCertain = (error: unknown, sdl: string): boolean => {
  const item = error instanceof Error && /No paths found for selection item: (\w+)/.exec(error.message)?.[1];
  return Boolean(item) && !new RegExp(`^(?:type|interface|union) ${item}\\b`, 'm').test(sdl);
};

/**
 * The Rust planner is young and refuses some operations that can be planned, with entities that are reached over several
 * keys above all. The other planner, slower by far, is asked for those.
 */
const withSecondOpinion = (sdl: string) => {
  const first = openHivePlanner(sdl).engine;
  const check = planCheck(sdl);
  let opened: Engine | null = null;
  const second: Engine = (...asked) => {
    opened ??= openApolloPlanner(sdl).engine;
    return opened(...asked);
  };
  const plan: Engine = async (...asked) => {
    try {
      const made = await first(...asked);
      check(made);
      return made;
    } catch (error) {
      if (isCertain(error, sdl)) throw error;
      return second(...asked).catch(() => {
        throw error;
      });
    }
  };
  const warmUp = (): void => {
    opened ??= openApolloPlanner(sdl).engine;
  };
  return { plan, second, warmUp };
};

const quietMs = 200;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const serve = (): void => {
  const never = new AbortController().signal;
  let planners: ReturnType<typeof withSecondOpinion> | null = null;
  let isWarming = false;
  const warmUp = (): void => {
    try {
      planners?.warmUp();
    } catch {
      // It cannot read every supergraph; whoever needs it hears so.
    }
  };
  process.on('message', async (message: ToPlanner) => {
    if (message.kind === 'supergraph') {
      planners = withSecondOpinion(message.sdl);
      process.send!({ isReady: true } satisfies FromPlanner);
      return;
    }
    const { id, document, operationName, isDeadly } = message;
    process.send!({ id, isTaken: true } satisfies FromPlanner);
    let answer: FromPlanner;
    try {
      const engine = isDeadly ? planners!.second : planners!.plan;
      answer = { id, plan: await engine(document, operationName, never, () => undefined) };
    } catch (error) {
      answer = { id, problem: messageOf(error) };
    }
    process.send!(answer);
    // The second planner takes a moment to open; who needs it has a deadline.
    if (isWarming) return;
    isWarming = true;
    setTimeout(warmUp, quietMs).unref();
  });
  process.on('disconnect', () => process.exit());
};

if (import.meta.main) serve();
