import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { checkIntrospection, type Introspection, looksAtSchema } from './introspection.ts';
import type { Standing } from './standing.ts';

test.each([
  ['{__schema {types {name}}}', true],
  ['{a: __type(name: "Order") {name}}', true],
  ['{...F} fragment F on Query {__schema {types {name}}}', true],
  ['{...__schema} fragment __schema on Query {... {x: __type(name: "A") {name}}}', true],
  ['query A {a} query B {__schema {types {name}}}', true],
  ['{__typename orders {__typename}}', false],
  ['{...__schema} fragment __schema on Query {__type: orders {id}}', false],
])('%s asks for the schema: %s', (text, looks) => {
  expect(looksAtSchema(parse(text))).toBe(looks);
});

const nobody: Standing = { isSignedIn: false, scopes: new Set(), policies: new Set() };
const clerk: Standing = { isSignedIn: true, scopes: new Set(['schema:read']), policies: new Set() };
const customer: Standing = { ...clerk, scopes: new Set() };

test.each<[Introspection, Standing, string | null]>([
  [{ for: 'nobody' }, clerk, 'FORBIDDEN'],
  [{ for: 'nobody' }, nobody, 'FORBIDDEN'],
  [{ for: 'signedIn' }, nobody, 'UNAUTHENTICATED'],
  [{ for: 'signedIn' }, customer, null],
  [{ for: 'scope', scope: 'schema:read' }, nobody, 'UNAUTHENTICATED'],
  [{ for: 'scope', scope: 'schema:read' }, customer, 'FORBIDDEN'],
  [{ for: 'scope', scope: 'schema:read' }, clerk, null],
  [{ for: 'everybody' }, nobody, null],
])('where the schema is for %j', (allowed, standing, code) => {
  let told: string | null = null;
  try {
    checkIntrospection(allowed, standing);
  } catch (error) {
    told = (error as { code: string }).code;
  }
  expect(told).toBe(code);
});
