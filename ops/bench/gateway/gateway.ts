// `npm run bench -- gateway`: what a request costs each gateway, side by side in one run. Judged by the ratios to
// @apollo/gateway, since the machine is never twice the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { type Absence, type Contender, ours, reference, startContenders } from './contenders.ts';
import { noDelay, setDelay } from './control.ts';
import { ask, breathe, measure, peakMemory, type Reply, type Sample, type Stage, warmUp } from './measure.ts';
import { benchOwnOrders } from './own-orders.ts';
import { canPin, cores, freePort, start, startLoad, stepAside } from './processes.ts';
import { type QueryName, questions } from './queries.ts';
import { type GatewayReport, type Row, rowOf, toldGateways, verdictsOf } from './report.ts';
import { type Scenario, scenarios, slowScenarios } from './scenarios.ts';
import { supergraphAt } from './supergraph.ts';
import { mintTokens } from './tokens.ts';

export const usage = `npm run bench -- gateway [options]
  --quick          a short run: one round of a second, little warm-up, nothing to be installed unless named
  --rounds N       3 otherwise
  --seconds N      of one round, 5 otherwise
  --only A,B       names of contenders, the reference is always there
  --no-peers       without gateways that must be installed first
  --slow           subgraphs that take 2 ms, 20 ms, and 2 ms but 200 ms once in a hundred
  --orders         another one: a customer's list of 50 orders through the shop's own subgraphs, which are started
  --json FILE      writes the figures there, too
  PEERS="name=url=pid,..."   gateways that run already, on the supergraph in --supergraph FILE
  --supergraph FILE          where to leave the supergraph for them
  --subgraphs-port N         where its subgraphs are`;

const wholeNumber = (name: string, value: string): number => {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number from 1 on.`);
  return number;
};

const read = (args: readonly string[]) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      'no-peers': { type: 'boolean', default: false },
      slow: { type: 'boolean', default: false },
      orders: { type: 'boolean', default: false },
      json: { type: 'string' },
      supergraph: { type: 'string' },
      'subgraphs-port': { type: 'string' },
    },
  });
  const { quick, rounds = quick ? '1' : '3', seconds = quick ? '1' : '5' } = values;
  const port = values['subgraphs-port'];
  const only = values.only?.split(',') ?? null;
  return {
    isQuick: quick,
    rounds: wholeNumber('rounds', rounds),
    seconds: wholeNumber('seconds', seconds),
    only,
    withPeers: !values['no-peers'] && (!quick || only !== null),
    isSlow: values.slow,
    isOwnOrders: values.orders,
    json: values.json,
    supergraph: values.supergraph,
    subgraphsPort: port === undefined ? null : wholeNumber('subgraphs-port', port),
  };
};

type Options = ReturnType<typeof read>;
type Say = (what: string) => void;
type Replies = ReadonlyMap<Contender, Partial<Record<QueryName, Reply>>>;

const queryNames = Object.keys(questions) as QueryName[];
const asksOf = ({ only }: Contender): QueryName[] => (only === null ? queryNames : [only]);

/** All answer the same, and bring their client's authorization to every subgraph. */
const check = async (
  stage: Stage,
  contenders: readonly Contender[],
): Promise<{ replies: Replies; failures: string[] }> => {
  const replies = new Map<Contender, Partial<Record<QueryName, Reply>>>();
  const failures: string[] = [];
  for (const contender of contenders) {
    const own: Partial<Record<QueryName, Reply>> = {};
    for (const query of asksOf(contender)) {
      const reply = await ask(stage, contender, query);
      own[query] = reply;
      // A constant comes from no subgraph and answers right all the same.
      failures.push(...reply.failures);
      const expected = replies.get(contenders[0]!)?.[query] ?? reply;
      if (!isDeepStrictEqual(reply.data, expected.data))
        failures.push(
          `${contender.name}, ${query}: the answer is another than that of ${contenders[0]!.name}`,
        );
    }
    replies.set(contender, own);
  }
  return { replies, failures };
};

/** Contenders take turns: whatever the machine does meanwhile, it does to all of them. */
const measureAll = async (
  stage: Stage,
  contenders: readonly Contender[],
  replies: Replies,
  { query, name, delay, isIdentical, isFor }: Scenario,
  { rounds, seconds, isQuick }: Options,
  say: Say,
): Promise<Row[]> => {
  const samples = new Map<Contender, Sample[]>();
  const asked = contenders.filter((one) => asksOf(one).includes(query) && isFor(one));
  const wishOf = (contender: Contender) => ({
    query,
    delay,
    isIdentical,
    expectedBytes: replies.get(contender)?.[query]?.bytes ?? 0,
  });
  for (const contender of asked) {
    // Waiting for a slow subgraph warms nothing.
    const most = Math.ceil(questions[query].warmUp / (isQuick ? 8 : 1));
    const requests = await warmUp(stage, contender, { ...wishOf(contender), delay: noDelay }, most);
    say(`${query}, ${name}: ${contender.name} is warm after ${requests} requests`);
  }
  for (let round = 0; round < rounds; round += 1)
    for (const contender of asked) {
      await breathe(100);
      const sample = await measure(stage, contender, { ...wishOf(contender), limit: { seconds } });
      samples.set(contender, [...(samples.get(contender) ?? []), sample]);
    }
  return asked.map((contender) => rowOf(contender.name, query, name, samples.get(contender)!));
};

const failuresOf = (rows: readonly Row[]): string[] =>
  rows.flatMap(({ contender, query, scenario, errors, unauthorized }) => [
    ...(errors > 0 ? [`${contender}, ${query}, ${scenario}: ${errors} wrong answers`] : []),
    ...(unauthorized > 0
      ? [`${contender}, ${query}, ${scenario}: ${unauthorized} calls without the client's authorization`]
      : []),
  ]);

