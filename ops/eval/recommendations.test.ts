import { expect, test } from 'vitest';
import { evaluate, told } from './recommendations.ts';

test('what is recommended is bought more often than what is popular, on sales that were not learnt from', () => {
  const report = evaluate(new Date('2011-03-01T00:00:00Z'), 1, new Date('2011-04-01T00:00:00Z'));
  const [completion, next] = report.figures;
  expect(completion!.asked).toBeGreaterThan(500);
  expect(completion!.ours).toBeGreaterThan(3 * completion!.popularity);
  expect(next!.asked).toBeGreaterThan(200);
  expect(next!.ours).toBeGreaterThan(next!.popularity + 0.05);
  expect(told(report)).toMatch(/basket completion +\d+ +\d+\.\d % +\d+\.\d %/);
});
