// Where in the file something stands.
import { type Document, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';

export type Step = string | number;

/** A value without a name before it has null for a key, which is read as no text at all. */
const keyText = (key: unknown): string => (isScalar(key) ? String(key.value ?? '') : String(key));

const pairOf = (node: unknown, step: Step) =>
  isMap(node) ? node.items.find(({ key }) => keyText(key) === String(step)) : undefined;

const below = (node: unknown, step: Step): unknown => {
  if (isSeq(node)) return node.items[Number(step)];
  return pairOf(node, step)?.value;
};

/** The key itself where there is one, else the last thing on the way that there is. */
export const placeOf = (document: Document.Parsed, lines: LineCounter, path: readonly Step[]): string => {
  let node: unknown = document.contents;
  let offset = (document.contents as Node | null)?.range?.[0] ?? 0;
  for (const step of path) {
    const key = pairOf(node, step)?.key as Node | undefined;
    node = below(node, step);
    const range = key?.range ?? (node as Node | undefined | null)?.range;
    if (!range) break;
    offset = range[0];
  }
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
};

/** `persisted.partners[0].key` */
export const pathText = (path: readonly Step[]): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const name = step === '' ? "''" : step;
    return text === '' ? name : `${text}.${name}`;
  }, '');
