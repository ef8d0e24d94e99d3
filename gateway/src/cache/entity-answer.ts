// Answers to questions about entities, taken apart and put together as text.
import { elementsAt, membersAt, skipBlanks } from '../bodies/slices.ts';

/** One list of the answer. */
export type PartialAnswer = {
  /** response key */
  readonly alias: string;
  /** by place in the whole list; null for what is not known */
  readonly known: readonly (string | null)[];
  /** places of the elements that were asked for, in the order of asking */
  readonly asked: readonly number[];
};

/** The lists of `data`, element by element; null where `data` is no object of lists. */
const listsIn = (body: string, from: number): Map<string, string[]> | null => {
  const lists = new Map<string, string[]>();
  for (const member of membersAt(body, from) ?? []) {
    const elements = elementsAt(body, member.from);
    if (!elements) return null;
    lists.set(member.name, elements);
  }
  return lists.size ? lists : null;
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** The elements of each list; null unless the answer is whole, without errors, and JSON to the last character. */
export const readAnswer = (body: string): Map<string, string[]> | null => {
  const members = membersAt(body, skipBlanks(body, 0));
  const data = members?.find(({ name }) => name === 'data');
  if (!members || !data || members.some(({ name }) => name === 'errors') || !isJson(body)) return null;
  return listsIn(body, data.from);
};

type Told = { readonly path?: unknown };

/** Errors name entities by their place among those that were asked for; in the whole list they have another. */
const replaced = (errors: string, parts: readonly PartialAnswer[]): string | null => {
  let told: unknown;
  try {
    told = JSON.parse(errors);
  } catch {
    return null;
  }
  if (!Array.isArray(told)) return null;
  return JSON.stringify(
    told.map((error: Told) => {
      if (typeof error !== 'object' || error === null || !Array.isArray(error.path)) return error;
      const [alias, at, ...below] = error.path as unknown[];
      const part = parts.find((one) => one.alias === alias);
      const place = typeof at === 'number' ? part?.asked[at] : undefined;
      return place === undefined ? error : { ...error, path: [alias, place, ...below] };
    }),
  );
};

/**
 * The whole answer from what was known and what was asked for.
 * @param body the answer for what was asked for, null where nothing was
 * @returns null where the body cannot be understood
 */
export const mergeAnswers = (body: string | null, parts: readonly PartialAnswer[]): string | null => {
  const members = body === null ? [] : membersAt(body, skipBlanks(body, 0));
  if (!members) return null;
  const data = members.find(({ name }) => name === 'data');
  const errors = members.find(({ name }) => name === 'errors');
  const moved = body !== null && errors ? replaced(body.slice(errors.from, errors.to), parts) : '';
  if (moved === null || (body !== null && !data && !errors)) return null;
  const isNull = !data || body?.startsWith('null', data.from);
  const lists = body !== null && data && !isNull ? listsIn(body, data.from) : new Map<string, string[]>();
  if (!lists) return null;
  // Without data there must be errors that say why.
  if (body !== null && isNull && !moved) return null;

  const texts: string[] = [];
  for (const { alias, known, asked } of parts) {
    const told = lists.get(alias);
    if (body !== null && !isNull && told?.length !== asked.length) return null;
    const elements = known.map((text) => text ?? 'null');
    if (told) for (const [at, place] of asked.entries()) elements[place] = told[at]!;
    texts.push(`"${alias}":[${elements.join(',')}]`);
  }
  return `{${moved ? `"errors":${moved},` : ''}"data":{${texts.join(',')}}}`;
};
