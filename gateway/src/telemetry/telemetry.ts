// What the gateway tells of its requests: metrics, spans, and a line in the access log. A request is one Visit, from its
// arrival to its answer, whichever way it takes.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Log } from '@orderstream/runtime/log';
import { createAccessLog } from './access-log.ts';
import { type LineSink, openLineSink } from './line-sink.ts';
import { type Ending, type Metrics, openMetrics } from './metrics.ts';
import { RandomIds } from './random-ids.ts';
import { openSpans, type SpanSettings, type Spans } from './spans.ts';
import { readTraceparent, readTracestate } from './trace-context.ts';
import { type OperationFacts, type OperationKind, Visit } from './visit.ts';

export type TelemetrySettings = {
  /** share of requests that went well which get a line in the access log, 0 to 1; null for no access log at all */
  readonly accessLog: number | null;
  /** share of traces begun here that are recorded, 0 to 1; others are if the caller, where trusted, says so */
  readonly tracing: number;
  /** null for no collector, and then for no connection either */
  readonly spans: SpanSettings | null;
  /** One request in so many is looked at closely, for what operations cost the subgraphs; 0 for none. */
  readonly fanoutEvery?: number;
};

export type Telemetry = {
  readonly metrics: Metrics;
  readonly ids: RandomIds;
  readonly spans: Spans | null;
  /** @param isTrusted whether the caller's own trace is gone on with */
  readonly arrive: (headers: IncomingHttpHeaders, isTrusted: boolean) => Visit;
  /** Made once for each operation that is kept: it takes a hash of the text. */
  readonly factsOf: (kind: OperationKind, name: string | undefined, text: string) => OperationFacts;
  /**
   * The answer has been given.
   * @param code of the error that ended the request, of the closed list of codes
   */
  readonly leave: (visit: Visit, status: number, ending: Ending, code?: string) => void;
  readonly close: () => Promise<void>;
};

const usualFanoutEvery = 16;

const one = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];

/** What clients call themselves. No @, so no address of a person's; nothing else that has to be escaped anywhere. */
const plainName = /^[\w.+/() -]{1,50}$/;

const nameIn = (value: string | string[] | undefined): string | null => {
  const told = one(value);
  return told !== undefined && plainName.test(told) ? told : null;
};

/** characters of an operation's name in labels; GraphQL itself knows no bound */
const longestName = 100;

const noop = (): void => {};

/** @param sink of the access log's lines; standard output unless said otherwise */
export const openTelemetry = (
  settings: TelemetrySettings,
  log: Log,
  sink: LineSink | null = settings.accessLog === null ? null : openLineSink(1),
): Telemetry => {
  const metrics = openMetrics();
  const ids = new RandomIds();
  const spans = settings.spans && openSpans(settings.spans, log);
  const { tracing, fanoutEvery = usualFanoutEvery } = settings;
  const write =
    sink && settings.accessLog !== null ? createAccessLog('access', settings.accessLog, sink).write : noop;
  let untilThorough = 1;

  if (spans)
    metrics.watch('counter', 'spans_total', 'Spans by what became of them.', ['outcome'], (tell) => {
      const { exported, dropped } = spans.counts();
      tell(exported, 'exported');
      tell(dropped, 'dropped');
    });
  if (sink)
    metrics.watch('counter', 'access_log_dropped_total', 'Lines that nobody read in time.', [], (tell) =>
      tell(sink.dropped()),
    );

  const isThorough = (): boolean => {
    if (fanoutEvery === 0 || --untilThorough > 0) return false;
    untilThorough = fanoutEvery;
    return true;
  };

  const tellSpan = (to: Spans, visit: Visit, status: number, ending: Ending, code: string | null): void => {
    const { arrival, operation } = visit;
    const kind = operation?.kind;
    to.add({
      traceId: arrival.traceId,
      spanId: arrival.spanId,
      parentId: arrival.parentId,
      name: operation ? [operation.kind, operation.name].filter(Boolean).join(' ') : 'request',
      kind: 'server',
      startedAt: visit.startedAt,
      endedAt: performance.now(),
      attributes: {
        'http.response.status_code': status,
        'gateway.calls': visit.calls,
        ...(kind && { 'graphql.operation.type': kind, 'graphql.operation.hash': operation.hash }),
        ...(operation?.name && { 'graphql.operation.name': operation.name }),
      },
      failure: ending === 'ok' ? null : (code ?? ending),
    });
  };

  return {
    metrics,
    ids,
    spans,
    arrive: (headers, isTrusted) => {
      const { traceparent, tracestate } = headers;
      const context = isTrusted && traceparent ? readTraceparent(one(traceparent)) : null;
      const name = headers['apollographql-client-name'] ?? headers['graphql-client-name'];
      const version = headers['apollographql-client-version'] ?? headers['graphql-client-version'];
      return new Visit({
        traceId: context?.traceId ?? ids.traceId(),
        spanId: ids.spanId(),
        parentId: context?.parentId ?? null,
        isSampled: context ? context.isSampled : tracing > 0 && Math.random() < tracing,
        tracestate: context && tracestate ? readTracestate(one(tracestate)) : null,
        clientName: name === undefined ? null : nameIn(name),
        clientVersion: version === undefined ? null : nameIn(version),
        isThorough: isThorough(),
      });
    },
    factsOf: (kind, name, text) => ({
      kind,
      name: name ?? null,
      hash: createHash('sha256').update(text).digest('hex'),
      fanout: metrics.fanoutOf(name?.slice(0, longestName) ?? 'anonymous'),
    }),
    leave: (visit, status, ending, code) => {
      if (visit.isOver) return;
      visit.isOver = true;
      visit.place?.leave();
      const { operation, arrival } = visit;
      const kind = operation?.kind ?? 'unknown';
      const ms = performance.now() - visit.startedAt;
      metrics.requests[kind][ending].value += 1;
      metrics.seconds[kind].observe(ms / 1_000);
      if (visit.isThorough && operation) {
        const { fanout } = operation;
        fanout.requests.value += 1;
        fanout.calls.value += visit.calls;
        fanout.entities.value += visit.entities;
        fanout.bytes.value += visit.bytes;
      }
      write(visit, status, ending, code ?? null, ms);
      if (spans && arrival.isSampled) tellSpan(spans, visit, status, ending, code ?? null);
    },
    close: async () => {
      await Promise.all([sink?.close(), spans?.close()]);
    },
  };
};
