// The differential oracle: the same generated query to a schema without federation and to gateways of the same graph.
import { type GraphQLSchema, parse, validate } from 'graphql';
import { differenceOf, unexplained } from './answer.ts';
import { type Contestant, truth } from './contest.ts';
import { type Dice, diceOf } from './dice.ts';
import { type Generated, generate } from './generator.ts';
import { monolith, subgraphNames } from './schemas.ts';
import { shrunk } from './shrinking.ts';
import type { World } from './world.ts';

/** One question, that can be asked again. */
export type Case = {
  /** of the query */
  readonly seed: number;
  readonly text: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly mishaps: number;
  /** a subgraph, or null where all are there */
  readonly away: string | null;
};

export type Finding = {
  readonly contestant: string;
  readonly case: Case;
  readonly difference: string;
};

export type Tally = {
  /** what is lost, and told, because a planner asks for fields that the client does not ask for there, and one of them fails */
  lostByThePlan: number;
  /** answers that were compared, by contestant */
  readonly compared: Record<string, number>;
  /** with errors in them */
  withErrors: number;
  readonly findings: Finding[];
};

/** The first valid one of a seed. */
const validQuery = (schema: GraphQLSchema, dice: Dice): Generated => {
  for (;;) {
    const generated = generate(schema, dice);
    if (validate(schema, parse(generated.text)).length === 0) return generated;
  }
};

/** One in so many is also asked while a subgraph is away. */
const oneAwayIn = 5;

const casesOf = (seed: number): Case[] => {
  const dice = diceOf(seed);
  const { text, variables } = validQuery(monolith, dice);
  // Every fourth world is one in which all goes well.
  const mishaps = seed % 4 === 0 ? 0 : 1 + (seed % 997);
  const usual = variables.map((given) => ({ seed, text, variables: given, mishaps, away: null }));
  return dice.oneIn(oneAwayIn) ? [...usual, { ...usual[0]!, away: dice.pick(subgraphNames) }] : usual;
};

type Compared = {
  readonly difference: string | null;
  readonly hasErrors: boolean;
  /** Mishaps were met that are not on the client's way, and errors tell of all that is lost. */
  readonly isExplained: boolean;
};

const compare = async (
  contestant: Contestant,
  { seed, text, variables, mishaps, away }: Case,
): Promise<Compared> => {
  const query = { document: parse(text), text, variables };
  const chance = diceOf(seed);
  const late = (): boolean => chance.oneIn(3);
  const worldOf = (): World => ({ mishaps, done: [], met: new Set() });
  const [there, here] = [worldOf(), worldOf()];
  const expected = await truth.answer(query, { world: there, away: null, late });
  const hasErrors = expected.errors !== undefined;
  try {
    const found = await contestant.answer(query, { world: here, away, late });
    const isExplained = !here.met.isSubsetOf(there.met) && unexplained(expected, found) === null;
    if (away !== null) return { difference: unexplained(expected, found), hasErrors, isExplained };
    const [wanted, done] = [there.done.join('; '), here.done.join('; ')];
    // Where everything is lost the rest need not be done, and may.
    const isDone = expected.data === null ? done.startsWith(wanted) : done === wanted;
    const undone = isDone ? null : `done\n  expected ${wanted}\n  found    ${done}`;
    return { difference: differenceOf(expected, found) ?? undone, hasErrors, isExplained };
  } catch (error) {
    return { difference: `thrown: ${(error as Error).stack}`, hasErrors, isExplained: false };
  }
};

export type Contest = {
  readonly contestant: Contestant;
  /** every so many queries */
  readonly every: number;
  /** also while a subgraph is away */
  readonly withAway: boolean;
};

/** Asks queries number `from` to `from + count - 1`; each number is the same query for ever. */
export const runOracle = async (
  contests: readonly Contest[],
  from: number,
  count: number,
  enough = 20,
): Promise<Tally> => {
  const tally: Tally = { compared: {}, withErrors: 0, lostByThePlan: 0, findings: [] };
  for (let seed = from; seed < from + count && tally.findings.length < enough; seed += 1) {
    const cases = casesOf(seed);
    for (const { contestant, every, withAway } of contests) {
      if (seed % every !== 0) continue;
      for (const one of cases.filter(({ away }) => away === null || withAway)) {
        const { difference, hasErrors, isExplained } = await compare(contestant, one);
        tally.compared[contestant.name] = (tally.compared[contestant.name] ?? 0) + 1;
        if (hasErrors) tally.withErrors += 1;
        if (difference === null) continue;
        if (isExplained && (await compare(contestant, { ...one, mishaps: 0 })).difference === null)
          tally.lostByThePlan += 1;
        else tally.findings.push({ contestant: contestant.name, case: one, difference });
      }
    }
  }
  return tally;
};

/** Such a difference is of one kind with another: where it shows, and not in what. */
const kindOf = (difference: string): string =>
  difference.startsWith('thrown') ? difference.split('\n')[0]! : difference.split(/\s/)[0]!;

/** The same finding by the smallest query that shows it. */
export const simplified = async (contestant: Contestant, finding: Finding): Promise<Finding> => {
  const kind = kindOf(finding.difference);
  let { difference } = finding;
  const text = await shrunk(finding.case.text, async (candidate) => {
    const { difference: still } = await compare(contestant, { ...finding.case, text: candidate });
    if (still === null || kindOf(still) !== kind) return false;
    difference = still;
    return true;
  });
  return { ...finding, case: { ...finding.case, text }, difference };
};

export const toldFinding = ({ contestant, case: one, difference }: Finding): string =>
  `${contestant}, query ${one.seed}, mishaps ${one.mishaps}${one.away === null ? '' : `, ${one.away} away`}\n` +
  `${one.text}\n${JSON.stringify(one.variables)}\n${difference}\n`;
