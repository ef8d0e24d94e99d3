// Moves over the text of an answer that is written as nearly all are: JSON without blanks, values of the promised kind.
// At anything else it gives up, and the whole answer is read by parse/reader.ts. What it takes is checked byte by byte,
// but for one thing: the inside of a string is taken as the subgraph wrote it.
import { compact, endOfValue } from './leaf.ts';
import type { LeafKind, LeafShape } from './shape.ts';
import type { Leaf } from './values.ts';

export const surprise = new Error('an answer that has to be read slowly');

const quote = 34;
const backslash = 92;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

export class Cursor {
  text = '';
  at = 0;

  /** Goes on behind the word, or gives up. */
  pass(word: string): void {
    if (!this.text.startsWith(word, this.at)) throw surprise;
    this.at += word.length;
  }

  /** What else may stand where something was promised. */
  nothing(): null {
    this.pass('null');
    return null;
  }

  string(): Leaf | null {
    const { text, at } = this;
    if (text.charCodeAt(at) !== quote) return this.nothing();
    let end = text.indexOf('"', at + 1);
    if (end !== -1 && text.charCodeAt(end - 1) === backslash) end = this.#endOfEscaped(end);
    if (end === -1) throw surprise;
    this.at = end + 1;
    return text.slice(at, end + 1);
  }

  /** The quote at `end` has a backslash before it, which may itself be escaped. */
  #endOfEscaped(end: number): number {
    const { text, at } = this;
    for (let here = end; here !== -1; here = text.indexOf('"', here + 1)) {
      let slashes = 0;
      while (here - 1 - slashes > at && text.charCodeAt(here - 1 - slashes) === backslash) slashes++;
      if (slashes % 2 === 0) return here;
    }
    return -1;
  }

  /** A whole number that surely is in the range of an Int. */
  int(): Leaf | null {
    const { text } = this;
    const start = this.at;
    let end = start;
    if (text.charCodeAt(end) === 45) end++;
    const first = text.charCodeAt(end);
    if (!isDigit(first)) return this.nothing();
    end++;
    if (first !== 48) while (isDigit(text.charCodeAt(end))) end++;
    if (end - start > 9) throw surprise;
    this.at = end;
    return text.slice(start, end);
  }

  float(): Leaf | null {
    const { text } = this;
    const start = this.at;
    let end = start;
    if (text.charCodeAt(end) === 45) end++;
    const first = text.charCodeAt(end);
    if (!isDigit(first)) return this.nothing();
    end++;
    if (first !== 48) while (isDigit(text.charCodeAt(end))) end++;
    if (text.charCodeAt(end) === 46) end = this.#digits(end + 1);
    const exponent = text.charCodeAt(end) | 32;
    if (exponent === 101) {
      const sign = text.charCodeAt(end + 1);
      end = this.#digits(sign === 43 || sign === 45 ? end + 2 : end + 1);
    }
    this.at = end;
    return text.slice(start, end);
  }

  /** At least one. */
  #digits(start: number): number {
    let end = start;
    while (isDigit(this.text.charCodeAt(end))) end++;
    if (end === start) throw surprise;
    return end;
  }

  boolean(): Leaf | null {
    if (this.text.startsWith('true', this.at)) {
      this.at += 4;
      return 'true';
    }
    if (this.text.startsWith('false', this.at)) {
      this.at += 5;
      return 'false';
    }
    return this.nothing();
  }

  any(): Leaf | null {
    switch (this.text.charCodeAt(this.at)) {
      case quote:
        return this.string();
      case 116:
      case 102:
        return this.boolean();
      case 91:
      case 123:
        return this.#composite();
      default:
        return this.float();
    }
  }

  /** A scalar that holds an object or a list. */
  #composite(): Leaf {
    const end = endOfValue(this.text, this.at);
    const written = this.text.slice(this.at, end);
    try {
      JSON.parse(written);
    } catch {
      throw surprise;
    }
    this.at = end;
    return /\s/.test(written) ? compact(written) : written;
  }

  enum(values: ReadonlySet<string>): Leaf | null {
    const written = this.string();
    if (written !== null && !values.has(written)) throw surprise;
    return written;
  }

  /** A list of leaves is one text as well. */
  list(shape: LeafShape, level = 0): Leaf | null {
    const { text } = this;
    const start = this.at;
    if (text.charCodeAt(start) !== 91) return this.nothing();
    this.at++;
    if (text.charCodeAt(this.at) === 93) {
      this.at++;
      return '[]';
    }
    const isInnermost = level + 1 === shape.lists.length;
    for (;;) {
      const item = isInnermost ? this.#leaf(shape.kind, shape.values) : this.list(shape, level + 1);
      if (item === null && !shape.lists[level]) throw surprise;
      const next = text.charCodeAt(this.at++);
      if (next === 93) return text.slice(start, this.at);
      if (next !== 44) throw surprise;
    }
  }

  #leaf(kind: LeafKind, values: ReadonlySet<string> | null): Leaf | null {
    switch (kind) {
      case 'enum':
        return this.enum(values!);
      case 'int':
      case 'float':
      case 'boolean':
      case 'any':
        return this[kind]();
      case 'typename':
      case 'string':
      case 'id':
        return this.string();
    }
  }
}
