import { afterAll, beforeAll, expect, test } from 'vitest';
// @boundaries-ignore tests share databases and services
import { type TestDatabase, testDatabase } from '../../tests/database.ts';
import { createLog } from './log.ts';

let db: TestDatabase<undefined>;

beforeAll(async () => {
  db = await testDatabase('fraud');
  await db.database.sql`create table label (recipient text not null unique, line1 text check (line1 <> ''))`;
});
afterAll(() => db.close());

const failing = async (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => expect.unreachable(),
    (error: Error) => error,
  );

test('a row that the database refuses is not repeated in the log', async () => {
  const insert = (line1: string) => db.database.sql`insert into label values (${'Jo Canary'}, ${line1})`;
  await insert('7 High Street');
  const errors = [await failing(insert('')), await failing(insert('8 High Street'))];
  const lines: string[] = [];
  const log = createLog('test', 'info', { write: (line: string) => lines.push(line) });
  for (const err of errors) log.error({ err, order: { err } }, 'request failed');
  expect(lines.join()).toContain('label_recipient_key');
  expect(lines.join()).not.toContain('Jo Canary');
});
