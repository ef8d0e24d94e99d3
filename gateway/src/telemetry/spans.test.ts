// Spans sent to a collector of this file's own: one that takes them, one that does not, and none.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLog } from '@orderstream/runtime/log';
import { afterEach, expect, test, vi } from 'vitest';
import { openSpans, type Span, type Spans, spanSettings } from './spans.ts';

const log = createLog('test', 'silent');

type Received = { readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: Batch };
type Batch = {
  resourceSpans: {
    resource: { attributes: unknown[] };
    scopeSpans: { spans: Record<string, unknown>[] }[];
  }[];
};

let servers: Server[] = [];
let opened: Spans[] = [];
afterEach(async () => {
  for (const spans of opened) await spans.close();
  for (const server of servers) server.close().closeAllConnections();
  servers = [];
  opened = [];
});

const collector = async (answer: () => number): Promise<{ origin: string; received: Received[] }> => {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      received.push({ url: request.url!, headers: request.headers, body: JSON.parse(text) });
      response.writeHead(answer()).end('{}');
    });
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
};

const open = (env: NodeJS.ProcessEnv, more: { most?: number; everyMs?: number } = {}): Spans => {
  const spans = openSpans({ ...spanSettings(env)!, everyMs: 10, ...more }, log);
  opened.push(spans);
  return spans;
};

const span = (name: string): Span => ({
  traceId: 'a1'.repeat(16),
  spanId: 'b2'.repeat(8),
  parentId: null,
  name,
  kind: 'server',
  startedAt: 1_000,
  endedAt: 1_001.5,
  attributes: { text: 'a', whole: 3, part: 0.5, is: true },
  failure: null,
});

const namesIn = (received: readonly Received[]): unknown[] =>
  received.flatMap(({ body }) => body.resourceSpans[0]!.scopeSpans[0]!.spans.map(({ name }) => name));

test('spans arrive in batches as OTLP has them, with the collector’s key', async () => {
  const { origin, received } = await collector(() => 200);
  const spans = open({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${origin}/`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b',
  });
  spans.add(span('one'));
  spans.add({ ...span('two'), kind: 'client', parentId: 'c3'.repeat(8), failure: 'late' });
  await vi.waitFor(() => expect(namesIn(received)).toEqual(['one', 'two']));
  const [{ url, headers, body }] = received as [Received];
  expect([url, headers['x-key'], headers['content-type']]).toEqual(['/v1/traces', 'a b', 'application/json']);
  const [resource] = body.resourceSpans;
  expect(resource!.resource.attributes).toEqual([{ key: 'service.name', value: { stringValue: 'gateway' } }]);
  const [first, second] = resource!.scopeSpans[0]!.spans;
  const start = BigInt(first!.startTimeUnixNano as string);
  expect(Number(start / 1_000_000n)).toBeCloseTo(performance.timeOrigin + 1_000, -1);
  expect(BigInt(first!.endTimeUnixNano as string) - start).toBe(1_500_000n);
  expect(first).toMatchObject({
    traceId: 'a1'.repeat(16),
    spanId: 'b2'.repeat(8),
    kind: 2,
    status: {},
    attributes: [
      { key: 'text', value: { stringValue: 'a' } },
      { key: 'whole', value: { intValue: '3' } },
      { key: 'part', value: { doubleValue: 0.5 } },
      { key: 'is', value: { boolValue: true } },
    ],
  });
  expect(first).not.toHaveProperty('parentSpanId');
  expect(second).toMatchObject({ parentSpanId: 'c3'.repeat(8), kind: 3, status: { code: 2 } });
});

test('a collector that asks for patience gets them later', async () => {
  const statuses = [503, 429];
  const { origin, received } = await collector(() => statuses.shift() ?? 200);
  const spans = open({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${origin}/v2/spans` });
  spans.add(span('one'));
  await vi.waitFor(() => expect(spans.counts()).toEqual({ exported: 1, dropped: 0, waiting: 0 }));
  expect(received.map(({ url }) => url)).toEqual(Array(3).fill('/v2/spans'));
});

test('what a collector refuses is dropped, and counted', async () => {
  const { origin } = await collector(() => 400);
  const spans = open({ OTEL_EXPORTER_OTLP_ENDPOINT: origin });
  spans.add(span('one'));
  await vi.waitFor(() => expect(spans.counts()).toEqual({ exported: 0, dropped: 1, waiting: 0 }));
});

test('without an answer the oldest go, and no more wait than may', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const spans = open({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` }, { most: 100 });
  for (let at = 0; at < 250; at += 1) spans.add(span(`s${at}`));
  expect(spans.counts()).toEqual({ exported: 0, dropped: 150, waiting: 100 });
  await spans.close();
  expect(spans.counts()).toEqual({ exported: 0, dropped: 250, waiting: 0 });
});

test('what waits at the end is sent', async () => {
  const { origin, received } = await collector(() => 200);
  const spans = open({ OTEL_EXPORTER_OTLP_ENDPOINT: origin }, { everyMs: 60_000 });
  for (let at = 0; at < 1_200; at += 1) spans.add(span(`s${at}`));
  await spans.close();
  expect(namesIn(received)).toHaveLength(1_200);
  expect(received).toHaveLength(3);
});

test('nobody configured is nobody told', () => {
  expect(spanSettings({})).toBeNull();
  expect(spanSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBeNull();
});
