// What a check of stored operations found, in words.
import type { Finding, Problem } from '../../gateway/src/persisted/check.ts';

export type Report = {
  /** operations that were looked at */
  readonly operations: number;
  readonly broken: number;
  readonly findings: readonly Finding[];
};

/** @param breakingOnly leaves out what is deprecated and still there */
export const reportOf = (
  operations: number,
  findings: readonly Finding[],
  breakingOnly: boolean,
): Report => ({
  operations,
  broken: findings.filter(({ isBroken }) => isBroken).length,
  findings: breakingOnly
    ? findings
        .filter(({ isBroken }) => isBroken)
        .map((finding) => ({ ...finding, problems: finding.problems.filter(({ isBreaking }) => isBreaking) }))
    : findings,
});

const placeOf = ({ line, column }: Problem): string => (line === null ? '' : `${line}:${column}`);

const wordsOf = ({ manifest, id, name, problems }: Finding): string[] => [
  `${manifest}: ${id}${name === null ? '' : ` ${name}`}`,
  ...problems.map(
    (problem) =>
      `  ${problem.isBreaking ? 'broken    ' : 'deprecated'}  ${placeOf(problem).padEnd(7)} ${problem.message}`,
  ),
];

export const inWords = ({ operations, broken, findings }: Report): string =>
  [
    ...findings.flatMap((finding) => [...wordsOf(finding), '']),
    broken === 0
      ? `All ${operations} operations fit the schema.`
      : `${broken} of ${operations} operations do not fit the schema.`,
  ].join('\n');
