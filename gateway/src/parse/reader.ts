// Reads any valid JSON into values, by shape. It is slower than a parser made for one operation and takes whatever that
// one gives up on: other orders of keys, blanks, keys nobody asked for, values of the wrong kind.
import { afterBlanks, compact, endOfString, endOfValue, isWhole } from './leaf.ts';
import type { ObjectShape, Shape } from './shape.ts';
import { type Composite, invalid, type Value } from './values.ts';

/** a number at the start of the text or of an item */
const numbers = /(?:^|[[,])-?\d/;

export class Reader {
  /** Something was not of the kind that its type promises. */
  isSuspect = false;
  readonly #text: string;
  #at = 0;

  /** `text`: valid JSON */
  constructor(text: string) {
    this.#text = text;
  }

  /** The member `key` of the whole; undefined where it is missing or no object. */
  member(key: string, shape: ObjectShape): Composite | null | undefined {
    this.#at = afterBlanks(this.#text, 0);
    const envelope = this.#value({ shape: 'object', depth: 0, fields: new Map([[key, shape]]) });
    const found =
      envelope && typeof envelope === 'object' && !Array.isArray(envelope) ? envelope[key] : undefined;
    return typeof found === 'object' && !Array.isArray(found) ? found : undefined;
  }

  #value(shape: Shape, depth = 0): Value {
    const start = this.#at;
    const first = this.#text.charCodeAt(start);
    if (shape.shape === 'object') {
      const isList = first === 91;
      // Where the depth is not known, the answer is looked at value by value.
      if (shape.depth === null) this.isSuspect = true;
      const isExpected = shape.depth === null || isList === depth < shape.depth;
      if (first === 123 && isExpected) return this.#object(shape);
      if (isList && isExpected) return this.#list(shape, depth + 1);
    }
    this.#at = endOfValue(this.#text, start);
    const written = this.#text.slice(start, this.#at);
    if (written === 'null') return null;
    if (shape.shape === 'object') return this.#wrong();
    const text = first === 91 || first === 123 ? compact(written) : written;
    // An id may be written as a number, and is told as a string.
    if (!isWhole(text, shape) || (shape.kind === 'id' && numbers.test(text))) this.isSuspect = true;
    return text;
  }

  #wrong(): Value {
    this.isSuspect = true;
    return invalid;
  }

  #object(shape: ObjectShape): Composite {
    const object: Composite = {};
    this.#at = afterBlanks(this.#text, this.#at + 1);
    while (this.#text.charCodeAt(this.#at) !== 125) {
      const end = endOfString(this.#text, this.#at);
      const key: string = JSON.parse(this.#text.slice(this.#at, end));
      this.#at = afterBlanks(this.#text, afterBlanks(this.#text, end) + 1);
      const field = shape.fields.get(key);
      if (field) object[key] = this.#value(field);
      else this.#at = endOfValue(this.#text, this.#at);
      this.#separator();
    }
    this.#at++;
    return object;
  }

  #list(shape: ObjectShape, depth: number): Value[] {
    const list: Value[] = [];
    this.#at = afterBlanks(this.#text, this.#at + 1);
    while (this.#text.charCodeAt(this.#at) !== 93) {
      list.push(this.#value(shape, depth));
      this.#separator();
    }
    this.#at++;
    return list;
  }

  #separator(): void {
    this.#at = afterBlanks(this.#text, this.#at);
    if (this.#text.charCodeAt(this.#at) === 44) this.#at = afterBlanks(this.#text, this.#at + 1);
  }
}
