import { stripIgnoredCharacters } from 'graphql';
import { expect, test } from 'vitest';
import { plannable } from './plannable.ts';

const planned = (text: string): string => stripIgnoredCharacters(plannable(text, undefined)!);

test.each([
  ['mutation{a:add b:add}', 'mutation{a:add b:add}'],
  ['mutation{a:add b:add a:add}', 'mutation{a:add b:add}'],
  ['mutation($x:Boolean!){a:add b:add a:add@include(if:$x)}', 'mutation($x:Boolean!){a:add b:add}'],
  [
    'mutation($x:Boolean!){a:add{id}...F@skip(if:$x)}fragment F on Mutation{a:add{name}b:add{id}}',
    'mutation($x:Boolean!){a:add{id ...@skip(if:$x){name}}...@skip(if:$x){b:add{id}}}fragment F on Mutation{a:add{name}b:add{id}}',
  ],
  [
    'mutation($x:Boolean!){a:add@include(if:$x){id}a:add@include(if:$x){name}}',
    'mutation($x:Boolean!){...@include(if:$x){a:add{id name}}}',
  ],
  ['mutation($x:Boolean!){a:add@skip(if:$x)a:add b:add}', 'mutation($x:Boolean!){a:add b:add}'],
  ['mutation{a:add@include(if:true)b:add a:add@skip(if:false)}', 'mutation{a:add b:add}'],
])('%s asks once for each', (text, expected) => {
  expect(planned(text)).toBe(expected);
});

test('a mutation of which it depends on variables when it is made stays where it is', () => {
  const text = 'mutation($x:Boolean!){...@include(if:$x){a:add}b:add a:add}';
  expect(planned('mutation($x:Boolean!){a:add@include(if:$x)b:add a:add}')).toBe(text);
});
