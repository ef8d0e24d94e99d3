// Moves over the bytes of an answer that is written as nearly all are: JSON without blanks, values of the promised kind.
// At anything else it gives up, and the whole answer is read by parse/reader.ts. What it takes is checked byte by byte,
// but for one thing: the inside of a string is taken as the subgraph wrote it.
import { compact, endOfValue } from './leaf.ts';
import type { LeafKind, LeafShape } from './shape.ts';
import type { Leaf } from './values.ts';

export const surprise = new Error('an answer that has to be read slowly');

const quote = 34;
const backslash = 92;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** bytes behind the text, each a quote: whoever looks for the end of a string finds one, and no key is made of them */
const margin = 16;
/** bytes of room that is kept from one answer to the next */
const smallest = 64 * 1024;
const largest = 1024 * 1024;
/** Strings up to this long are read byte by byte, which is faster than a search that has to be begun. */
const shortString = 24;

const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** JavaScript for whether the bytes `B`, as a DataView `V`, have `word` at `at`: ASCII, at least four characters. */
export const isAtCode = (word: string, at: string): string => {
  const bytes = Buffer.from(word, 'latin1');
  const starts = Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => 4 * index);
  if (bytes.length % 4 !== 0) starts.push(bytes.length - 4);
  const number = (start: number) => (littleEndian ? bytes.readInt32LE(start) : bytes.readInt32BE(start));
  return starts
    .map((start) => `V.getInt32(${start ? `${at}+${start}` : at},${littleEndian})===${number(start)}`)
    .join('&&');
};

export class Cursor {
  text = '';
  at = 0;
  /** the text's bytes, and quotes behind them */
  bytes = Buffer.alloc(smallest);
  view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);

  /** @param text a binary string */
  begin(text: string): void {
    const { length } = text;
    if (length + margin > this.bytes.length) this.#room(2 * (length + margin));
    this.bytes.write(text, 0, length, 'latin1');
    this.bytes.fill(quote, length, length + margin);
    this.text = text;
    this.at = 0;
  }

  /** Lets go of the text. */
  end(): void {
    this.text = '';
    if (this.bytes.length > largest) this.#room(smallest);
  }

  #room(length: number): void {
    this.bytes = Buffer.alloc(length);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, length);
  }

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

  /** Whether what was read before, an ASCII string with its quotes, stands here again. */
  repeats(last: Leaf): boolean {
    const { bytes, at } = this;
    for (let index = 0; index < last.length; index++)
      if (bytes[at + index] !== last.charCodeAt(index)) return false;
    return true;
  }

  string(): Leaf | null {
    const { text, bytes, at } = this;
    if (bytes[at] !== quote) return this.nothing();
    let end = at + 1;
    const far = end + shortString;
    while (end < far && bytes[end] !== quote && bytes[end] !== backslash) end++;
    if (bytes[end] !== quote) end = this.#endOfString(end);
    if (end >= text.length) throw surprise;
    this.at = end + 1;
    return text.slice(at, end + 1);
  }

  /** The quote that ends the string of which `start` is inside, not behind a backslash. */
  #endOfString(start: number): number {
    const { text, bytes } = this;
    let end = text.indexOf('"', start);
    if (end === -1) throw surprise;
    if (bytes[end - 1] !== backslash) return end;
    for (end = start; end < text.length && bytes[end] !== quote; end++) if (bytes[end] === backslash) end++;
    return end;
  }

  /** A whole number that surely is in the range of an Int. */
  int(): Leaf | null {
    const { text, bytes } = this;
    const start = this.at;
    let end = start;
    if (bytes[end] === 45) end++;
    const first = bytes[end]!;
    if (!isDigit(first)) return this.nothing();
    end++;
    if (first !== 48) while (isDigit(bytes[end]!)) end++;
    if (end - start > 9) throw surprise;
    this.at = end;
    return text.slice(start, end);
  }

  float(): Leaf | null {
    const { text, bytes } = this;
    const start = this.at;
    let end = start;
    if (bytes[end] === 45) end++;
    const first = bytes[end]!;
    if (!isDigit(first)) return this.nothing();
    end++;
    if (first !== 48) while (isDigit(bytes[end]!)) end++;
    if (bytes[end] === 46) end = this.#digits(end + 1);
    const exponent = bytes[end]! | 32;
    if (exponent === 101) {
      const sign = bytes[end + 1];
      end = this.#digits(sign === 43 || sign === 45 ? end + 2 : end + 1);
    }
    this.at = end;
    return text.slice(start, end);
  }

  /** At least one. */
  #digits(start: number): number {
    let end = start;
    while (isDigit(this.bytes[end]!)) end++;
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
    switch (this.bytes[this.at]) {
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
    const { text, bytes } = this;
    const start = this.at;
    if (bytes[start] !== 91) return this.nothing();
    this.at++;
    if (bytes[this.at] === 93) {
      this.at++;
      return '[]';
    }
    const isInnermost = level + 1 === shape.lists.length;
    for (;;) {
      const item = isInnermost ? this.#leaf(shape.kind, shape.values) : this.list(shape, level + 1);
      if (item === null && !shape.lists[level]) throw surprise;
      const next = bytes[this.at++];
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
