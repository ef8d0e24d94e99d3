import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createLog } from '@orderstream/runtime/log';
import { expect, test, vi } from 'vitest';
import type { Span } from './spans.ts';
import { openTelemetry, type TelemetrySettings } from './telemetry.ts';

const log = createLog('test', 'silent');
const quiet: TelemetrySettings = { accessLog: 1, tracing: 0, spans: null };

const open = (settings: Partial<TelemetrySettings> = {}) => {
  const lines: Record<string, unknown>[] = [];
  const sink = {
    write: (line: string) => void lines.push(JSON.parse(line)),
    dropped: () => 0,
    close: async () => {},
  };
  return { telemetry: openTelemetry({ ...quiet, ...settings }, log, sink), lines };
};

const traceparent = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`;

test('a request leaves one line that tells what it was and what it cost', () => {
  const { telemetry, lines } = open();
  const visit = telemetry.arrive(
    { 'apollographql-client-name': 'web', 'apollographql-client-version': '1.2.3' },
    false,
  );
  visit.operation = telemetry.factsOf('query', 'Products', 'query Products { products { id } }');
  visit.calls = 3;
  visit.bytes = 900;
  telemetry.leave(visit, 200, 'ok');
  telemetry.leave(visit, 200, 'ok');
  expect(lines).toEqual([
    {
      level: 30,
      time: expect.any(Number),
      pid: process.pid,
      hostname: expect.any(String),
      name: 'access',
      status: 200,
      ending: 'ok',
      kind: 'query',
      operation: 'Products',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      ms: expect.any(Number),
      calls: 3,
      bytes: 900,
      traceId: visit.arrival.traceId,
      client: 'web',
      clientVersion: '1.2.3',
      msg: 'request',
    },
  ]);
  expect(telemetry.metrics.registry.text()).toContain(
    'gateway_requests_total{kind="query",outcome="ok"} 1\n',
  );
});

test.each(['ann@example.com', 'x"y', 'a\nb', 'é', 'n'.repeat(51), ''])(
  'a client that calls itself %j stays unnamed',
  (name) => {
    const { telemetry, lines } = open();
    const headers = {
      'apollographql-client-name': name,
      authorization: 'Bearer canary',
      cookie: 'canary',
      'x-forwarded-for': '203.0.113.7',
    };
    telemetry.leave(telemetry.arrive(headers, true), 400, 'refused', 'BAD_USER_INPUT');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toHaveProperty('client');
    expect(JSON.stringify(lines)).not.toMatch(/canary|203\.0|example/);
  },
);

test('with no samples only what went wrong leaves a line', () => {
  const { telemetry, lines } = open({ accessLog: 0 });
  telemetry.leave(telemetry.arrive({}, false), 200, 'ok');
  telemetry.leave(telemetry.arrive({}, false), 200, 'errors', 'SUBGRAPH_UNAVAILABLE');
  telemetry.leave(telemetry.arrive({}, false), 429, 'refused', 'a "code" from elsewhere');
  expect(lines.map(({ status, level, code }) => [status, level, code])).toEqual([
    [200, 40, 'SUBGRAPH_UNAVAILABLE'],
    [429, 40, undefined],
  ]);
});

test('a trace goes on where the caller is trusted, and begins anew where not', () => {
  const { telemetry } = open();
  const trusted = telemetry.arrive({ traceparent, tracestate: 'vendor=1' }, true);
  expect(trusted.arrival).toMatchObject({
    traceId: 'a1'.repeat(16),
    parentId: 'b2'.repeat(8),
    isSampled: true,
    tracestate: 'vendor=1',
  });
  expect(trusted.traceparent).toMatch(
    new RegExp(`^00-${'a1'.repeat(16)}-(?!${'b2'.repeat(8)})[0-9a-f]{16}-01$`),
  );
  const stranger = telemetry.arrive({ traceparent, tracestate: 'vendor=1' }, false);
  expect(stranger.arrival).toMatchObject({ parentId: null, isSampled: false, tracestate: null });
  expect(stranger.arrival.traceId).not.toBe('a1'.repeat(16));
});

test.each([
  ['not sampled by the caller', traceparent.replace(/01$/, '00'), 'a1', false],
  ['of a version to come', `cc${traceparent.slice(2)}-more`, 'a1', true],
  ['longer than its version', `${traceparent}-more`, null, false],
  ['of the version that is none', `ff${traceparent.slice(2)}`, null, false],
  ['of zeros', `00-${'0'.repeat(32)}-${'b2'.repeat(8)}-01`, null, false],
])('a traceparent %s', (_, header, kept, isSampled) => {
  const { arrival } = open().telemetry.arrive({ traceparent: header }, true);
  expect([arrival.traceId.startsWith(kept ?? 'a1'), arrival.isSampled]).toEqual([kept !== null, isSampled]);
});

test('about as many traces are recorded as configured, and no two ids are the same', () => {
  const { telemetry } = open({ tracing: 0.25 });
  const arrivals = Array.from({ length: 4_000 }, () => telemetry.arrive({}, false).arrival);
  const sampled = arrivals.filter(({ isSampled }) => isSampled).length;
  expect(sampled).toBeGreaterThan(800);
  expect(sampled).toBeLessThan(1_200);
  expect(new Set(arrivals.flatMap(({ traceId, spanId }) => [traceId, spanId])).size).toBe(8_000);
});

test('one request in so many is looked at closely, and told by operation', () => {
  const { telemetry } = open({ fanoutEvery: 4 });
  const facts = telemetry.factsOf('query', undefined, '{ a }');
  for (let at = 0; at < 8; at += 1) {
    const visit = telemetry.arrive({}, false);
    visit.operation = facts;
    visit.calls = 2;
    visit.entities = 10;
    telemetry.leave(visit, 200, 'ok');
  }
  const text = telemetry.metrics.registry.text();
  expect(text).toContain('gateway_fanout_requests_total{operation="anonymous"} 2\n');
  expect(text).toContain('gateway_fanout_calls_total{operation="anonymous"} 4\n');
  expect(text).toContain('gateway_fanout_entities_total{operation="anonymous"} 20\n');
});

test('a request that is recorded is a span, child of its caller’s', () => {
  const { telemetry } = open({ spans: { url: new URL('http://127.0.0.1:9'), headers: {}, service: 'g' } });
  const told: Span[] = [];
  vi.spyOn(telemetry.spans!, 'add').mockImplementation((span) => void told.push(span));
  const visit = telemetry.arrive({ traceparent }, true);
  visit.operation = telemetry.factsOf('mutation', 'Pay', 'mutation Pay { pay }');
  telemetry.leave(visit, 200, 'errors', 'DEADLINE_EXCEEDED');
  telemetry.leave(telemetry.arrive({}, true), 200, 'ok');
  expect(told).toEqual([
    expect.objectContaining({
      traceId: 'a1'.repeat(16),
      parentId: 'b2'.repeat(8),
      name: 'mutation Pay',
      kind: 'server',
      failure: 'DEADLINE_EXCEEDED',
    }),
  ]);
});

test('subgraphs, plans and subscriptions are told as they are when the page is read', () => {
  const { metrics } = open().telemetry;
  metrics.watchSubgraphs(() => [['catalog', { breaker: 'open', inFlight: 3, queued: 1 }]]);
  metrics.watchPlans(() => ({ count: 7, bytes: 4096 }));
  metrics.watchSubscriptions(() => ({ clients: 100, sources: 4, sockets: 90 }));
  const lines = metrics.registry.text().split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'gateway_subgraph_breaker{subgraph="catalog",state="open"} 1',
      'gateway_subgraph_breaker{subgraph="catalog",state="closed"} 0',
      'gateway_subgraph_calls_in_flight{subgraph="catalog"} 3',
      'gateway_plan_cache_bytes 4096',
      'gateway_subscription_sources 4',
    ]),
  );
  for (const line of lines) expect(line).toMatch(/^$|^# (HELP|TYPE) |^\w+(\{(\w+="[^"]*",?)+\})? \S+$/);
});

test('without a collector nobody is connected to', async () => {
  const connected: unknown[] = [];
  const note = (message: unknown) => void connected.push(message);
  subscribe('net.client.socket', note);
  try {
    const { telemetry } = open({ tracing: 1 });
    for (let at = 0; at < 50; at += 1) telemetry.leave(telemetry.arrive({ traceparent }, true), 200, 'ok');
    telemetry.metrics.registry.text();
    await telemetry.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(connected).toEqual([]);
  } finally {
    unsubscribe('net.client.socket', note);
  }
});
