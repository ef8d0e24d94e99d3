// The way to each subgraph as the configuration has it: where it is, what goes along, and when to give up.
import { deadlineHeader } from '@orderstream/runtime/host/http';
import type { Log } from '@orderstream/runtime/log';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import {
  type HeaderRule,
  headerRulesOf,
  type SubgraphSettings,
  settingsOf,
} from '../configuration/subgraph-settings.ts';
import { headersFor } from '../headers/rules.ts';
import { withMeasures } from '../telemetry/measures.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { openHttpTransport } from '../transport/http.ts';
import { type Resilient, withResilience } from '../transport/resilience.ts';
import { openUpstream, type Upstream } from '../transport/upstream.ts';
import type { Asking } from './asking.ts';
import type { Particulars } from './particulars.ts';

const always = ['content-type', 'application/json', 'accept', 'application/json'] as const;

/** What the gateway says itself, which no client's header can stand for. */
const own = new Set([
  deadlineHeader,
  'content-type',
  'content-length',
  'accept',
  'traceparent',
  'tracestate',
  'x-call-id',
]);

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
  { signedCall }: Particulars,
  { metrics, ids, spans }: Telemetry,
  log: Log,
): Resilient<Asking> => {
  const { breaker, bulkhead, retry, pool, timeoutMs, largestAnswer } = settings;
  const rulesFor = headersFor(rules, own);
  const place = placeOf(url);
  const signed = signedCall?.(place.path);
  const http = openHttpTransport<Asking>({
    name,
    ...place,
    timeoutMs,
    largestAnswer,
    headersOf: (asking, body) => {
      const { headers, trace, deadline } = asking;
      const list = [...always, 'traceparent', trace.traceparent, ...rulesFor(headers)];
      if (deadline !== Number.POSITIVE_INFINITY)
        list.push(deadlineHeader, String(Math.max(1, Math.round(deadline - performance.now()))));
      if (signed) list.push(...signed(asking, body));
      return list;
    },
    deadlineOf: ({ deadline }) => deadline,
    sharing: pool.sharing,
    connections: pool.connections,
  });
  const measured = withMeasures(http, {
    subgraph: name,
    metrics,
    ids,
    spans,
    visitOf: ({ visit }) => visit,
    inCall: (asking, traceparent) => ({ ...asking, trace: { traceparent } }),
  });
  return withResilience(measured, {
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
  particulars: Particulars,
  telemetry: Telemetry,
  log: Log,
): Map<string, Resilient<Asking>> =>
  new Map(
    [...subgraphs].map(([name, { url }]) => {
      const settings = settingsOf(configuration.subgraphs, name);
      const rules = headerRulesOf(configuration.headers, name);
      const place = settings.url ?? particulars.urlOf(name) ?? url;
      return [name, openOne(name, place, settings, rules, particulars, telemetry, log)];
    }),
  );

/** Sockets are shared by many, so what a client's headers give goes along with each subscribe, under `headers`. */
export const openSubgraphUpstreams = (
  subgraphs: ReadonlyMap<string, { readonly url: string }>,
  configuration: GatewayConfiguration,
  particulars: Particulars,
  log: Log,
): Map<string, Upstream<Asking>> =>
  new Map(
    [...subgraphs].map(([name, { url }]) => {
      const { subscriptionsUrl, url: moved } = settingsOf(configuration.subgraphs, name);
      const rulesFor = headersFor(headerRulesOf(configuration.headers, name), own);
      const { perUpstreamSocket } = configuration.subscriptions;
      const place = placeOf(subscriptionsUrl ?? moved ?? particulars.urlOf(name) ?? url);
      const signed = particulars.signedSubscribe?.(place.path);
      const upstream = openUpstream<Asking>({
        name,
        ...place,
        log,
        extensionsOf: (asking, body) => {
          const { headers, trace } = asking;
          const flat = rulesFor(headers);
          const sent = Object.fromEntries(
            flat.flatMap((value, at) => (at % 2 === 0 ? [[value, flat[at + 1]!]] : [])),
          );
          return { headers: sent, ...signed?.(asking, body), traceparent: trace.traceparent };
        },
        ...(perUpstreamSocket > 0 && { subscriptionsPerSocket: perUpstreamSocket }),
      });
      return [name, upstream];
    }),
  );
