import { expect, test } from 'vitest';
import { mergeAnswers, readAnswer } from './entity-answer.ts';

const part = (known: (string | null)[], asked: number[], alias = '_entities') => ({ alias, known, asked });

test('what was known and what was asked for come to their places', () => {
  const body = '{"data":{"_entities":[{"a":2},null]}}';
  expect(mergeAnswers(body, [part(['{"a":1}', null, '{"a":3}', null], [1, 3])])).toBe(
    '{"data":{"_entities":[{"a":1},{"a":2},{"a":3},null]}}',
  );
});

test('errors are told at the places that the whole list has', () => {
  const body =
    '{"errors":[{"message":"no","path":["_e1",1,"b"]},{"message":"all"}],"data":{"_e0":[],"_e1":[{"b":1},{"b":null}]}}';
  expect(mergeAnswers(body, [part(['{}'], [], '_e0'), part([null, '{"b":2}', null], [0, 2], '_e1')])).toBe(
    '{"errors":[{"message":"no","path":["_e1",2,"b"]},{"message":"all"}],"data":{"_e0":[{}],"_e1":[{"b":1},{"b":2},{"b":null}]}}',
  );
});

test('without data what was known is still told, with the errors', () => {
  expect(mergeAnswers('{"errors":[{"message":"no"}],"data":null}', [part(['{"a":1}', null], [1])])).toBe(
    '{"errors":[{"message":"no"}],"data":{"_entities":[{"a":1},null]}}',
  );
});

test.each([
  'nonsense',
  '{}',
  '{"data":null}',
  '{"data":{}}',
  '{"data":{"_entities":null}}',
  '{"data":{"_entities":[{"a":1}]}}',
  '{"errors":"no","data":null}',
  '{"errors":[{"message":"n',
])('%s is not understood', (body) => {
  expect(mergeAnswers(body, [part(['{}', null, null], [1, 2])])).toBeNull();
});

test.each([
  '{"errors":[],"data":{"_entities":[]}}',
  '{"data":{"_entities":[{"a":tru}]}}',
  '{"data":{"_entities":[{}]}} more',
  '{"data":[]}',
])('%s is nothing to keep', (body) => {
  expect(readAnswer(body)).toBeNull();
});

test('an answer with blanks in it is kept as it stands', () => {
  expect(readAnswer(' { "data" : { "_entities" : [ {"a": 1} , null ] } } ')).toEqual(
    new Map([['_entities', ['{"a": 1}', 'null']]]),
  );
});