const compare = async (
  stage: Stage,
  contenders: readonly Contender[],
  absences: readonly Absence[],
  options: Options,
  say: Say,
): Promise<GatewayReport> => {
  const startedAt = new Date().toISOString();
  const loadBefore = loadavg()[0]!;
  const before = await check(stage, contenders);
  const rows: Row[] = [];
  for (const scenario of options.isSlow ? slowScenarios : scenarios)
    rows.push(...(await measureAll(stage, contenders, before.replies, scenario, options, say)));
  const after = await check(stage, contenders);
  const reference = before.replies.get(contenders[0]!)!;
  const bytes = queryNames.map((query) => [query, reference[query]?.bytes ?? 0] as const);
  return {
    conditions: {
      startedAt,
      cores,
      processor: cpus()[0]?.model ?? 'unknown',
      node: process.versions.node,
      isPinned: canPin,
      rounds: options.rounds,
      secondsOfARound: options.seconds,
      loadAverage: [loadBefore, loadavg()[0]!],
    },
    rows,
    started: contenders.map(({ name, startMs, pid }) => ({
      contender: name,
      startMs,
      peakMemoryMb: peakMemory(pid),
    })),
    absences,
    answerBytes: Object.fromEntries(bytes) as Record<QueryName, number>,
    failures: [...before.failures, ...failuresOf(rows), ...after.failures],
    tookSeconds: performance.now() / 1_000,
  };
};

const run = async (options: Options, say: Say): Promise<GatewayReport> => {
  stepAside();
  const folder = mkdtempSync(join(tmpdir(), 'orderstream-bench-'));
  const port = options.subgraphsPort ?? (await freePort());
  const subgraphsUrl = `http://127.0.0.1:${port}`;
  const supergraphFile = options.supergraph ?? join(folder, 'supergraph.graphql');
  writeFileSync(supergraphFile, supergraphAt(subgraphsUrl));
  const subgraphs = start({
    command: [fileURLToPath(new URL('subgraphs.ts', import.meta.url)), String(port)],
    isGateway: false,
  });
  const load = startLoad();
  const started: Contender[] = [];
  try {
    for (let tries = 0; ; tries += 1) {
      try {
        await setDelay(subgraphsUrl, noDelay);
        break;
      } catch (error) {
        if (tries === 200 || subgraphs.hasEnded()) throw new Error(subgraphs.said(), { cause: error });
        await breathe(50);
      }
    }
    const smallAnswer = await fetch(`${subgraphsUrl}/accounts`, {
      method: 'POST',
      body: JSON.stringify({ query: questions.small.text }),
    });
    const place = {
      folder,
      tokens: await mintTokens(1_000),
      supergraphFile,
      subgraphsUrl,
      smallAnswer: await smallAnswer.text(),
    };
    const { contenders, absences } = await startContenders(place, options);
    started.push(...contenders);
    for (const { name, because } of absences) say(`${name} is not there: ${because}`);
    say(`${contenders.map(({ name }) => name).join(', ')} are up`);
    if (contenders[0]?.name !== reference) throw new Error('There is nothing to compare with.');
    return await compare({ load, subgraphsUrl }, contenders, absences, options, say);
  } finally {
    await Promise.all([...started, load, subgraphs].map(({ stop }) => stop()));
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Ends with 1 where a promise is not kept, 2 where it was asked wrongly. */
export const benchGateway = async (args: readonly string[]): Promise<number> => {
  let options: Options;
  try {
    options = read(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const say: Say = (what) =>
    console.error(`  ${(performance.now() / 1_000).toFixed(1).padStart(6)} s  ${what}`);
  if (options.isOwnOrders) return benchOwnOrders(options, say);
  const report = await run(options, say);
  const judged = ours.filter((name) => options.only?.includes(name) ?? true);
  const verdicts = judged.flatMap((name) => verdictsOf(report, reference, name));
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ ...report, verdicts }, null, 2)}\n`);
  console.log(toldGateways(report, verdicts));
  return verdicts.every(({ reached }) => reached !== null) ? 0 : 1;
};
