import { createLog } from '@orderstream/runtime/log';
import { parse } from 'graphql';
import { expect, test, vi } from 'vitest';
import { compileOperation } from '../execute/compile.ts';
import { marketSdl } from '../execute/fixture-market.ts';
import { openSupergraph } from '../plan/supergraph.ts';
import { CallFailure } from '../transport/failure.ts';
import type { Receiver, Transport } from '../transport/transport.ts';
import { fanoutOf, withExtensions } from './fanout.ts';
import { withMeasures } from './measures.ts';
import type { Span } from './spans.ts';
import { openTelemetry } from './telemetry.ts';
import type { Visit } from './visit.ts';

type Asking = { readonly visit: Visit | null; readonly traceparent: string };

const silent = createLog('test', 'silent');
const open = () => {
  const spans = { url: new URL('http://127.0.0.1:9'), headers: {}, service: 'g' };
  const telemetry = openTelemetry({ accessLog: null, tracing: 1, spans, fanoutEvery: 0 }, silent);
  const told: Span[] = [];
  vi.spyOn(telemetry.spans!, 'add').mockImplementation((span) => void told.push(span));
  const sent: { body: string; asking: Asking }[] = [];
  const measured = (
    subgraph: string,
    answer: (body: string, receiver: Receiver) => void,
  ): Transport<Asking> =>
    withMeasures<Asking>(
      {
        send: (body, _, asking, receiver) => {
          sent.push({ body, asking });
          answer(body, receiver);
        },
        close: async () => {},
      },
      {
        ...telemetry,
        subgraph,
        visitOf: ({ visit }) => visit,
        inCall: (asking, traceparent) => ({ ...asking, traceparent }),
      },
    );
  const arrive = (): Asking => {
    const visit = telemetry.arrive({}, false);
    return { visit, traceparent: visit.traceparent };
  };
  const page = () => telemetry.metrics.registry.text();
  return { telemetry, told, sent, measured, arrive, page };
};

const answered = vi.fn();
const failed = vi.fn();
const receiver: Receiver = { answered, failed };

test('each call is counted once, by what became of it', () => {
  const { measured, arrive, page } = open();
  const asking = arrive();
  const answers = ['{"data":{"a":1}}', '{"errors":[{"message":"no"}],"data":null}'];
  for (const answer of answers)
    measured('catalog', (_, to) => to.answered(answer)).send('{"query":"{a}"}', true, asking, receiver);
  measured('catalog', (_, to) => to.failed(new CallFailure('late', 'catalog'))).send(
    '{}',
    false,
    asking,
    receiver,
  );
  expect(answered.mock.calls.flat()).toEqual(answers);
  expect(failed).toHaveBeenCalledTimes(1);
  for (const line of [
    'gateway_subgraph_calls_total{subgraph="catalog",outcome="ok"} 1',
    'gateway_subgraph_calls_total{subgraph="catalog",outcome="errors"} 1',
    'gateway_subgraph_calls_total{subgraph="catalog",outcome="late"} 1',
    'gateway_subgraph_call_seconds_count{subgraph="catalog",kind="query"} 2',
    'gateway_subgraph_call_seconds_count{subgraph="catalog",kind="mutation"} 1',
    'gateway_subgraph_bytes_total{subgraph="catalog",direction="sent"} 32',
    `gateway_subgraph_bytes_total{subgraph="catalog",direction="received"} ${answers.join('').length}`,
  ])
    expect(page()).toContain(`${line}\n`);
  expect(asking.visit).toMatchObject({
    calls: 3,
    failures: 1,
    bytes: 32 + answers.join('').length,
    entities: 0,
  });
});

test('a call without a request is counted as well', () => {
  const { measured, sent, page } = open();
  const asking = { visit: null, traceparent: 'none' };
  measured('users', (_, to) => to.answered('{}')).send('{}', true, asking, receiver);
  expect(sent[0]!.asking).toBe(asking);
  expect(page()).toContain('gateway_subgraph_calls_total{subgraph="users",outcome="ok"} 1\n');
});

test('each call is a span of its own, and the subgraph is told which', () => {
  const { measured, arrive, sent, told } = open();
  const asking = arrive();
  const { traceId, spanId } = asking.visit!.arrival;
  const transport = measured('catalog', (_, to) => to.answered('{}'));
  transport.send('{}', true, asking, receiver);
  transport.send('{}', true, asking, receiver);
  expect(told.map((span) => `00-${span.traceId}-${span.spanId}-01`)).toEqual(
    sent.map((one) => one.asking.traceparent),
  );
  expect(told.map((span) => [span.traceId, span.parentId])).toEqual([
    [traceId, spanId],
    [traceId, spanId],
  ]);
  expect(new Set([spanId, ...told.map((span) => span.spanId)]).size).toBe(3);
});

test('a developer is told what an operation costs, subgraph by subgraph, in the answer', async () => {
  const { measured, arrive } = open();
  const supergraph = openSupergraph(marketSdl, { planner: 'apollo', planningMs: 10_000 });
  const answers: Record<string, string> = {
    catalog:
      '{"data":{"products":[{"__typename":"Product","id":"p1"},{"__typename":"Product","id":"p2"},null]}}',
    reviews: '{"data":{"_entities":[{"rating":1},{"rating":2}]}}',
  };
  const transports = new Map(
    [...supergraph.subgraphs.keys()].map((name) => [
      name,
      measured(name, (_, to) => to.answered(answers[name]!)),
    ]),
  );
  const query = '{ products { rating } }';
  const plan = await supergraph.planner.plan(query, undefined, new AbortController().signal);
  const operation = compileOperation({ supergraph, document: parse(query), plan, transports });
  const asking = arrive();
  asking.visit!.lookClosely();
  const body = await new Promise<string>((resolve) => {
    operation.run({}, asking, { done: resolve });
  });
  const report = fanoutOf(asking.visit!, operation.describe());
  const answer = JSON.parse(withExtensions(body, { fanout: report }));
  expect(answer.data).toEqual({ products: [{ rating: 1 }, { rating: 2 }, null] });
  expect(answer.extensions.fanout).toMatchObject({
    calls: 2,
    entities: 2,
    subgraphs: {
      catalog: { calls: 1, entities: 0, bytesReceived: answers.catalog!.length, failures: 0 },
      reviews: { calls: 1, entities: 2, bytesReceived: answers.reviews!.length, failures: 0 },
    },
    plan: expect.stringContaining('Entities(reviews, products.@)'),
  });
});
