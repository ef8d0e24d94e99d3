import { expect, test } from 'vitest';
import { type Identity, nobody } from '../auth/identity.ts';
import { userOf } from './asking.ts';

const ada: Identity = { ...nobody, isSignedIn: true, issuer: 'shop', subject: 'ada' };
const of = (identity: Identity): string | null => userOf({ identity });

test('private answers are kept for one person with the same rights, and for nobody who is not known', () => {
  expect(of(nobody)).toBeNull();
  expect(of({ ...ada })).toBe(of(ada));
  const others: Identity[] = [
    ada,
    { ...ada, subject: 'bob' },
    { ...ada, issuer: 'elsewhere' },
    { ...ada, scopes: new Set(['orders:read']) },
    { ...ada, policies: new Set(['orders:read']) },
  ];
  expect(new Set(others.map(of)).size).toBe(others.length);
  const twice = [new Set(['a', 'b']), new Set(['b', 'a'])].map((scopes) => of({ ...ada, scopes }));
  expect(twice[0]).toBe(twice[1]);
});
