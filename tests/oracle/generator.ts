// Queries that are valid and that nobody would write: fragments in fragments, aliases that are traps, directives, variables
// of every kind. The same for the same dice.
import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { Dice } from './dice.ts';

export type Generated = {
  readonly text: string;
  /** two ways to call it */
  readonly variables: readonly Readonly<Record<string, unknown>>[];
};

type Fields = { readonly [name: string]: GraphQLField<unknown, unknown> };
type Variable = { readonly declaration: string; readonly values: readonly unknown[] };

/** A variable that is not given. */
const absent = Symbol('absent');

const traps = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'data',
  'errors',
  'length',
  'then',
  '_e0',
];

/** Things there are, and one there is not. */
const ids = ['p1', 'p2', 'p4', 'p5', 'm1', 'b1', 'b2', 'u1', 'u3', 'w1', 'w2', 'nobody'];
const texts = ['', 'a', 'ü “漢字” 🎈', 'say "no" \\ \n\t', '\u2028', '}{', '$x'];
const blobs = [null, 1, 'text', [], { a: { b: [1, null] } }, [{ ключ: 'ü' }], { list: [true, 1.5e10] }];

/** As GraphQL writes a value that JSON could hold; enums are not JSON's. */
const literalOf = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .filter(([key]) => /^[A-Za-z_]\w*$/.test(key))
    .map(([key, one]) => `${key}: ${literalOf(one)}`)
    .join(', ')}}`;
};

class Writer {
  readonly #schema: GraphQLSchema;
  readonly #dice: Dice;
  readonly #variables = new Map<string, Variable>();
  readonly #fragments: { readonly name: string; readonly on: string; readonly text: string }[] = [];
  /** what stands behind an alias; the same everywhere, so that no two fields can be merged wrongly */
  readonly #aliases = new Map<string, string>();
  #left: number;
  #names = 0;

  constructor(schema: GraphQLSchema, dice: Dice) {
    this.#schema = schema;
    this.#dice = dice;
    this.#left = 6 + dice.below(40);
  }

  write(kind: 'query' | 'mutation'): Generated {
    const root = kind === 'query' ? this.#schema.getQueryType()! : this.#schema.getMutationType()!;
    const selection = this.#selectionOf(root, 0);
    const declared = [...this.#variables.values()].map(({ declaration }) => declaration);
    const head = declared.length > 0 ? `${kind} Generated(${declared.join(', ')})` : kind;
    const fragments = this.#fragments.map(({ name, on, text }) => `fragment ${name} on ${on} ${text}`);
    return {
      text: [`${head} ${selection}`, ...fragments].join('\n'),
      variables: [0, 1].map((which) =>
        Object.fromEntries(
          [...this.#variables]
            .map(([name, { values }]) => [name, values[which]] as const)
            .filter(([, value]) => value !== absent),
        ),
      ),
    };
  }

  #selectionOf(type: GraphQLNamedOutputType, depth: number, isFlat = false): string {
    const parts: string[] = [];
    const wanted = 1 + this.#dice.below(depth === 0 ? 4 : 5);
    for (let count = 0; count < wanted; count += 1) {
      this.#left -= 1;
      const part = isFlat ? this.#fieldOf(type, depth) : this.#partOf(type, depth);
      if (part !== null) parts.push(part);
    }
    // One that is always there: a selection may not be empty, and one without any field is nobody's.
    if (parts.length === 0 || this.#dice.oneIn(6)) parts.push(isFlat ? 'id' : '__typename');
    return `{ ${parts.join(' ')} }`;
  }

  #partOf(type: GraphQLNamedOutputType, depth: number): string | null {
    if (depth > 0 && this.#dice.oneIn(isAbstractType(type) ? 2 : 7)) return this.#fragmentOn(type, depth);
    if (!('getFields' in type)) return this.#fragmentOn(type, depth);
    return this.#fieldOf(type, depth);
  }

  #fieldOf(type: GraphQLNamedOutputType, depth: number): string | null {
    if (!('getFields' in type)) return null;
    const deep = this.#left <= 0 || depth >= 6;
    const fields = Object.values(type.getFields() as Fields).filter(
      (field) => !(deep && isCompositeType(getNamedType(field.type))),
    );
    return fields.length === 0 ? null : this.#fieldText(type, this.#dice.pick(fields), depth);
  }

  #fieldText(type: GraphQLNamedOutputType, field: GraphQLField<unknown, unknown>, depth: number): string {
    const args = field.args
      .filter(({ type: wanted }) => isNonNullType(wanted) || this.#dice.oneIn(2))
      .map(({ name, type: wanted }) => `${name}: ${this.#valueOf(wanted, 0)}`);
    const call = args.length > 0 ? `${field.name}(${args.join(', ')})` : field.name;
    // Fields of two types may share a name and not what they answer.
    const whole = isObjectType(type) && depth > 0 && field.name === 'name' ? `${call} on ${type.name}` : call;
    const named = getNamedType(field.type);
    // Of what only an interface object stands behind, neither planner finds out reliably which type it is.
    const isFlat = type.name === 'Review' && field.name === 'media';
    const selection = isCompositeType(named) ? ` ${this.#selectionOf(named, depth + 1, isFlat)}` : '';
    return `${this.#aliasFor(whole, field.name)}${call}${this.#directives()}${selection}`;
  }

  #aliasFor(call: string, plain: string): string {
    const known = this.#aliases.get(call);
    if (known !== undefined) return known;
    const isTaken = [...this.#aliases.values()];
    const mustHave = call !== plain;
    const trap = this.#dice.pick(traps);
    const alias =
      this.#dice.oneIn(12) && !isTaken.includes(`${trap}: `)
        ? `${trap}: `
        : mustHave || this.#dice.oneIn(5)
          ? `a${this.#aliases.size}: `
          : '';
    this.#aliases.set(call, alias);
    return alias;
  }

  #fragmentOn(type: GraphQLNamedOutputType, depth: number): string {
    const on = this.#narrowed(type);
    const known = this.#fragments.filter((one) => one.on === on.name);
    if (known.length > 0 && this.#dice.oneIn(3))
      return `...${this.#dice.pick(known).name}${this.#directives()}`;
    const text = this.#selectionOf(on, depth + 1);
    if (this.#dice.oneIn(3)) {
      this.#names += 1;
      const name = `F${this.#names}`;
      this.#fragments.push({ name, on: on.name, text });
      return `...${name}${this.#directives()}`;
    }
    const condition = on === type && this.#dice.oneIn(3) ? '' : ` on ${on.name}`;
    return `...${condition}${this.#directives()} ${text}`;
  }

  /** The type itself, one that it may be, or one that those have in common with it. */
  #narrowed(type: GraphQLNamedOutputType): GraphQLNamedOutputType {
    if (!isAbstractType(type)) {
      const abstract = isObjectType(type) && this.#dice.oneIn(4) ? type.getInterfaces() : [];
      return abstract.length > 0 ? this.#dice.pick(abstract) : type;
    }
    const possible = this.#schema.getPossibleTypes(type);
    const one = this.#dice.pick(possible);
    const interfaces = one.getInterfaces();
    if (interfaces.length > 0 && this.#dice.oneIn(4)) return this.#dice.pick(interfaces);
    return this.#dice.oneIn(5) && 'getFields' in type ? type : one;
  }

  #directives(): string {
    if (!this.#dice.oneIn(8)) return '';
    const one = (name: string): string => {
      const condition = this.#dice.oneIn(4)
        ? String(this.#dice.oneIn(2))
        : `$${this.#variable('Boolean!', [this.#dice.oneIn(2), this.#dice.oneIn(2)])}`;
      return ` @${name}(if: ${condition})`;
    };
    return this.#dice.oneIn(5) ? one('skip') + one('include') : one(this.#dice.pick(['skip', 'include']));
  }

  #variable(type: string, values: readonly unknown[], fallback?: string): string {
    // A few variables are used more than once.
    const same = [...this.#variables].filter(([, { declaration }]) => declaration.endsWith(`: ${type}`));
    if (same.length > 0 && fallback === undefined && this.#dice.oneIn(2)) return this.#dice.pick(same)[0];
    const name = `v${this.#variables.size}`;
    const declaration = `$${name}: ${type}${fallback === undefined ? '' : ` = ${fallback}`}`;
    this.#variables.set(name, { declaration, values });
    return name;
  }

  #valueOf(type: GraphQLInputType, depth: number): string {
    if (depth > 0 || this.#dice.oneIn(2)) {
      if (depth === 0 || !this.#dice.oneIn(6)) return this.#literal(type, depth);
    }
    const nullable = !isNonNullType(type);
    const value = (): unknown =>
      nullable && this.#dice.oneIn(5) ? (this.#dice.oneIn(2) ? null : absent) : this.#json(type, depth);
    const values = [value(), value()];
    if (nullable && depth === 0 && this.#dice.oneIn(4))
      return `$${this.#variable(String(type), values, this.#literal(type, 3))}`;
    return `$${this.#variable(String(type), values)}`;
  }

  #literal(type: GraphQLInputType, depth: number): string {
    if (!isNonNullType(type) && this.#dice.oneIn(7)) return 'null';
    const nullable = getNullableType(type);
    if (isListType(nullable)) {
      // A single value stands for a list of one.
      if (this.#dice.oneIn(6))
        return this.#literal(getNullableType(nullable.ofType), depth + 1).replace(/^null$/, '[]');
      return `[${Array.from({ length: this.#dice.below(3) }, () => this.#valueIn(nullable.ofType, depth + 1)).join(', ')}]`;
    }
    if (isInputObjectType(nullable)) {
      const fields = Object.values(nullable.getFields()).filter(
        (field) => isNonNullType(field.type) || (depth < 3 && this.#dice.oneIn(2)),
      );
      return `{${fields.map((field) => `${field.name}: ${this.#valueIn(field.type, depth + 1)}`).join(', ')}}`;
    }
    if (isEnumType(nullable)) return this.#dice.pick(nullable.getValues()).name;
    return literalOf(this.#json(type, depth, true));
  }

  #valueIn(type: GraphQLInputType, depth: number): string {
    return depth >= 3 ? this.#literal(type, depth) : this.#valueOf(type, depth);
  }

  #json(type: GraphQLInputType, depth: number, isSure = false): unknown {
    if (!isSure && !isNonNullType(type) && depth > 0 && this.#dice.oneIn(6)) return null;
    const nullable = getNullableType(type);
    if (isListType(nullable))
      return Array.from({ length: this.#dice.below(3) }, () => this.#json(nullable.ofType, depth + 1));
    if (isInputObjectType(nullable)) {
      const fields = Object.values(nullable.getFields()).filter(
        (field) => isNonNullType(field.type) || (depth < 3 && this.#dice.oneIn(2)),
      );
      return Object.fromEntries(fields.map((field) => [field.name, this.#json(field.type, depth + 1)]));
    }
    if (isEnumType(nullable)) return this.#dice.pick(nullable.getValues()).name;
    if (nullable.name === 'Int') return this.#dice.pick([0, 1, 2, 3, -1]);
    if (nullable.name === 'Float') return this.#dice.pick([0, 1, 2.5, -1e-7, 1e21]);
    if (nullable.name === 'Boolean') return this.#dice.oneIn(2);
    if (nullable.name === 'ID') return this.#dice.pick(ids);
    return this.#dice.pick<unknown>(nullable.name === 'String' ? texts : blobs);
  }
}

/** Nearly always valid; where it is not, two fields of one name do not go together, and the next one will. */
export const generate = (schema: GraphQLSchema, dice: Dice): Generated =>
  new Writer(schema, dice).write(dice.oneIn(12) ? 'mutation' : 'query');
