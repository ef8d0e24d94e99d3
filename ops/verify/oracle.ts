// The differential oracle at length, on all cores: each takes its share of the queries.
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Contest, type Finding, runOracle, simplified, toldFinding } from '../../tests/oracle/oracle.ts';
import { openOurs } from '../../tests/oracle/ours.ts';
import { openStock } from '../../tests/oracle/stock.ts';

export type Wanted = { readonly queries: number; readonly from: number; readonly stock: number };

type Share = Wanted;

type Part = {
  readonly compared: Record<string, number>;
  readonly withErrors: number;
  readonly lostByThePlan: number;
  /** our own, at most twenty */
  readonly findings: readonly Finding[];
  /** how many answers of the stock executor differ */
  readonly stockDiffers: number;
};

/** Queries of one stretch; between stretches progress is told. */
const stretch = 500;

const work = async ({ queries, from, stock }: Share, say: (done: number) => void): Promise<Part> => {
  const rust = openOurs('rust');
  const apollo = openOurs('apollo');
  const own: readonly Contest[] = [
    { contestant: rust, every: 1, withAway: true },
    { contestant: apollo, every: 20, withAway: true },
  ];
  // It is wrong now and then; what it says is counted, and no reason to stop.
  const stocks: readonly Contest[] = [{ contestant: openStock(), every: stock, withAway: false }];
  const compared: Record<string, number> = {};
  const findings: Finding[] = [];
  let [withErrors, lostByThePlan, stockDiffers] = [0, 0, 0];
  for (let at = from; at < from + queries && findings.length < 20; at += stretch) {
    const count = Math.min(stretch, from + queries - at);
    const ours = await runOracle(own, at, count);
    const theirs = await runOracle(stocks, at, count, Number.POSITIVE_INFINITY);
    for (const tally of [ours, theirs])
      for (const [name, more] of Object.entries(tally.compared))
        compared[name] = (compared[name] ?? 0) + more;
    withErrors += ours.withErrors;
    lostByThePlan += ours.lostByThePlan;
    stockDiffers += theirs.findings.length;
    for (const finding of ours.findings) {
      const contestant = finding.contestant === rust.name ? rust : apollo;
      findings.push(await simplified(contestant, finding));
    }
    say(count);
  }
  rust.close?.();
  apollo.close?.();
  return { compared, withErrors, lostByThePlan, findings, stockDiffers };
};

type Message = { readonly done: number } | { readonly part: Part };

/** The whole of it, a process for each core. Answers the exit code. */
export const verifyOracle = async ({ queries, from, stock }: Wanted): Promise<number> => {
  const startedAt = performance.now();
  const workers = Math.min(availableParallelism(), Math.ceil(queries / stretch));
  const share = Math.ceil(queries / workers);
  let done = 0;
  let said = 0;
  const progress = (more: number): void => {
    done += more;
    if (done - said < queries / 20 && done < queries) return;
    said = done;
    const seconds = (performance.now() - startedAt) / 1_000;
    console.error(`  ${seconds.toFixed(0).padStart(6)} s  ${done} of ${queries} queries`);
  };
  const parts = await Promise.all(
    Array.from({ length: workers }, (_, index) => {
      const begin = from + index * share;
      const own: Share = { queries: Math.min(share, from + queries - begin), from: begin, stock };
      const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(own)]);
      return new Promise<Part>((resolve, reject) => {
        child.on('message', (message: Message) => {
          if ('done' in message) progress(message.done);
          else resolve(message.part);
        });
        child.on('exit', (code) => reject(new Error(`a part of the oracle ended with ${code}`)));
      });
    }),
  );
  const sum = (of: (part: Part) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const compared = Map.groupBy(
    parts.flatMap((part) => Object.entries(part.compared)),
    ([name]) => name,
  );
  const findings = parts.flatMap((part) => part.findings);
  for (const finding of findings.slice(0, 20)) console.log(toldFinding(finding));
  for (const [name, counts] of compared)
    console.log(`  ${counts.reduce((total, [, count]) => total + count, 0)} answers of ${name}`);
  console.log(`  ${sum(({ withErrors }) => withErrors)} of ours with errors in them`);
  console.log(
    `  ${sum((part) => part.lostByThePlan)} in which something is lost, and told, because a plan asks for what the client does not`,
  );
  console.log(`  ${sum((part) => part.stockDiffers)} answers of the stock executor that are wrong`);
  console.log(
    `  ${findings.length} differences of ours in ${queries} queries, ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`,
  );
  return findings.length === 0 ? 0 : 1;
};

const own = process.argv[2];
if (import.meta.main && own !== undefined && process.send) {
  const tell = (message: Message): boolean => process.send!(message);
  tell({ part: await work(JSON.parse(own), (done) => tell({ done })) });
  process.disconnect();
}
