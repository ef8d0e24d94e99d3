import { expect, test } from 'vitest';
import { createRegistry } from '../telemetry/registry.ts';
import { mergedMetrics } from './merged-metrics.ts';

const page = (requests: number): string => {
  const registry = createRegistry();
  registry.counters('requests_total', 'Requests.', ['kind']).of('query').value = requests;
  registry.reading('gauge', 'sockets', 'Sockets that are open.', [], (tell) => tell(3));
  return registry.text();
};

test('each metric has one heading and the lines of all workers below it', () => {
  const merged = mergedMetrics(
    new Map([
      [1, page(5)],
      [2, page(7)],
    ]),
  );
  expect(merged.split('\n')).toEqual([
    '# HELP requests_total Requests.',
    '# TYPE requests_total counter',
    'requests_total{kind="query",worker="1"} 5',
    'requests_total{kind="query",worker="2"} 7',
    '# HELP sockets Sockets that are open.',
    '# TYPE sockets gauge',
    'sockets{worker="1"} 3',
    'sockets{worker="2"} 3',
    '',
  ]);
});
