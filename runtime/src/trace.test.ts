import { expect, test } from 'vitest';
import { newTrace, traceFrom, traceId } from './trace.ts';

const traceparent = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`;

test('a trace goes on where the caller began it', () => {
  const trace = traceFrom(traceparent);
  expect(trace).toEqual({ traceparent });
  expect(traceId(trace)).toBe('a1'.repeat(16));
});

test.each([
  undefined,
  '',
  'x',
  traceparent.toUpperCase(),
  `${traceparent}-00`,
  `01${traceparent.slice(2)}`,
  `${traceparent}\n`,
  `00-${'0'.repeat(32)}-${'b2'.repeat(8)}-01`,
  `00-${'a1'.repeat(16)}-${'0'.repeat(16)}-01`,
])('%j is no trace, so a new one begins', (header) => {
  const { traceparent: made } = traceFrom(header);
  expect(made).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  expect(made).not.toBe(header);
});

test('no two traces are the same', () => {
  expect(new Set(Array.from({ length: 100 }, () => newTrace().traceparent)).size).toBe(100);
});
