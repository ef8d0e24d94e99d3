// Parsers made for one operation of a subgraph: JavaScript that knows which key comes next. Leaves stay text, and whole
// parts of an answer are never looked at twice.
import { Cursor, isAtCode, surprise } from './cursor.ts';
import type { LeafShape, ObjectShape, Shape } from './shape.ts';
import type { Composite } from './values.ts';

/** Answers the data of a response; undefined where anything about it is a surprise. */
export type Parse = (body: string) => Composite | undefined;

/** Keys that later fetches will put to the objects of a shape, so that all objects of a place have one form. */
export type LaterKeys = ReadonlyMap<ObjectShape, ReadonlySet<string>>;

const nothingLater: LaterKeys = new Map();

class Unit {
  readonly #functions: string[] = [];
  readonly #later: LaterKeys;
  readonly #leaves: LeafShape[] = [];

  constructor(later: LaterKeys) {
    this.#later = later;
  }

  make(shape: ObjectShape): (cursor: Cursor) => Composite {
    const name = this.#object(shape);
    // Names are in it only as string literals, and all of them went through a GraphQL parser.
    const code = `'use strict';${this.#functions.join('\n')}\nreturn ${name}`;
    return new Function('L', 'S', code)(this.#leaves, surprise);
  }

  #add(body: string, outside = ''): string {
    const name = `f${this.#functions.length}`;
    this.#functions.push(`${outside}function ${name}(c){${body}}`);
    return name;
  }

  /** Starts at the brace. Each key may be there or not, but in their order and once. */
  #object(shape: ObjectShape): string {
    const keys = [...shape.fields];
    const locals = keys.map((_, at) => `x${at}`);
    const steps = keys.map(([key, field], at) => {
      const start = `${JSON.stringify(key)}:`;
      const value = this.#value(field, `x${at}`);
      return `if(${isAtCode(start, 'p')}){c.at=p+${start.length};${value}p=c.at;if(B[p]===44)p++;else if(B[p]!==125)throw S}`;
    });
    const later = [...(this.#later.get(shape) ?? [])].filter((key) => !shape.fields.has(key));
    const members = [
      ...keys.map(([key], at) => `${JSON.stringify(key)}:x${at}`),
      ...later.map((key) => `${JSON.stringify(key)}:undefined`),
    ];
    // A comma before the brace is one too many: no value ends with one.
    return this.#add(
      `const B=c.bytes,V=c.view;let p=c.at+1${locals.map((one) => `,${one}`).join('')};
      ${steps.join('\n')}
      if(B[p]!==125||B[p-1]===44)throw S;c.at=p+1;return {${members.join(',')}}`,
    );
  }

  /** Statements that read a value into the variable. */
  #value(shape: Shape, local: string): string {
    if (shape.shape === 'leaf') return this.#leaf(shape, local);
    if (shape.depth === null) return 'throw S;';
    let read = `(B[c.at]===123?${this.#object(shape)}(c):c.nothing())`;
    for (let depth = 0; depth < shape.depth; depth++) read = `${this.#list(read)}(c)`;
    return `${local}=${read};`;
  }

  #list(item: string): string {
    return this.#add(
      `const B=c.bytes;if(B[c.at]!==91)return c.nothing();c.at++;const a=[];
      if(B[c.at]===93){c.at++;return a}
      for(;;){a.push(${item});const d=B[c.at++];if(d===93)return a;if(d!==44)throw S}`,
    );
  }

  #leaf(shape: LeafShape, local: string): string {
    if (shape.lists.length) return `${local}=c.list(L[${this.#leaves.push(shape) - 1}]);`;
    switch (shape.kind) {
      case 'enum':
        return this.#repeated(local, `c.enum(L[${this.#leaves.push(shape) - 1}].values)`);
      case 'typename':
        return this.#repeated(local, 'c.string()');
      case 'id':
        return `${local}=c.string();`;
      default:
        return `${local}=c.${shape.kind}();`;
    }
  }

  /** The same few words come again and again: the last one is kept and compared with. */
  #repeated(local: string, read: string): string {
    const last = `t${this.#functions.length}_${local}`;
    this.#functions.push(`let ${last}='?';`);
    return `if(c.repeats(${last})){${local}=${last};c.at+=${last}.length}else{${local}=${read};if(${local}!==null)${last}=${local}}`;
  }
}

/** A key that would set the prototype in a literal. No document that was made ready has it. */
const isUnsafe = (shape: Shape): boolean =>
  shape.shape === 'object' &&
  [...shape.fields].some(([key, field]) => key === '__proto__' || isUnsafe(field));

const cursor = new Cursor();

/** After the data comes the end, or what the subgraph says about how it got there. */
const passEnd = (): void => {
  if (cursor.text.startsWith(',"extensions":', cursor.at)) {
    cursor.at += ',"extensions":'.length;
    cursor.any();
  }
  cursor.pass('}');
  if (cursor.at !== cursor.text.length) cursor.pass('\n');
  if (cursor.at !== cursor.text.length) throw surprise;
};

export const parserFor = (shape: ObjectShape, later: LaterKeys = nothingLater): Parse => {
  if (isUnsafe(shape)) return () => undefined;
  const read = new Unit(later).make(shape);
  return (body) => {
    cursor.begin(body);
    try {
      cursor.pass('{"data":');
      if (cursor.bytes[cursor.at] !== 123) return undefined;
      const data = read(cursor);
      passEnd();
      return data;
    } catch (error) {
      if (error === surprise) return undefined;
      throw error;
    } finally {
      cursor.end();
    }
  };
};
