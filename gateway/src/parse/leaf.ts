// Whether the JSON text of a leaf is what its type promises.
import type { LeafKind, LeafShape } from './shape.ts';
import type { Leaf } from './values.ts';

const largestInt = 2_147_483_647;

const isInt = (text: Leaf): boolean => {
  const value = Number(text);
  return Number.isInteger(value) && value <= largestInt && value >= -largestInt - 1;
};

const isNumber = (text: Leaf): boolean => {
  const first = text.charCodeAt(0);
  return first === 45 || (first >= 48 && first <= 57);
};

const isString = (text: Leaf): boolean => text.charCodeAt(0) === 34;

const isOfKind: Record<LeafKind, (text: Leaf, values: ReadonlySet<string> | null) => boolean> = {
  any: () => true,
  typename: isString,
  string: isString,
  id: (text) => isString(text) || (isNumber(text) && /^-?\d+$/.test(text)),
  int: (text) => isNumber(text) && isInt(text),
  float: isNumber,
  boolean: (text) => text === 'true' || text === 'false',
  enum: (text, values) => values?.has(text) ?? true,
};

/** `text` is neither null nor a list. */
export const isPromised = (text: Leaf, { kind, values }: LeafShape): boolean => isOfKind[kind](text, values);

/** Where the JSON value that starts at `start` ends. The text is valid JSON. */
export const endOfValue = (text: string, start: number): number => {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 34:
        at = endOfString(text, at) - 1;
        if (depth === 0) return at + 1;
        break;
      case 91:
      case 123:
        depth++;
        break;
      case 93:
      case 125:
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
        break;
      case 44:
      case 32:
      case 10:
      case 13:
      case 9:
        if (depth === 0) return at;
    }
  }
  return text.length;
};

/** Just after the string that starts at `start`. */
export const endOfString = (text: string, start: number): number => {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
  return text.length;
};

const isBlank = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

export const afterBlanks = (text: string, start: number): number => {
  let at = start;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
};

/** The elements of a JSON list. The text is valid JSON. */
export const itemsOf = (text: Leaf): Leaf[] => {
  const items: Leaf[] = [];
  let at = afterBlanks(text, 1);
  while (at < text.length && text.charCodeAt(at) !== 93) {
    const end = endOfValue(text, at);
    items.push(text.slice(at, end));
    at = afterBlanks(text, end);
    if (text.charCodeAt(at) === 44) at = afterBlanks(text, at + 1);
  }
  return items;
};

/** Whether all of the leaf's text may be told as it is. `depth`: how many lists around it are open already. */
export const isWhole = (text: Leaf, shape: LeafShape, depth = 0): boolean => {
  if (depth === shape.lists.length) return isPromised(text, shape);
  if (text.charCodeAt(0) !== 91) return false;
  return itemsOf(text).every((item) =>
    item === 'null' ? shape.lists[depth]! : isWhole(item, shape, depth + 1),
  );
};

/** Valid JSON without the blanks between its tokens. */
export const compact = (text: string): string =>
  text.replaceAll(/("(?:[^"\\]|\\.)*")|[ \n\r\t]+/g, (_, string: string | undefined) => string ?? '');
