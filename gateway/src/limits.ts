// What a query may cost before anything is asked about it. Checked on the parsed text alone, ahead of validation, whose
// own rules take quadratic time on the documents that are refused here.
import { createHash } from 'node:crypto';
import { RequestError } from '@orderstream/runtime/errors';
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';

const limits = {
  tokens: 2_000,
  depth: 15,
  aliases: 30,
  rootFields: 10,
  /** fields with every fragment written out */
  selections: 2_000,
  /** times that one field of the answer may be asked for again */
  repeats: 50,
  /** levels of lists and objects in variables */
  variableDepth: 30,
} as const;

/** Guessing passwords or carts by the dozen takes a request for each guess, which the throttles count. */
const oncePerRequest = new Set(['login', 'register', 'checkout']);

/** The answer's shape: fields under one response name come together, as they do in validation. */
type Place = { count: number; readonly below: Map<string, Place> };

const newPlace = (): Place => ({ count: 0, below: new Map() });

const tooComplex = (what: string): RequestError =>
  new RequestError('QUERY_TOO_COMPLEX', `The query is too complex: ${what}.`);

const measure = (document: DocumentNode): void => {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const seen = new Set<string>();
  let selections = 0;
  let aliases = 0;

  const count = (field: FieldNode, place: Place, depth: number): Place => {
    selections += 1;
    if (selections > limits.selections) throw tooComplex(`it selects more than ${limits.selections} fields`);
    if (field.alias) aliases += 1;
    if (aliases > limits.aliases) throw tooComplex(`it has more than ${limits.aliases} aliases`);
    if (depth > limits.depth) throw tooComplex(`it is more than ${limits.depth} levels deep`);
    const name = (field.alias ?? field.name).value;
    const next = place.below.get(name) ?? newPlace();
    place.below.set(name, next);
    next.count += 1;
    if (next.count > limits.repeats) throw tooComplex(`it repeats a field more than ${limits.repeats} times`);
    return next;
  };

  // A fragment inside itself is left to validation, which names it; here it is only not followed.
  const walk = (set: SelectionSetNode, place: Place, depth: number, within: readonly string[]): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const next = count(selection, place, depth);
        if (selection.selectionSet) walk(selection.selectionSet, next, depth + 1, within);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        selections += 1;
        walk(selection.selectionSet, place, depth, within);
      } else {
        const name = selection.name.value;
        const fragment = fragments.get(name);
        selections += 1;
        seen.add(name);
        if (fragment && !within.includes(name)) walk(fragment.selectionSet, place, depth, [...within, name]);
      }
      if (selections > limits.selections)
        throw tooComplex(`it selects more than ${limits.selections} fields`);
    }
  };

  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION) {
      const root = newPlace();
      walk(definition.selectionSet, root, 1, []);
      if (root.below.size > limits.rootFields)
        throw tooComplex(`it has more than ${limits.rootFields} fields at its root`);
    }
  // Fragments that nobody uses are validated all the same.
  for (const [name, fragment] of fragments)
    if (!seen.has(name)) walk(fragment.selectionSet, newPlace(), 1, [name]);
  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION) checkOnce(definition, fragments);
};

const rootFields = (
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  within: readonly string[] = [],
): string[] =>
  set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    if (selection.kind === Kind.INLINE_FRAGMENT) return rootFields(selection.selectionSet, fragments, within);
    const name = selection.name.value;
    const fragment = fragments.get(name);
    return fragment && !within.includes(name)
      ? rootFields(fragment.selectionSet, fragments, [...within, name])
      : [];
  });

const checkOnce = (
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): void => {
  if (operation.operation !== 'mutation') return;
  const asked = rootFields(operation.selectionSet, fragments).filter((name) => oncePerRequest.has(name));
  if (asked.length > 1) throw tooComplex(`${asked[0]} goes alone, once in a request`);
};

/**
 * The parsed text, or null where it is no GraphQL, which is for others to word.
 * @throws RequestError QUERY_TOO_COMPLEX
 */
export const parseWithinLimits = (text: string): DocumentNode | null => {
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens: limits.tokens, noLocation: false });
  } catch (error) {
    if (error instanceof Error && error.message.includes('Parsing aborted'))
      throw tooComplex(`it has more than ${limits.tokens} tokens`);
    // Nesting too deep for the parser's own recursion.
    if (error instanceof RangeError) throw tooComplex(`it is more than ${limits.depth} levels deep`);
    return null;
  }
  measure(document);
  return document;
};

/**
 * Texts that were found within the limits need not be measured again.
 * @param check what else a document has to stand, by throwing
 */
export const createAdmission = (
  check: (document: DocumentNode) => void,
  most = 5_000,
): ((text: string) => void) => {
  const admitted = new Set<string>();
  return (text) => {
    const digest = createHash('sha256').update(text).digest('base64');
    if (admitted.has(digest)) return;
    const document = parseWithinLimits(text);
    if (document === null) return;
    check(document);
    if (admitted.size >= most) admitted.delete(admitted.values().next().value!);
    admitted.add(digest);
  };
};

/** @throws RequestError BAD_USER_INPUT for variables nested beyond any input type of ours */
export const checkVariables = (variables: unknown): void => {
  let level: unknown[] = [variables];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.variableDepth)
      throw new RequestError(
        'BAD_USER_INPUT',
        `Variables may be ${limits.variableDepth} levels deep at most.`,
        {
          path: ['variables'],
        },
      );
    level = level
      .filter((value): value is object => typeof value === 'object' && value !== null)
      .flatMap((value): unknown[] => Object.values(value));
  }
};

/** characters of what is wrong with a variable: graphql-js quotes the whole of it */
const longestMessage = 500;

/**
 * The variables as the operation wants them, defaults filled in.
 * @throws GraphQLError BAD_USER_INPUT for the first that is wrong. All of them are not told: there may be thousands in
 * one request, and each message would repeat the request.
 */
export const readVariables = (
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Readonly<Record<string, unknown>> | null | undefined,
): Record<string, unknown> => {
  const { coerced, errors } = getVariableValues(schema, variableDefinitions, given ?? {}, { maxErrors: 1 });
  if (coerced) return coerced;
  const { message, nodes } = errors[0]!;
  throw new GraphQLError(message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message, {
    nodes,
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  });
};
