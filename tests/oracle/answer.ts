// How answers are compared: what they say, and which gaps they explain.
import { mostPlaces } from '../../gateway/src/execute/errors.ts';

export type Answer = {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly path?: readonly (string | number)[] }[];
};

/** JSON with keys in order, whatever they are called. */
export const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonical((value as Record<string, unknown>)[key])}`);
  return `{${entries.join(',')}}`;
};

const own = (value: unknown, key: string | number): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string | number, unknown>)[key]
    : undefined;

/**
 * Where in the data an error has left its gap: a null that has bubbled up stands above the place that failed, and of several
 * failures below one gap any may be told.
 */
export const gapOf = (data: unknown, path: readonly (string | number)[] = []): string => {
  let value = data;
  for (const [depth, key] of path.entries()) {
    if (value === null) return JSON.stringify(path.slice(0, depth));
    value = own(value, key);
    if (value === undefined) return `nowhere: ${JSON.stringify(path)}`;
  }
  return value === null ? JSON.stringify(path) : `no gap: ${JSON.stringify(path)}`;
};

const gapsOf = ({ data = null, errors = [] }: Answer): string =>
  [...new Set(errors.map(({ path }) => gapOf(data, path)))].toSorted().join(' ');

/** null where they say the same, otherwise a sentence. */
export const differenceOf = (expected: Answer, found: Answer): string | null => {
  const [wanted, got] = [canonical(expected.data ?? null), canonical(found.data ?? null)];
  if (wanted !== got)
    return `data\n  expected ${wanted}\n  found    ${got}\n  errors   ${JSON.stringify(found.errors)}`;
  const [explained, told] = [gapsOf(expected), gapsOf(found)];
  return explained === told
    ? null
    : `gaps\n  expected ${explained}\n  found    ${told}\n  errors   ${JSON.stringify(found.errors)}`;
};

/** Places where `part` is not what `whole` is: it may only be null there. */
const lostIn = (whole: unknown, part: unknown, path: readonly (string | number)[]): (string | null)[] => {
  if (canonical(whole) === canonical(part)) return [];
  if (part === null) return [JSON.stringify(path)];
  if (typeof whole !== 'object' || whole === null || typeof part !== 'object') return [null];
  if (Array.isArray(whole) !== Array.isArray(part)) return [null];
  const keys = [Object.keys(whole), Object.keys(part)].map((all) => all.toSorted().join('\n'));
  if (keys[0] !== keys[1]) return [null];
  return Object.keys(whole).flatMap((key) =>
    lostIn(own(whole, key), own(part, key), [...path, Array.isArray(whole) ? Number(key) : key]),
  );
};

/** A subgraph is away: what is there is right, and each gap is explained. null or a sentence. */
export const unexplained = (whole: Answer, part: Answer): string | null => {
  const errors = part.errors ?? [];
  const gaps = new Set(errors.map(({ path }) => gapOf(part.data ?? null, path)));
  // What a call that failed was asked for is told at so many places, and not at more.
  const isCutOff = [...Map.groupBy(errors, ({ message }) => message).values()].some(
    (alike) => alike.length >= mostPlaces,
  );
  const lost = lostIn(whole.data ?? null, part.data ?? null, []).filter(
    (place) => place === null || !(isCutOff || gaps.has(place)),
  );
  return lost.length === 0
    ? null
    : `lost ${lost.map((place) => place ?? '(something else stands there)').join(' ')}\n  expected ${canonical(whole.data)}\n  found    ${canonical(part.data)}\n  errors   ${JSON.stringify(part.errors)}`;
};
