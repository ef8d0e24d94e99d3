import { expect, test } from 'vitest';
import { meets, type Requirement, refusalOf, standingOf } from './standing.ts';
import { anonymous, personOf, type Viewer } from './viewer.ts';

const nobody = anonymous('t');
const person = (...scopes: string[]): Viewer => ({ ...nobody, userId: 'u', scopes: new Set(scopes) });
const service = (...scopes: string[]): Viewer => ({ ...nobody, service: 's', scopes: new Set(scopes) });

const signedIn: Requirement = { kind: 'signedIn' };
const scopes = (...anyOf: string[][]): Requirement => ({ kind: 'scopes', anyOf });

test.each<[string, Viewer, Requirement, boolean]>([
  ['a person is signed in', person(), signedIn, true],
  ['nobody is not', nobody, signedIn, false],
  ['a service is not', service('a'), signedIn, false],
  ['a scope is had', person('a', 'b'), scopes(['a']), true],
  ['a scope is had by a service', service('a'), scopes(['a']), true],
  ['one scope of two is not enough', person('a'), scopes(['a', 'b']), false],
  ['one group of two is', person('c'), scopes(['a', 'b'], ['c']), true],
  ['no groups hold for nobody', person('a'), scopes(), false],
  ['nor does an empty one', person('a'), scopes([]), false],
  ['the shop knows no policies', person('a'), { kind: 'policies', anyOf: [['a']] }, false],
])('%s', (_what, viewer, requirement, expected) => {
  expect(meets(standingOf(viewer), requirement)).toBe(expected);
});

test('only whoever is nobody is asked to sign in', () => {
  const told = [nobody, person(), person('a'), service('a')].map((viewer) => refusalOf(standingOf(viewer)));
  expect(told).toEqual(['UNAUTHENTICATED', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']);
});

test('what needs a person fails for others, should the schema have let them in', () => {
  expect(personOf(person())).toBe('u');
  for (const viewer of [nobody, service('a')]) expect(() => personOf(viewer)).toThrow('@authenticated');
});
