import { expect, test } from 'vitest';
import { createAuthority } from '../auth/authority.ts';
import { asks, nobody, rules, schema } from '../auth/fixture-guarded-shop.ts';
import { formatPlainly, type Operation } from '../execute/operation.ts';
import { completed } from './completed.ts';

const { complete } = createAuthority(schema, rules, 'filter')
  .guard(asks('{ open level order { id note } }'), null)!
  .authorize(nobody);

/** Answers what the rest of the operation would be answered with. */
const inner: Operation<{ trace: string }> = {
  kind: 'query',
  run: (_variables, _asking, outcome) => outcome.done('{"data":{"open":"yes","order":{"id":"1"}}}', false),
  weight: 1,
  describe: () => '',
};

const answerOf = (operation: typeof inner): { body: unknown; hasErrors: boolean } => {
  let told: { body: unknown; hasErrors: boolean } | undefined;
  operation.run(
    {},
    { trace: 't1' },
    {
      done: (body, hasErrors) => {
        told = { body: JSON.parse(body), hasErrors };
      },
    },
  );
  return told!;
};

const data = { open: 'yes', level: null, order: { id: '1', note: null } };
const refusal = (path: string[], more: object = {}) => ({
  message: 'Sign in first.',
  path,
  extensions: { code: 'UNAUTHENTICATED', retryable: false, ...more },
});

test('what was refused is told in the words in which every error is, for whoever asked', () => {
  const worded = completed(inner, complete!, (error, { trace }) => ({
    ...formatPlainly(error),
    extensions: { ...error.failure?.extensions, trace },
  }));
  const more = { trace: 't1' };
  expect(answerOf(worded)).toEqual({
    body: { data, errors: [refusal(['level'], more), refusal(['order', 'note'], more)] },
    hasErrors: true,
  });
});

test('and plainly where there are no such words', () => {
  const { body } = answerOf(completed(inner, complete!));
  expect(body).toEqual({ data, errors: [refusal(['level']), refusal(['order', 'note'])] });
});
