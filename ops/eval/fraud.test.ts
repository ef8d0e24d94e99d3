import { expect, test } from 'vitest';
import { evaluate, told } from './fraud.ts';

test('rules and network tell frauds of a new manner from honest orders, which the amount alone does not', () => {
  const report = evaluate(new Date('2011-07-23T00:00:00Z'), 1);
  const [rules, network, amount] = report.figures;
  expect(report.asked).toBeGreaterThan(3_000);
  expect(report.frauds / report.asked).toBeGreaterThan(0.015);
  for (const ours of [rules!, network!]) {
    expect(ours.auc).toBeGreaterThan(0.95);
    expect(ours.precision).toBeGreaterThan(0.7);
    expect(ours.recall).toBeGreaterThan(0.6);
  }
  expect(amount!.auc).toBeLessThan(0.93);
  expect(told(report)).toMatch(/network +\d+\.\d % +\d+\.\d % +0\.\d{3}/);
}, 120_000);
