// Names of clients' headers that any subgraph gets: on these, and on no others, what subgraphs answer may depend.
import type { GatewayConfiguration } from '../configuration/configuration.ts';

export const forwardedNames = ({ headers }: Pick<GatewayConfiguration, 'headers'>): string[] => [
  ...new Set(
    [...headers.all, ...[...headers.named.values()].flat()].flatMap((rule) =>
      rule.kind === 'forward' ? [rule.name] : [],
    ),
  ),
];
