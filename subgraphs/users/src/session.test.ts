import { expect, test } from 'vitest';
import { judge } from './session.ts';

const now = new Date('2026-11-21T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const token = { userId: 'u', sessionId: 's', usedAt: null, expiresAt: ago(-1), endedAt: null, now };

test('a token that was never used can be exchanged until its session is over', () => {
  expect(judge(token)).toBe('current');
  expect(judge({ ...token, expiresAt: now })).toBe('over');
  expect(judge({ ...token, endedAt: ago(1) })).toBe('over');
  expect(judge(null)).toBe('over');
});

test('a token that comes again within ten seconds is a race, later it was stolen', () => {
  expect(judge({ ...token, usedAt: ago(10_000) })).toBe('raced');
  expect(judge({ ...token, usedAt: ago(10_001) })).toBe('reused');
});

test('a stolen token of a session that has ended ends nothing more', () => {
  expect(judge({ ...token, usedAt: ago(60_000), endedAt: ago(1) })).toBe('over');
});
