// A gateway asked by people who mean well, first in peace, then amid those who do not. Both come at their own pace, however
// slowly they are answered.
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { diceOf } from '../oracle/dice.ts';
import { type Act, acts } from './acts.ts';
import { openBookshop } from './bookshop.ts';
import { startMetered } from './metered-gateway.ts';

export type Plan = {
  readonly seconds: number;
  readonly calmSeconds: number;
  /** bad requests in a second */
  readonly rate: number;
  /** good ones */
  readonly good: number;
  readonly seed: number;
  /** milliseconds after which nobody who means well waits any longer */
  readonly deadlineMs: number;
};

export type Served = {
  readonly asked: number;
  /** rightly, and in time */
  readonly served: number;
  /** milliseconds */
  readonly p50: number;
  readonly p99: number;
  /** why others were not, each reason once */
  readonly lost: readonly string[];
};

export type SiegeReport = {
  readonly plan: Plan;
  readonly calm: Served;
  readonly siege: Served;
  /** served under siege against calm, of as many in a second */
  readonly share: number;
  /** milliseconds that the gateway's event loop came too late in peace, and under siege */
  readonly calmDelayP99Ms: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  /** of one core, in peace and under siege */
  readonly cpu: readonly [number, number];
  /** of the time, in which the gateway could have gone on and the machine had no core for it */
  readonly waited: readonly [number, number];
  readonly heapMiB: readonly [before: number, after: number];
  readonly rssMiB: readonly [before: number, after: number];
  readonly isAlive: boolean;
  readonly bad: { readonly sent: number; readonly kinds: number };
  /** what was answered otherwise than it should have been, each kind with an example */
  readonly wrong: readonly { readonly what: string; readonly times: number; readonly example: string }[];
};

/** bad ones under way at most: the siege must not fall over itself */
const mostAtOnce = 2_000;

/** Calls `act` so many times in a second, for so long, and catches up where a turn came late. */
const atPace = async (perSecond: number, seconds: number, act: () => void): Promise<void> => {
  const began = performance.now();
  const all = Math.round(perSecond * seconds);
  for (let done = 0; done < all; await pause(2)) {
    const due = Math.min(all, Math.floor(((performance.now() - began) / 1_000) * perSecond));
    for (; done < due; done++) act();
  }
};

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Milliseconds until the right answer, or why there was none. */
type Outcome = number | string;

const sendWell = (url: string, id: number, began: number, patienceMs: number): Promise<Outcome | 'again'> =>
  new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => {
        const isRight = text === `{"data":{"book":{"title":"Volume ${id}","stars":4}}}`;
        resolve(isRight ? performance.now() - began : `wrong: ${text.slice(0, 200)}`);
      });
      response.on('error', ({ message }) => resolve(message));
    });
    sent.setTimeout(patienceMs, () => sent.destroy(new Error('silence')));
    // A connection that was at rest may have been closed by the other side just now, which is nobody's fault.
    sent.on('error', ({ message }) =>
      resolve(sent.reusedSocket && message !== 'silence' ? 'again' : message),
    );
    const query = 'query Book($id: ID!) { book(id: $id) { title stars } }';
    sent.end(JSON.stringify({ query, variables: { id: `${id}` } }));
  });

const askWell = async (url: string, id: number, deadlineMs: number): Promise<Outcome> => {
  const began = performance.now();
  for (;;) {
    const outcome = await sendWell(url, id, began, 2 * deadlineMs);
    if (outcome !== 'again') return typeof outcome === 'number' && outcome > deadlineMs ? 'late' : outcome;
  }
};

const serve = async (url: string, { good, deadlineMs }: Plan, seconds: number): Promise<Served> => {
  const under: Promise<Outcome>[] = [];
  await atPace(good, seconds, () => under.push(askWell(url, under.length % 5, deadlineMs)));
  const outcomes = await Promise.all(under);
  const times = outcomes.filter((outcome) => typeof outcome === 'number');
  return {
    asked: under.length,
    served: times.length,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    lost: [...new Set(outcomes.filter((outcome) => typeof outcome === 'string'))],
  };
};

type Wrong = { times: number; readonly example: string };

const openSiege = (url: string, seed: number) => {
  const dice = diceOf(seed);
  const wrong = new Map<string, Wrong>();
  const under = new Set<Promise<void>>();
  let queue: Act[] = [];
  let serial = 0;
  /** Each kind once before any comes again, in an order of the dice. */
  const next = (): Act => {
    if (queue.length === 0)
      queue = acts
        .map((act) => ({ act, at: dice.roll() }))
        .sort((a, b) => a.at - b.at)
        .map(({ act }) => act);
    return queue.pop()!;
  };
  const note = (what: string, problem: string | null): void => {
    if (problem === null) return;
    const known = wrong.get(what);
    if (known) known.times += 1;
    else wrong.set(what, { times: 1, example: problem.slice(0, 600) });
  };
  return {
    strike: (): void => {
      const { what, run } = next();
      serial += 1;
      if (under.size >= mostAtOnce) {
        note('all', 'too many were under way');
        return;
      }
      const done = run(url, serial).then(
        (problem) => note(what, problem),
        (error: unknown) => note(what, String(error)),
      );
      under.add(done);
      void done.finally(() => under.delete(done));
    },
    /** Waits for those under way. */
    end: async () => {
      await Promise.all(under);
      return { sent: serial, wrong: [...wrong].map(([what, one]) => ({ what, ...one })) };
    },
  };
};

/** The whole of it, with a gateway of its own. */
export const besiege = async (plan: Plan): Promise<SiegeReport> => {
  const { seconds, calmSeconds, rate, seed } = plan;
  const bookshop = await openBookshop();
  const gateway = await startMetered({
    file: 'gateway/src/standalone/main.ts',
    args: bookshop.argsWithPartners,
  });
  try {
    const { url } = gateway;
    // A program that has never seen the like of it is slow, and that is not what is looked at.
    const rehearsal = openSiege(url, seed + 1);
    const warming = Math.min(3, seconds);
    await Promise.all([serve(url, plan, warming), atPace(acts.length / warming, warming, rehearsal.strike)]);
    await rehearsal.end();

    const before = await gateway.read('collect');
    const calm = await serve(url, plan, calmSeconds);
    const between = await gateway.read();
    const siege = openSiege(url, seed);
    const [under] = await Promise.all([serve(url, plan, seconds), atPace(rate, seconds, siege.strike)]);
    const after = await gateway.read();
    const { sent, wrong } = await siege.end();
    await pause(500);
    const rest = await gateway.read('collect');
    return {
      plan,
      calm,
      siege: under,
      share: under.served / seconds / (calm.served / calmSeconds),
      calmDelayP99Ms: between.delayP99Ms,
      delayP99Ms: after.delayP99Ms,
      delayMaxMs: after.delayMaxMs,
      cpu: [
        (between.cpuMs - before.cpuMs) / (calmSeconds * 1_000),
        (after.cpuMs - between.cpuMs) / (seconds * 1_000),
      ],
      waited: [
        (between.waitedMs - before.waitedMs) / (calmSeconds * 1_000),
        (after.waitedMs - between.waitedMs) / (seconds * 1_000),
      ],
      heapMiB: [before.heapMiB, rest.heapMiB],
      rssMiB: [before.rssMiB, rest.rssMiB],
      isAlive: gateway.isAlive(),
      bad: { sent, kinds: acts.length },
      wrong,
    };
  } finally {
    agent.destroy();
    await gateway.stop();
    await bookshop.close();
  }
};
