import { expect, test } from 'vitest';
import { createRegistry } from './registry.ts';

test('counters are told with their labels, hostile ones included', () => {
  const registry = createRegistry();
  const calls = registry.counters('calls_total', 'Calls.\nAll of them.', ['subgraph', 'outcome']);
  calls.of('catalog', 'ok').value += 2;
  calls.of('a"b\\c\nd', 'ok').value += 1;
  expect(registry.text()).toBe(
    [
      '# HELP calls_total Calls.\\nAll of them.',
      '# TYPE calls_total counter',
      'calls_total{subgraph="catalog",outcome="ok"} 2',
      'calls_total{subgraph="a\\"b\\\\c\\nd",outcome="ok"} 1',
      '',
    ].join('\n'),
  );
});

test('a histogram counts each value in all buckets that it fits into', () => {
  const registry = createRegistry();
  const seconds = registry.histograms('seconds', 'Time.', ['kind'], [0.1, 1]).of('query');
  for (const value of [0.1, 0.5, 2, 3]) seconds.observe(value);
  expect(registry.text().split('\n').slice(2)).toEqual([
    'seconds_bucket{kind="query",le="0.1"} 1',
    'seconds_bucket{kind="query",le="1"} 2',
    'seconds_bucket{kind="query",le="+Inf"} 4',
    'seconds_sum{kind="query"} 5.6',
    'seconds_count{kind="query"} 4',
    '',
  ]);
});

test('whatever clients call their operations, there are no more series than allowed', () => {
  const registry = createRegistry();
  const operations = registry.counters('operations_total', 'Operations.', ['operation'], 3);
  for (let at = 0; at < 1_000; at += 1) operations.of(`O${at}`).value += 1;
  const lines = registry.text().trimEnd().split('\n').slice(2);
  expect(lines).toEqual([
    'operations_total{operation="O0"} 1',
    'operations_total{operation="O1"} 1',
    'operations_total{operation="O2"} 1',
    'operations_total{operation="other"} 997',
  ]);
});

test('what others know is asked for when the page is read', () => {
  const registry = createRegistry();
  let open = 1;
  registry.reading('gauge', 'sockets', 'Sockets.', ['door'], (tell) => tell(open, 'ws'));
  expect(registry.text()).toContain('sockets{door="ws"} 1\n');
  open = 7;
  expect(registry.text()).toContain('sockets{door="ws"} 7\n');
});

test('two metrics of one name are a mistake, and so is a forgotten label', () => {
  const registry = createRegistry();
  const family = registry.counters('a', 'A.', ['x']);
  expect(() => registry.counters('a', 'Another.', [])).toThrow('two metrics called a');
  expect(() => family.of()).toThrow('a has 1 labels, not 0');
});
