// Manifests and partners as the configuration names them, read from their files.
import { readFile } from 'node:fs/promises';
import { ConfigError } from '@orderstream/runtime/config';
import {
  type Manifest,
  ManifestError,
  readManifest,
  type StoredOperation,
} from '@orderstream/runtime/manifest';
import type { PersistedSettings } from '../configuration/door-settings.ts';
import { createPartners, type Partners } from './partners.ts';

export type Agreed = {
  /** of our own front ends, all their files together */
  readonly manifest: Manifest;
  readonly partners: Partners;
};

type Wanted = Pick<PersistedSettings, 'manifests' | 'partners'>;

/** @throws ConfigError naming every file that cannot be read and everything that is wrong in the others */
export const readAgreed = async ({ manifests, partners }: Wanted): Promise<Agreed> => {
  const problems: string[] = [];
  const read = async (file: string): Promise<Manifest> => {
    try {
      return readManifest(await readFile(file, 'utf8'), file);
    } catch (error) {
      if (error instanceof ManifestError)
        problems.push(...error.problems.map((problem) => `${file}: ${problem}`));
      else problems.push(`${file}: ${error instanceof Error ? error.message : 'cannot be read'}`);
      return new Map();
    }
  };
  const [own, theirs] = await Promise.all([
    Promise.all(manifests.map(read)),
    Promise.all(partners.map(({ manifestFile }) => read(manifestFile))),
  ]);
  const manifest = new Map<string, StoredOperation>();
  for (const [index, operations] of own.entries())
    for (const [id, operation] of operations) {
      const before = manifest.get(id);
      if (before && before.body !== operation.body)
        problems.push(`${manifests[index]}: ${id} is the id of another operation in another file`);
      manifest.set(id, operation);
    }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    manifest,
    partners: createPartners(
      partners.map(({ manifestFile: _file, scopes, ...rest }, index) => ({
        ...rest,
        scopes: new Set(scopes),
        manifest: theirs[index]!,
      })),
    ),
  };
};
