import { anonymous } from '@orderstream/runtime/viewer';
import { describe, expect, test } from 'vitest';
import { checkRegistration, mayRead, normalEmail, scopesOfAll, wordsOf } from './user.ts';

const good = { email: 'ada@example.com', password: 'correct horse', displayName: 'Ada' };
const problemsOf = (input: object) => {
  const outcome = checkRegistration({ ...good, ...input });
  return 'error' in outcome ? outcome.problems.map((problem) => problem.path.join('.')) : [];
};

describe('an e-mail address', () => {
  test('has one form however it is typed', () => {
    for (const typed of ['ada@example.com', '  Ada@Example.COM ', 'ａda@example.com', 'ADA＠example.com'])
      expect(normalEmail(typed), typed).toBe('ada@example.com');
  });

  test('is refused when it is none, or when it looks like another', () => {
    const cyrillic = '\u0430da@example.com';
    for (const typed of ['', 'ada', 'ada@', '@example.com', 'a b@example.com', 'a\0@example.com', cyrillic])
      expect(normalEmail(typed), typed).toBeNull();
    expect(normalEmail(`${'a'.repeat(243)}@example.com`)).toBeNull();
    expect(normalEmail('a'.repeat(1_000_000))).toBeNull();
  });
});

describe('a registration', () => {
  test('is tidied: blanks around a name go, and the same letters are the same letters', () => {
    expect(checkRegistration({ ...good, email: ' ADA@example.com', displayName: ' Zoe\u0308 ' })).toEqual({
      email: 'ada@example.com',
      password: 'correct horse',
      displayName: 'Zo\u00eb',
    });
  });

  test('is told everything that is wrong at once', () => {
    expect(problemsOf({ email: 'x', password: 'short', displayName: '  ' })).toEqual([
      'input.email',
      'input.password',
      'input.displayName',
    ]);
  });

  test('takes passwords of 8 to 128 characters, counted as people count', () => {
    expect(problemsOf({ password: '1234567' })).toEqual(['input.password']);
    expect(problemsOf({ password: '12345678' })).toEqual([]);
    expect(problemsOf({ password: '🔑'.repeat(128) })).toEqual([]);
    expect(problemsOf({ password: 'x'.repeat(129) })).toEqual(['input.password']);
    expect(problemsOf({ password: 'x'.repeat(1_000_000) })).toEqual(['input.password']);
    expect(problemsOf({ password: `lone\ud800surrogate` })).toEqual(['input.password']);
  });

  test('takes no name that cannot be printed on one line', () => {
    for (const displayName of ['a\0b', 'a\r\nb', 'a\u202eb', 'lone\udc00', 'x'.repeat(101)])
      expect(problemsOf({ displayName }), JSON.stringify(displayName)).toEqual(['input.displayName']);
    expect(problemsOf({ displayName: '李 小龙' })).toEqual([]);
  });
});

test('people see themselves, staff with users:read see everybody of their tenant, others see nobody', () => {
  const user = { id: 'u1', tenantId: 't1' };
  const somebody = anonymous('t1');
  expect(mayRead({ ...somebody, userId: 'u1' }, user)).toBe(true);
  expect(mayRead({ ...somebody, userId: 'u2' }, user)).toBe(false);
  expect(mayRead(somebody, user)).toBe(false);
  expect(mayRead({ ...somebody, userId: 'u2', scopes: new Set(['users:read']) }, user)).toBe(true);
  expect(mayRead({ ...somebody, userId: 'u2', scopes: new Set(['orders:read']) }, user)).toBe(false);
  expect(mayRead({ ...anonymous('t2'), userId: 'u2', scopes: new Set(['users:read']) }, user)).toBe(false);
});

test('a customer has no scope, and two roles have the scopes of both once', () => {
  expect(scopesOfAll(['CUSTOMER'])).toEqual([]);
  expect(scopesOfAll(['FRAUD_REVIEWER'])).toEqual(['fraud:review', 'orders:read']);
  const both = scopesOfAll(['ADMIN', 'FRAUD_REVIEWER']);
  expect(both).toHaveLength(11);
  expect(new Set(both).size).toBe(11);
});

test('a search is words, whatever else is typed', () => {
  expect(wordsOf("O'Brien & ada@ex")).toBe("'o':* & 'brien':* & 'ada':* & 'ex':*");
  expect(wordsOf(`'); drop table users --`)).toBe("'drop':* & 'table':* & 'users':*");
  expect(wordsOf('%_\0')).toBeNull();
});
