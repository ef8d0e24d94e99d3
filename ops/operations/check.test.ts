// The command as it is typed.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../tests/database.ts';

const run = promisify(execFile);
const main = new URL('./main.ts', import.meta.url).pathname;

let folder: string;
let users: TestDatabase<undefined>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'operations-'));
  users = await testDatabase('users');
  await Promise.all([
    writeFile(
      join(folder, 'schema.graphql'),
      'type Query { goods: [String], wares: [String] @deprecated(reason: "Goods.") }',
    ),
    writeFile(join(folder, 'good.json'), '{"1":"{ goods }"}'),
    writeFile(join(folder, 'old.json'), '{"2":"{ wares }"}'),
    writeFile(join(folder, 'bad.json'), '{"3":"{\\n  gone\\n  wares\\n}"}'),
    writeFile(join(folder, 'shop.json'), '{"4":"{ me { id } }","5":"{ me { password } }"}'),
  ]);
});
afterAll(async () => {
  await users?.close();
  await rm(folder, { recursive: true });
});

const check = async (...args: string[]) => {
  const told = await run(process.execPath, [main, 'check', ...args], {
    cwd: folder,
    env: { ...process.env, USERS_DATABASE_URL: users.url },
  }).catch((error: { code: number; stdout: string; stderr: string }) => error);
  const code = 'code' in told ? told.code : 0;
  return { code, stdout: told.stdout, stderr: told.stderr };
};
const ofSchema = ['--schema', 'schema.graphql'];

test('a schema that every stored operation fits ends with 0, and what is deprecated is told', async () => {
  const told = await check(...ofSchema, '--manifest', 'good.json', '--manifest', 'old.json');
  expect(told).toMatchObject({ code: 0, stderr: '' });
  expect(told.stdout).toMatch(
    /old\.json: 2\n +deprecated +1:3 +The field Query\.wares is deprecated\. Goods\./,
  );
  expect(told.stdout).toContain('All 2 operations fit the schema.');
});

test('a schema that would break one ends with 1, and tells which, why and where', async () => {
  const told = await check(...ofSchema, '--manifest', 'good.json', '--manifest', 'bad.json');
  expect(told.code).toBe(1);
  expect(told.stdout).toMatch(/bad\.json: 3\n +broken +2:3 +Cannot query field "gone" on type "Query"\./);
  expect(told.stdout).toContain('deprecated');
  expect(told.stdout).toContain('1 of 2 operations do not fit the schema.');
  const short = await check(
    ...ofSchema,
    '--breaking-only',
    '--manifest',
    'bad.json',
    '--manifest',
    'old.json',
  );
  expect(short.code).toBe(1);
  expect(short.stdout).not.toContain('deprecated');
});

test('programs are told in JSON', async () => {
  const told = await check(...ofSchema, '--json', '--breaking-only', '--manifest', 'bad.json');
  expect(JSON.parse(told.stdout)).toEqual({
    operations: 1,
    broken: 1,
    findings: [
      {
        manifest: 'bad.json',
        id: '3',
        name: null,
        isBroken: true,
        problems: [
          { message: 'Cannot query field "gone" on type "Query".', line: 2, column: 3, isBreaking: true },
        ],
      },
    ],
  });
});

test('the shop’s own supergraph is what is checked against, unless another is named', async () => {
  const told = await check('--json', '--manifest', 'shop.json');
  expect(JSON.parse(told.stdout)).toMatchObject({ operations: 2, broken: 1, findings: [{ id: '5' }] });
});

test('what partners have stored in the shop is checked, of keys that are good', async () => {
  const store = async (name: string, isRevoked: boolean): Promise<void> => {
    const id = newId();
    await users.database.sql`
      insert into api_client (id, tenant_id, name, key_prefix, key_hash, scopes, per_minute, per_day, created_by,
        revoked_at)
      values (${id}, ${newId()}, ${name}, ${randomUUID()}, ${Buffer.alloc(32)}, '{}', 1, 1, ${newId()},
        ${isRevoked ? new Date() : null})`;
    await users.database.sql`
      insert into api_client_operation (client_id, tenant_id, id, body)
      values (${id}, ${newId()}, 'good', '{ me { id } }'), (${id}, ${newId()}, 'bad', '{ gone }')`;
  };
  await store('Acme', false);
  await store('Bolt', true);
  const told = await check('--json', '--clients', '--manifest', 'shop.json');
  const { operations, findings } = JSON.parse(told.stdout);
  expect(operations).toBe(4);
  expect(findings).toMatchObject([
    { manifest: 'shop.json', id: '5' },
    { manifest: expect.stringMatching(/^Acme \(apc_\w{26}\)$/), id: 'bad' },
  ]);
});

test.each([
  ['nothing to check', ofSchema, 'Nothing to check'],
  ['two schemas', [...ofSchema, '--supergraph', 'x', '--manifest', 'good.json'], 'not both'],
  ['a file that is not there', [...ofSchema, '--manifest', 'none.json'], 'ENOENT'],
  ['a manifest that is none', [...ofSchema, '--manifest', 'schema.graphql'], 'no manifest of operations'],
  ['a word that is not known', [...ofSchema, '--all'], "Unknown option '--all'"],
])('%s ends with 2', async (_what, args, message) => {
  const told = await check(...args);
  expect(told).toMatchObject({ code: 2, stdout: '' });
  expect(told.stderr).toContain(message);
  expect(told.stderr).toContain('npm run operations -- check');
});
