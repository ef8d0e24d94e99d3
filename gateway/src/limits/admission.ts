// What a text must stand before anything is asked about it.
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { RequestError } from '@orderstream/runtime/errors';
import { type DocumentNode, parse, visit } from 'graphql';
import { figure, type Limits, tooComplex } from './limit.ts';
import { measure } from './measure.ts';
import { isText } from './variables.ts';

/** @throws RequestError BAD_USER_INPUT */
const checkTexts = (document: DocumentNode): void => {
  visit(document, {
    StringValue: ({ value }) => {
      if (!isText(value)) throw new RequestError('BAD_USER_INPUT', 'The query has text that is none.');
    },
  });
};

/**
 * The parsed text, or null where it is no GraphQL, which is for others to word.
 * @throws RequestError QUERY_TOO_COMPLEX, or BAD_USER_INPUT for text that is none
 */
export const parseWithinLimits = (text: string, limits: Limits): DocumentNode | null => {
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens: limits.tokens });
  } catch (error) {
    if (error instanceof Error && error.message.includes('Parsing aborted'))
      throw tooComplex(`it has more tokens than the ${figure(limits.tokens)} allowed`);
    // Nesting too deep for the parser's own recursion.
    if (error instanceof RangeError)
      throw tooComplex(`it has more levels than the ${figure(limits.depth)} allowed`);
    return null;
  }
  measure(document, limits);
  // Only an escape can bring what the parser lets nobody write.
  if (text.includes('\\u')) checkTexts(document);
  return document;
};

/** @throws RequestError PAYLOAD_TOO_LARGE */
export const checkBody = (bytes: number, limits: Limits): void => {
  if (bytes > limits.body)
    throw new RequestError(
      'PAYLOAD_TOO_LARGE',
      `The request has ${figure(bytes)} bytes, of ${figure(limits.body)} allowed.`,
    );
};

/**
 * Bytes that are no UTF-8 would be read as other text than they are, here and in the subgraphs, by each in its own way.
 * @throws RequestError BAD_USER_INPUT
 */
export const checkEncoding = (body: Uint8Array): void => {
  if (!isUtf8(body)) throw new RequestError('BAD_USER_INPUT', 'The request is not written in UTF-8.');
};

export type Admission = {
  /** @throws RequestError QUERY_TOO_COMPLEX, or whatever `check` throws */
  readonly admit: (text: string) => void;
  readonly size: () => number;
};

/**
 * Texts that were found within the limits need not be measured again.
 * @param check what else a document has to stand, by throwing
 * @param most texts that are remembered
 */
export const createAdmission = (
  limits: Limits,
  check: (document: DocumentNode) => void = () => undefined,
  most = 5_000,
): Admission => {
  const admitted = new Set<string>();
  return {
    admit: (text) => {
      const digest = createHash('sha256').update(text).digest('base64');
      if (admitted.has(digest)) return;
      const document = parseWithinLimits(text, limits);
      if (document === null) return;
      check(document);
      if (admitted.size >= most) admitted.delete(admitted.values().next().value!);
      admitted.add(digest);
    },
    size: () => admitted.size,
  };
};
