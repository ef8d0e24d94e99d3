// Keeps the planners' process: starts it when there is something to plan, gives it one operation at a time, so that it is
// clear which one it died of, and lets it go when nothing was asked for a while.
import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from './planner.ts';
import type { FromPlanner, ToPlanner } from './planner-process.ts';
import type { QueryPlan } from './query-plan.ts';

type Job = {
  readonly document: string;
  readonly operationName: string | undefined;
  readonly signal: AbortSignal;
  readonly begun: () => void;
  readonly planned: (plan: QueryPlan) => void;
  readonly refused: (problem: Error) => void;
};

const idleMs = 60_000;
/** milliseconds; nobody waits for a plan as long as a process may take to start on a busy machine */
const startMs = 60_000;
/** operations that are known to end the process */
const mostDeadly = 1_000;

const program = fileURLToPath(new URL(`./planner-process${extname(import.meta.url)}`, import.meta.url));

const keyOf = ({ document, operationName }: Job): string => `${operationName ?? ''}\n${document}`;

export class PlannerChild {
  readonly #sdl: string;
  #child: ChildProcess | null = null;
  #waiting: Job[] = [];
  #current: Job | null = null;
  #id = 0;
  readonly #deadly = new Set<string>();
  #idle: NodeJS.Timeout | null = null;
  /** Whether the process has read the supergraph: before that nothing is asked of it, and no job is to blame for it. */
  #isReady = false;
  #late: NodeJS.Timeout | null = null;
  #readiness = Promise.withResolvers<void>();

  constructor(sdl: string) {
    this.#sdl = sdl;
    // Nobody may ever have waited for it when it is closed.
    this.#readiness.promise.catch(() => undefined);
  }

  readonly engine: Engine = (document, operationName, signal, begun) =>
    new Promise((planned, refused) => {
      const job = { document, operationName, signal, begun, planned, refused };
      this.#waiting.push(job);
      signal.addEventListener('abort', () => this.#giveUp(job), { once: true });
      this.#next();
    });

  /** Starts the process where there is none. @throws where it ends before it has read the supergraph */
  readonly ready = (): Promise<void> => {
    this.#child ??= this.#start();
    this.#child.channel?.ref();
    return this.#readiness.promise;
  };

  close(): void {
    this.#stop();
    for (const job of this.#waiting.splice(0)) job.refused(new Error('the planner is closed'));
  }

  #next(): void {
    if (this.#current) return;
    if (this.#idle && this.#waiting.length > 0) {
      clearTimeout(this.#idle);
      this.#idle = null;
    }
    if (this.#waiting.length > 0 && !this.#isReady) {
      this.#child ??= this.#start();
      this.#child.channel?.ref();
      return;
    }
    const job = this.#waiting.shift();
    if (!job) {
      // It keeps nobody's process alive but for a plan that is waited for.
      this.#child?.channel?.unref();
      this.#idle ??= setTimeout(() => this.#stop(), idleMs).unref();
      return;
    }
    this.#current = job;
    this.#id++;
    this.#send({
      kind: 'plan',
      id: this.#id,
      document: job.document,
      operationName: job.operationName,
      isDeadly: this.#deadly.has(keyOf(job)),
    });
  }

  #send(message: ToPlanner): void {
    this.#child?.channel?.ref();
    this.#child?.send(message);
  }

  /** Without the gateway's environment: there are secrets in it. */
  #start(): ChildProcess {
    this.#readiness = Promise.withResolvers<void>();
    // Whoever does not wait for it hears of it with their plan.
    this.#readiness.promise.catch(() => undefined);
    const child = fork(program, [], { execArgv: [], env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    child.on('message', (message: FromPlanner) => {
      if (this.#child !== child) return;
      if ('isReady' in message) {
        this.#started();
        return;
      }
      if (message.id !== this.#id || !this.#current) return;
      const job = this.#current;
      if ('isTaken' in message) {
        job.begun();
        return;
      }
      this.#current = null;
      if ('plan' in message) job.planned(message.plan);
      else job.refused(new Error(message.problem));
      this.#next();
    });
    child.on('error', () => this.#died(child));
    child.on('exit', () => this.#died(child));
    child.unref();
    child.send({ kind: 'supergraph', sdl: this.#sdl } satisfies ToPlanner);
    this.#late = setTimeout(() => child.kill('SIGKILL'), startMs).unref();
    return child;
  }

  #started(): void {
    this.#isReady = true;
    this.#readiness.resolve();
    this.#forgetStart();
    this.#next();
  }

  #forgetStart(): void {
    if (this.#late) clearTimeout(this.#late);
    this.#late = null;
  }

  #died(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#forgetStart();
    if (!this.#isReady) {
      this.#readiness.reject(new Error('the planner does not start'));
      for (const job of this.#waiting.splice(0)) job.refused(new Error('the planner does not start'));
      return;
    }
    this.#isReady = false;
    const job = this.#current;
    this.#current = null;
    if (job) {
      const key = keyOf(job);
      if (this.#deadly.has(key)) {
        job.refused(new Error('the planners end at this operation'));
      } else {
        if (this.#deadly.size < mostDeadly) this.#deadly.add(key);
        else job.refused(new Error('too many operations ended the planner'));
        // once more, without the planner that died of it
        if (this.#deadly.has(key)) this.#waiting.unshift(job);
      }
    }
    this.#next();
  }

  /**
   * Nobody waits for it any more. What cannot be interrupted is ended with its process, but not a process that is only
   * starting: on a busy machine none would ever be there.
   */
  #giveUp(job: Job): void {
    this.#waiting = this.#waiting.filter((one) => one !== job);
    job.refused(new Error('nobody waits for the plan any more'));
    if (this.#current !== job) return;
    this.#current = null;
    this.#stop();
    this.#next();
  }

  #stop(): void {
    const child = this.#child;
    this.#child = null;
    this.#isReady = false;
    this.#readiness.reject(new Error('the planner is closed'));
    this.#forgetStart();
    child?.kill('SIGKILL');
  }
}
