// What developers are told in answers, where they ask for it: what a request came to, here and at the subgraphs.
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import type { Read } from '../front/short-way.ts';
import { costHeader, costReportOf } from '../limits/cost-report.ts';
import { fanoutHeader, fanoutOf, withExtensions } from '../telemetry/fanout.ts';
import { toBinary, toText } from '../transport/binary.ts';
import type { Asking } from './asking.ts';

export type Developers = {
  /** Whether this request is one that is looked at closely: it goes the long way. */
  readonly ask: (asking: Asking) => boolean;
  /**
   * The answer with what was asked for added to it.
   * @param read the operation and its variables; null where there is none, for the schema's own answers
   * @param answer a whole GraphQL response
   */
  readonly tell: (asking: Asking, read: Read<Asking> | null, answer: string) => string;
};

export const createDevelopers = ({ developers, limits }: GatewayConfiguration): Developers => {
  const { scope } = developers;
  const asksFor = ({ headers }: Asking, header: string): boolean => headers[header] === '1';
  return {
    ask: (asking) =>
      scope !== undefined &&
      (asksFor(asking, fanoutHeader) || asksFor(asking, costHeader)) &&
      asking.identity.scopes.has(scope),
    tell: (asking, read, answer) => {
      const { visit, identity, partner } = asking;
      const told: Record<string, unknown> = {};
      if (asksFor(asking, fanoutHeader))
        told.fanout = fanoutOf(visit, read?.known.for(asking)?.describe() ?? '');
      if (asksFor(asking, costHeader) && read?.known.cost) {
        const { data } = JSON.parse(answer) as { readonly data?: unknown };
        const isKnown = identity.isSignedIn || partner !== null;
        told.cost = costReportOf(read.known.cost, read.variables, data, isKnown, limits);
      }
      return toText(withExtensions(toBinary(answer.trimEnd()), told));
    },
  };
};
