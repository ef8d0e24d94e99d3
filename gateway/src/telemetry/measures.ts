// Counts and times the calls to one subgraph, and tells the request they belong to. Stands between what saves calls
// (sharing, caches) and what makes them, so that only calls that are made count.
import type { RequestError } from '@orderstream/runtime/errors';
import { entitiesIn } from '../bodies/subgraph-request.ts';
import { CallFailure } from '../transport/failure.ts';
import type { Receiver, Transport } from '../transport/transport.ts';
import type { CallMetrics, Metrics } from './metrics.ts';
import type { RandomIds } from './random-ids.ts';
import type { Spans } from './spans.ts';
import { traceparentOf } from './trace-context.ts';
import type { Visit } from './visit.ts';

export type MeasureOptions<Asking> = {
  readonly subgraph: string;
  readonly metrics: Metrics;
  readonly ids: RandomIds;
  /** null where no spans are exported */
  readonly spans: Spans | null;
  /** null for a call that belongs to no request */
  readonly visitOf: (asking: Asking) => Visit | null;
  /** The asking of this one call, which is a span of its own. */
  readonly inCall: (asking: Asking, traceparent: string) => Asking;
};

/** Counters of outcomes; a look into a map of a few reasons is all that a failure costs. */
class Tallies {
  readonly metrics: CallMetrics;
  readonly answered;
  readonly answeredWithErrors;

  constructor(metrics: CallMetrics) {
    this.metrics = metrics;
    this.answered = metrics.outcome('ok');
    this.answeredWithErrors = metrics.outcome('errors');
  }
}

class Measured implements Receiver {
  readonly #tallies: Tallies;
  readonly #subgraph: string;
  readonly #spans: Spans | null;
  readonly #isQuery: boolean;
  readonly #spanId: string;
  readonly #sentAt = performance.now();
  readonly #sent: number;
  #receiver: Receiver | null;
  #visit: Visit | null;

  constructor(
    of: { readonly subgraph: string; readonly spans: Spans | null },
    tallies: Tallies,
    call: {
      readonly sent: number;
      readonly isQuery: boolean;
      readonly spanId: string;
      readonly visit: Visit | null;
      readonly receiver: Receiver;
    },
  ) {
    this.#subgraph = of.subgraph;
    this.#spans = of.spans;
    this.#tallies = tallies;
    this.#sent = call.sent;
    this.#isQuery = call.isQuery;
    this.#spanId = call.spanId;
    this.#visit = call.visit;
    this.#receiver = call.receiver;
  }

  answered(body: string): void {
    const receiver = this.#receiver;
    const { metrics, answered, answeredWithErrors } = this.#tallies;
    metrics.bytesReceived.value += body.length;
    // graphql-js puts errors first; who writes them elsewhere is counted as well.
    if (body.startsWith('{"errors":')) answeredWithErrors.value += 1;
    else answered.value += 1;
    this.#end(body.length, null);
    receiver?.answered(body);
  }

  failed(failure: RequestError): void {
    const receiver = this.#receiver;
    const reason = failure instanceof CallFailure ? failure.reason : failure.code;
    this.#tallies.metrics.outcome(reason).value += 1;
    this.#end(0, reason);
    receiver?.failed(failure);
  }

  #end(received: number, reason: string | null): void {
    const visit = this.#visit;
    const ms = performance.now() - this.#sentAt;
    this.#receiver = null;
    this.#visit = null;
    this.#tallies.metrics.seconds[this.#isQuery ? 'query' : 'mutation'].observe(ms / 1_000);
    if (!visit) return;
    visit.bytes += received;
    if (reason) visit.failures += 1;
    const share = visit.shareOf(this.#subgraph);
    if (share) {
      share.bytesReceived += received;
      share.ms += ms;
      share.longestMs = Math.max(share.longestMs, ms);
      if (reason) share.failures += 1;
    }
    if (this.#spans && visit.arrival.isSampled) this.#tellSpan(this.#spans, visit, received, reason);
  }

  #tellSpan(spans: Spans, { arrival, operation }: Visit, received: number, reason: string | null): void {
    spans.add({
      traceId: arrival.traceId,
      spanId: this.#spanId,
      parentId: arrival.spanId,
      name: `subgraph ${this.#subgraph}`,
      kind: 'client',
      startedAt: this.#sentAt,
      endedAt: performance.now(),
      attributes: {
        'server.address': this.#subgraph,
        'graphql.operation.type': this.#isQuery ? 'query' : 'mutation',
        'http.request.body.size': this.#sent,
        'http.response.body.size': received,
        ...(operation?.name && { 'graphql.operation.name': operation.name }),
      },
      failure: reason,
    });
  }
}

/** Closed with what it counts. */
export const withMeasures = <Asking>(
  inner: Transport<Asking>,
  options: MeasureOptions<Asking>,
): Transport<Asking> => {
  const { subgraph, metrics, ids, visitOf, inCall } = options;
  const tallies = new Tallies(metrics.callsOf(subgraph));

  return {
    send: (body, isQuery, asking, receiver) => {
      const visit = visitOf(asking);
      tallies.metrics.bytesSent.value += body.length;
      const spanId = visit ? ids.spanId() : '';
      const measured = new Measured(options, tallies, {
        sent: body.length,
        isQuery,
        spanId,
        visit,
        receiver,
      });
      if (!visit) {
        inner.send(body, isQuery, asking, measured);
        return;
      }
      visit.calls += 1;
      visit.bytes += body.length;
      if (visit.isThorough) {
        const entities = entitiesIn(body);
        visit.entities += entities;
        const share = visit.shareOf(subgraph);
        if (share) {
          share.calls += 1;
          share.entities += entities;
          share.bytesSent += body.length;
        }
      }
      const { traceId, isSampled } = visit.arrival;
      inner.send(body, isQuery, inCall(asking, traceparentOf(traceId, spanId, isSampled)), measured);
    },
    close: inner.close,
  };
};
