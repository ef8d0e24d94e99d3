// The parts of a JSON text as they stand there, without making values of them. It follows brackets and strings and
// believes everything else; whoever keeps what it finds has it checked first.

const quote = 34;
const comma = 44;
const colon = 58;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

const isBlank = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

export const skipBlanks = (text: string, from: number): number => {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
};

/** @param from where the string's opening quote is; -1 where it has no end */
const endOfString = (text: string, from: number): number => {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) === backslash) before -= 1;
    if ((at - before) % 2 === 1) return at + 1;
  }
  return -1;
};

/** The place after the value that begins at `from`; -1 where it has no end. */
export const endOfValue = (text: string, from: number): number => {
  const first = text.charCodeAt(from);
  if (first === quote) return endOfString(text, from);
  const isNested = first === openBrace || first === openBracket;
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
      if (at < 0) return -1;
      continue;
    }
    if (code === openBrace || code === openBracket) depth += 1;
    else if (code === closeBrace || code === closeBracket) {
      if (!isNested) break;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (!isNested && (code === comma || isBlank(code))) break;
    at += 1;
  }
  return isNested || at === from ? -1 : at;
};

/** The elements of the list that begins at `from`; null where there is no list, or no end to it. */
export const elementsAt = (text: string, from: number): string[] | null => {
  if (text.charCodeAt(from) !== openBracket) return null;
  const elements: string[] = [];
  let at = skipBlanks(text, from + 1);
  if (text.charCodeAt(at) === closeBracket) return elements;
  for (;;) {
    const end = endOfValue(text, at);
    if (end < 0) return null;
    elements.push(text.slice(at, end));
    at = skipBlanks(text, end);
    const code = text.charCodeAt(at);
    if (code === closeBracket) return elements;
    if (code !== comma) return null;
    at = skipBlanks(text, at + 1);
  }
};

/** Where the list at `from` has how many elements; the same walk without the slices. */
export const countAt = (text: string, from: number): number => {
  let at = skipBlanks(text, from + 1);
  if (text.charCodeAt(from) !== openBracket || text.charCodeAt(at) === closeBracket) return 0;
  for (let count = 1; ; count += 1) {
    const end = endOfValue(text, at);
    if (end < 0) return count;
    at = skipBlanks(text, end);
    if (text.charCodeAt(at) !== comma) return count;
    at = skipBlanks(text, at + 1);
  }
};

export type Member = { readonly name: string; readonly from: number; readonly to: number };

/**
 * The members of the object that begins at `from`: names as they stand between their quotes, values by their places.
 * Null where there is no object, or no end to it.
 */
export const membersAt = (text: string, from: number): Member[] | null => {
  if (text.charCodeAt(from) !== openBrace) return null;
  const members: Member[] = [];
  let at = skipBlanks(text, from + 1);
  if (text.charCodeAt(at) === closeBrace) return members;
  for (;;) {
    if (text.charCodeAt(at) !== quote) return null;
    const nameEnd = endOfString(text, at);
    if (nameEnd < 0) return null;
    const name = text.slice(at + 1, nameEnd - 1);
    at = skipBlanks(text, nameEnd);
    if (text.charCodeAt(at) !== colon) return null;
    at = skipBlanks(text, at + 1);
    const to = endOfValue(text, at);
    if (to < 0) return null;
    members.push({ name, from: at, to });
    at = skipBlanks(text, to);
    const code = text.charCodeAt(at);
    if (code === closeBrace) return members;
    if (code !== comma) return null;
    at = skipBlanks(text, at + 1);
  }
};
