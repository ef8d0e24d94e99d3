// A network that was trained once and never changed, with its report.
import type { Network, Quality } from './learner.ts';

export type ModelVersion = {
  readonly version: number;
  readonly trainedAt: Date;
  readonly trainedOn: number;
  readonly testedOn: number;
  readonly testedFrauds: number;
  readonly net: Quality;
  readonly rules: Quality;
};

export type Model = { readonly version: number; readonly network: Network };

/** As it is told to clients. */
export const nameOf = (version: number): string => `net-${version}`;
