import { expect, test } from 'vitest';
import { familyOf, readMemory, readStat, usageOf } from './usage.ts';

const line = (pid: number, name: string, parent: number): string =>
  `${pid} (${name}) S ${parent} 1 1 0 -1 4194560 139025 0 0 0 120 30 7 3 20 0 14 0 25 53313536 4722\n`;

test('a process with brackets and blanks in its name is read, its ended children included', () => {
  expect(readStat(line(42, 'pg: (walwriter) 1', 7))).toEqual({ pid: 42, parent: 7, cpuMs: 1_600 });
});

test('memory is told in bytes', () => {
  expect(readMemory('3000 200 50 1 0 100 0\n')).toEqual({ resident: 819_200, shared: 204_800 });
});

test('a process stands for its children and theirs, and not for those that stand for themselves', () => {
  const stats = [
    line(1, 'bench', 0),
    line(2, 'postgres', 1),
    line(3, 'session', 2),
    line(4, 'shell', 1),
    line(5, 'stranger', 0),
  ].map(readStat);
  const named = new Set([1, 2]);
  const pids = (of: number): number[] => familyOf(of, stats, named).map(({ pid }) => pid);
  expect(pids(1)).toEqual([1, 4]);
  expect(pids(2)).toEqual([2, 3]);
  expect(pids(9)).toEqual([]);
});

test('what this very process uses can be seen, and one that is gone uses nothing', () => {
  const usage = usageOf({ own: process.pid, gone: 2 ** 30 });
  expect(usage.own!.cpuMs).toBeGreaterThan(0);
  expect(usage.own!.memory).toBeGreaterThan(1_000_000);
  expect(usage.gone).toEqual({ cpuMs: 0, memory: 0 });
});
