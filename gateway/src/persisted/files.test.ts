import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfiguration } from '../configuration/reading.ts';
import { readAgreed } from './files.ts';
import { newKey } from './partners.ts';

let folder: string;
const written = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifests-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('what the configuration names is read, and a partner is found by its key', async () => {
  const { key, keyPrefix, keyHash } = newKey();
  const [web, console, acme] = await Promise.all([
    written('web.json', '{"1":"{web}"}'),
    written('console.json', '{"2":"{console}","1":"{web}"}'),
    written('acme.json', '{"3":"{acme}"}'),
  ]);
  const { persisted } = readConfiguration(
    `persisted:
  manifests: [${web}, ${console}]
  partners:
    - { id: acme, key: { prefix: ${keyPrefix}, sha256: ${keyHash} }, manifest: ${acme}, scopes: [orders:read] }`,
    {},
  );
  const { manifest, partners } = await readAgreed(persisted);
  expect([...manifest.values()].map(({ body }) => body)).toEqual(['{web}', '{console}']);
  const partner = partners.byKey(key);
  expect(partner).toMatchObject({ id: 'acme', perMinute: 600, scopes: new Set(['orders:read']) });
  expect(partner!.manifest.get('3')!.body).toBe('{acme}');
});

test('everything that is wrong in the files is told at once', async () => {
  const [one, two, broken] = await Promise.all([
    written('one.json', '{"1":"{a}"}'),
    written('two.json', '{"1":"{b}"}'),
    written('broken.json', '{"1":7}'),
  ]);
  const missing = join(folder, 'missing.json');
  await expect(readAgreed({ manifests: [one, two, broken, missing], partners: [] })).rejects.toMatchObject({
    problems: expect.arrayContaining([
      expect.stringContaining(`${missing}: ENOENT`),
      expect.stringContaining(`${broken}: 1: `),
      `${two}: 1 is the id of another operation in another file`,
    ]),
  });
});
