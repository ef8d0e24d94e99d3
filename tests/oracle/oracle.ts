// The differential oracle: the same generated query to a schema without federation and to gateways of the same graph.
import {
  type GraphQLSchema,
  NoUnusedFragmentsRule,
  NoUnusedVariablesRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { differenceOf, unexplained } from './answer.ts';
import { type Contestant, truth } from './contest.ts';
import { type Dice, diceOf } from './dice.ts';
import { type Generated, generate } from './generator.ts';
import { decided } from './known-limits.ts';
import { monolith, subgraphNames } from './schemas.ts';
import { shrunk } from './shrinking.ts';

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
  /** what differs by a planner that fetches what is skipped, and only where a field that is skipped fails */
  fetchedThoughSkipped: number;
  /** answers that were compared, by contestant */
  readonly compared: Record<string, number>;
  /** with errors in them */
  withErrors: number;
  readonly findings: Finding[];
};

const unused: readonly unknown[] = [NoUnusedFragmentsRule, NoUnusedVariablesRule];
const rulesOfSelections = specifiedRules.filter((rule) => !unused.includes(rule));

const validText = (text: string): boolean => {
  try {
    return validate(monolith, parse(text), rulesOfSelections).length === 0;
  } catch {
    // Nothing is left of a selection.
    return false;
  }
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

type Compared = { readonly difference: string | null; readonly hasErrors: boolean };

const compare = async (
  contestant: Contestant,
  { seed, text, variables, mishaps, away }: Case,
): Promise<Compared> => {
  const query = { document: parse(text), text, variables };
  const chance = diceOf(seed);
  const late = (): boolean => chance.oneIn(3);
  const [there, here]: [string[], string[]] = [[], []];
  const expected = await truth.answer(query, { world: { mishaps, done: there }, away: null, late });
  const hasErrors = expected.errors !== undefined;
  try {
    const found = await contestant.answer(query, { world: { mishaps, done: here }, away, late });
    if (away !== null) return { difference: unexplained(expected, found), hasErrors };
    const [wanted, done] = [there.join('; '), here.join('; ')];
    // Where everything is lost the rest need not be done, and may.
    const isDone = expected.data === null ? done.startsWith(wanted) : done === wanted;
    const undone = isDone ? null : `done\n  expected ${wanted}\n  found    ${done}`;
    return { difference: differenceOf(expected, found) ?? undone, hasErrors };
  } catch (error) {
    return { difference: `thrown: ${(error as Error).stack}`, hasErrors };
  }
};

/** All is well where nothing fails, and where the directives are decided before anybody plans. */
const isFetchedThoughSkipped = async (contestant: Contestant, one: Case): Promise<boolean> => {
  if (one.mishaps === 0 || !/@(skip|include)/.test(one.text)) return false;
  const { difference: inPeace } = await compare(contestant, { ...one, mishaps: 0 });
  if (inPeace !== null) return false;
  const text = decided(parse(one.text), one.variables);
  return validText(text) && (await compare(contestant, { ...one, text })).difference === null;
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
  const tally: Tally = { compared: {}, withErrors: 0, fetchedThoughSkipped: 0, findings: [] };
  for (let seed = from; seed < from + count && tally.findings.length < enough; seed += 1) {
    const cases = casesOf(seed);
    for (const { contestant, every, withAway } of contests) {
      if (seed % every !== 0) continue;
      for (const one of cases.filter(({ away }) => away === null || withAway)) {
        const { difference, hasErrors } = await compare(contestant, one);
        tally.compared[contestant.name] = (tally.compared[contestant.name] ?? 0) + 1;
        if (hasErrors) tally.withErrors += 1;
        if (difference === null) continue;
        if (await isFetchedThoughSkipped(contestant, one)) tally.fetchedThoughSkipped += 1;
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
