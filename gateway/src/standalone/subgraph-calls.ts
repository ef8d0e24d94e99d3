// The way to each subgraph as the configuration has it: where it is, what goes along, and when to give up.
import type { Log } from '@orderstream/runtime/log';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import {
  type HeaderRule,
  headerRulesOf,
  type SubgraphSettings,
  settingsOf,
} from '../configuration/subgraph-settings.ts';
import { openHttpTransport } from '../transport/http.ts';
import { type Resilient, withResilience } from '../transport/resilience.ts';
import type { Visit } from './visit.ts';

const always = ['content-type', 'application/json', 'accept', 'application/json'] as const;

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value;

/** Headers as a list of names and values by turns. Nothing of a client's goes along unless a rule says so. */
export const headersBy =
  (rules: readonly HeaderRule[]) =>
  ({ headers, trace }: Visit): string[] => {
    const all: string[] = [...always, 'traceparent', trace.traceparent];
    for (const rule of rules) {
      const name = rule.kind === 'forward' ? rule.as : rule.name;
      for (let at = all.length - 2; at >= 0; at -= 2) if (all[at] === name) all.splice(at, 2);
      if (rule.kind === 'remove') continue;
      const value = rule.kind === 'set' ? rule.value : (one(headers[rule.name]) ?? rule.fallback);
      if (value !== null) all.push(name, value);
    }
    return all;
  };

/** @throws TypeError for an address that is none */
const placeOf = (url: string): { readonly origin: string; readonly path: string } => {
  if (url.startsWith('unix:')) {
    const [socket = '', path = '/graphql'] = url.slice('unix:'.length).split(':', 2);
    return { origin: `unix:${socket}`, path };
  }
  const { origin, pathname, search } = new URL(url);
  return { origin, path: `${pathname}${search}` };
};

const openOne = (
  name: string,
  url: string,
  settings: SubgraphSettings,
  rules: readonly HeaderRule[],
  log: Log,
) => {
  const { breaker, bulkhead, retry, pool, timeoutMs, largestAnswer } = settings;
  const http = openHttpTransport<Visit>({
    name,
    ...placeOf(url),
    timeoutMs,
    largestAnswer,
    headersOf: headersBy(rules),
    deadlineOf: ({ deadline }) => deadline,
    sharing: pool.sharing,
    connections: pool.connections,
  });
  return withResilience(http, {
    name,
    mostAtOnce: bulkhead.mostAtOnce,
    mostWaiting: bulkhead.mostWaiting,
    longestWait: bulkhead.longestWaitMs,
    repeats: retry.share,
    ...breaker,
    onBreaker: (state) => log.warn({ subgraph: name, state }, 'the way to a subgraph changed'),
  });
};

/** @param subgraphs as the supergraph names them, with the addresses it has for them */
export const openSubgraphCalls = (
  subgraphs: ReadonlyMap<string, { readonly url: string }>,
  configuration: GatewayConfiguration,
  log: Log,
): Map<string, Resilient<Visit>> =>
  new Map(
    [...subgraphs].map(([name, { url }]) => {
      const settings = settingsOf(configuration.subgraphs, name);
      const rules = headerRulesOf(configuration.headers, name);
      return [name, openOne(name, settings.url ?? url, settings, rules, log)];
    }),
  );
