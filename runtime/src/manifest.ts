// The operations that were agreed on, as client tools write them: Apollo's manifest, or a map of ids to texts as Relay
// and others have it.
import { z } from 'zod';

export type StoredOperation = {
  readonly id: string;
  /** null where the manifest does not tell */
  readonly name: string | null;
  readonly body: string;
};

export type Manifest = ReadonlyMap<string, StoredOperation>;

export class ManifestError extends Error {
  readonly problems: readonly string[];
  constructor(name: string, problems: readonly string[]) {
    super(`${name} is no manifest of operations:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ManifestError';
    this.problems = problems;
  }
}

const apollo = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(
    z.object({
      id: z.string().min(1).max(200),
      name: z.string().optional(),
      type: z.enum(['query', 'mutation', 'subscription']).optional(),
      body: z.string().min(1),
    }),
  ),
});

const idToText = z.record(z.string().min(1).max(200), z.string().min(1));

const placeOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (place, step) =>
      typeof step === 'number'
        ? `${place}[${step}]`
        : place === ''
          ? String(step)
          : `${place}.${String(step)}`,
    '',
  );

const parseJson = (text: string, name: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ManifestError(name, [error instanceof Error ? error.message : 'no JSON']);
  }
};

/** The first problems: a manifest of the wrong kind has one for each of its operations. */
const mostProblems = 20;

const told = (name: string, { issues }: z.ZodError): ManifestError =>
  new ManifestError(
    name,
    issues.slice(0, mostProblems).map(({ path, message }) => `${placeOf(path) || 'the whole'}: ${message}`),
  );

/**
 * @param name what the manifest is called in problems, such as its file
 * @throws ManifestError naming what is wrong, by its place
 */
export const readManifest = (text: string, name = 'This'): Manifest => {
  const json = parseJson(text, name);
  const isApollo = typeof json === 'object' && json !== null && ('format' in json || 'operations' in json);
  const manifest = new Map<string, StoredOperation>();
  if (!isApollo) {
    const { data, error } = idToText.safeParse(json);
    if (!data) throw told(name, error);
    for (const [id, body] of Object.entries(data)) manifest.set(id, { id, name: null, body });
    return manifest;
  }
  const { data, error } = apollo.safeParse(json);
  if (!data) throw told(name, error);
  const problems: string[] = [];
  for (const [index, { id, name: operation = null, body }] of data.operations.entries()) {
    const before = manifest.get(id);
    if (before && before.body !== body)
      problems.push(`operations[${index}].id: ${id} is the id of another operation as well`);
    manifest.set(id, { id, name: operation, body });
  }
  if (problems.length > 0) throw new ManifestError(name, problems.slice(0, mostProblems));
  return manifest;
};
