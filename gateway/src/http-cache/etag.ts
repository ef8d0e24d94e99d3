// Names of answers, by what is in them. https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
import { hash } from 'node:crypto';
import type { Coding } from '../compression/coding.ts';

/** The name of an answer before it was packed; each packing of it has a name of its own. */
export const nameOf = (body: Buffer): string => hash('sha256', body, 'base64url').slice(0, 27);

export const etagOf = (name: string, coding: Coding | null): string =>
  coding === null ? `"${name}"` : `"${name}-${coding}"`;

/** characters; whoever has more names than that is answered anew */
const longest = 4_000;
const listed = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/**
 * The name by which a client has the answer already, packed in whatever way.
 * @param given If-None-Match
 */
export const knownBy = (given: string | undefined, name: string): string | null => {
  if (given === undefined || given.length > longest) return null;
  if (given.trim() === '*') return etagOf(name, null);
  const names = [etagOf(name, null), etagOf(name, 'gzip'), etagOf(name, 'br')];
  for (const [, tag] of given.matchAll(listed)) if (names.includes(tag!)) return tag!;
  return null;
};
