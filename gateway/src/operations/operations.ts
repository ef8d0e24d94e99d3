// Operations that were asked for before, planned and compiled: nothing of a known one is parsed, validated or planned
// again. Bounded by the bytes they hold, and made anew with each supergraph.
import { RequestError } from '@orderstream/runtime/errors';
import {
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  separateOperations,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Authority, Guard } from '../auth/authority.ts';
import type { Standing } from '../auth/standing.ts';
import { compileOperation } from '../execute/compile.ts';
import type { FormatError, Operation } from '../execute/operation.ts';
import type { OperationCost } from '../limits/cost.ts';
import type { Supergraph } from '../plan/supergraph.ts';
import type { Transport } from '../transport/transport.ts';
import { completed } from './completed.ts';

/** An operation as it was asked for, whoever asks. */
export type Known<Asking> = {
  /** as it came */
  readonly text: string;
  readonly definition: OperationDefinitionNode;
  /** the operation alone with its fragments: valid, and within all limits */
  readonly document: DocumentNode;
  /** whether it asks for the schema itself, which not everybody may see */
  readonly looksAtSchema: boolean;
  /** whether it asks for anything that not everybody may see */
  readonly isGuarded: boolean;
  /** null where costs are not counted */
  readonly cost: OperationCost | null;
  /** bytes */
  readonly weight: number;
  /**
   * What to run for somebody; undefined where it has not been prepared for those who may see as much.
   */
  readonly for: (asking: Asking) => Operation<Asking> | undefined;
};

export type Operations<Asking> = {
  readonly supergraph: Supergraph;
  /** What was prepared before; costs a look into a map. */
  readonly known: (text: string, operationName: string | undefined) => Known<Asking> | undefined;
  /**
   * Plans and compiles, once for all who ask meanwhile.
   * @param document of the text: valid, and within all limits
   * @throws RequestError BAD_USER_INPUT for a root that the schema has not got, DEADLINE_EXCEEDED or INTERNAL where it cannot be planned, UNAUTHENTICATED or FORBIDDEN where
   *   nothing of it may be seen
   */
  readonly prepare: (
    text: string,
    operationName: string | undefined,
    document: DocumentNode,
    asking: Asking,
  ) => Promise<Operation<Asking>>;
  /** the most used last, to warm the operations of a newer supergraph */
  readonly texts: () => { readonly text: string; readonly operationName: string | undefined }[];
  readonly count: () => number;
  readonly bytes: () => number;
};

type Options<Asking> = {
  readonly supergraph: Supergraph;
  readonly transports: ReadonlyMap<string, Transport<Asking>>;
  readonly formatError?: FormatError<Asking>;
  /** what is guarded by the supergraph's directives, and how somebody stands */
  readonly guarded?: { readonly authority: Authority; readonly standingOf: (asking: Asking) => Standing };
  readonly costOf?: (document: DocumentNode) => OperationCost;
  /** what is put around each operation, such as sharing its runs */
  readonly wrap?: (operation: Operation<Asking>) => Operation<Asking>;
  /** bytes of operations that are kept */
  readonly most?: number;
};

/** The planner has a deadline of its own. */
const never = new AbortController().signal;

/** No name has a line's end in it, so no two keys are the same. */
const keyOf = (text: string, operationName: string | undefined): string =>
  operationName === undefined ? text : `${operationName}\n${text}`;

const looksAtSchema = ({ definitions }: DocumentNode): boolean => {
  const look = (set: SelectionSetNode): boolean =>
    set.selections.some((node) =>
      node.kind === Kind.FIELD
        ? node.name.value === '__schema' || node.name.value === '__type'
        : node.kind === Kind.INLINE_FRAGMENT && look(node.selectionSet),
    );
  return definitions.some((one) => 'selectionSet' in one && look(one.selectionSet));
};

/** Validation lets a document pass that asks for a root of which the schema has none; a planner may know more. */
const checkRoot = (
  apiSchema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
): void => {
  const { operation } = getOperationAST(document, operationName)!;
  if (!apiSchema.getRootType(operation))
    throw new RequestError('BAD_USER_INPUT', `Nothing can be asked for here by a ${operation}.`);
};

class Entry<Asking> implements Known<Asking> {
  readonly text: string;
  readonly operationName: string | undefined;
  readonly definition: OperationDefinitionNode;
  readonly document: DocumentNode;
  readonly looksAtSchema: boolean;
  readonly cost: OperationCost | null;
  readonly #guard: Guard | null;
  readonly #standingOf: (asking: Asking) => Standing;
  /** by what may be seen of it */
  readonly #variants = new Map<string, Operation<Asking>>();

  constructor(
    text: string,
    operationName: string | undefined,
    document: DocumentNode,
    { guarded, costOf }: Options<Asking>,
  ) {
    this.text = text;
    this.operationName = operationName;
    this.definition = getOperationAST(document, operationName)!;
    // Other operations of the document are none of this one's affair.
    this.document = separateOperations(document)[this.definition.name?.value ?? '']!;
    this.looksAtSchema = looksAtSchema(this.document);
    this.cost = costOf?.(this.document) ?? null;
    this.#guard = guarded?.authority.guard(this.document, null) ?? null;
    this.#standingOf =
      guarded?.standingOf ?? (() => ({ isSignedIn: false, scopes: new Set(), policies: new Set() }));
  }

  get isGuarded(): boolean {
    return this.#guard !== null;
  }

  get weight(): number {
    let weight = 2 * this.text.length + 1_000;
    for (const { weight: each } of this.#variants.values()) weight += each;
    return weight;
  }

  keyFor(asking: Asking): string {
    return this.#guard ? this.#guard.keyFor(this.#standingOf(asking)) : '';
  }

  for(asking: Asking): Operation<Asking> | undefined {
    return this.#variants.get(this.keyFor(asking));
  }

  authorize(asking: Asking) {
    return this.#guard?.authorize(this.#standingOf(asking)) ?? { document: this.document, complete: null };
  }

  keep(key: string, operation: Operation<Asking>): void {
    this.#variants.set(key, operation);
  }
}

export const createOperations = <Asking>(options: Options<Asking>): Operations<Asking> => {
  const { supergraph, transports, formatError, most = 64 * 1024 * 1024 } = options;
  const kept = new LRUCache<string, Entry<Asking>>({
    maxSize: most,
    sizeCalculation: ({ weight }) => weight,
  });
  const underWay = new Map<string, Promise<Operation<Asking>>>();

  const make = async (
    entry: Entry<Asking>,
    place: string,
    key: string,
    asking: Asking,
  ): Promise<Operation<Asking>> => {
    const { document, complete } = entry.authorize(asking);
    const compiled = compileOperation<Asking>({
      supergraph,
      document,
      plan: await supergraph.planner.plan(print(document), undefined, never),
      transports,
      ...(formatError && { formatError }),
    });
    const whole = complete ? completed(compiled, complete, formatError) : compiled;
    const operation = options.wrap ? options.wrap(whole) : whole;
    entry.keep(key, operation);
    // Weighed anew.
    kept.set(place, entry);
    return operation;
  };

  return {
    supergraph,
    known: (text, operationName) => kept.get(keyOf(text, operationName)),
    prepare: async (text, operationName, document, asking) => {
      checkRoot(supergraph.apiSchema, document, operationName);
      const place = keyOf(text, operationName);
      const entry = kept.get(place) ?? new Entry(text, operationName, document, options);
      const key = entry.keyFor(asking);
      const known = entry.for(asking);
      if (known) return known;
      const errand = `${key}\n${place}`;
      let making = underWay.get(errand);
      if (!making) {
        making = make(entry, place, key, asking).finally(() => underWay.delete(errand));
        underWay.set(errand, making);
      }
      return making;
    },
    texts: () =>
      [...kept.rvalues()].flatMap((entry) =>
        entry ? [{ text: entry.text, operationName: entry.operationName }] : [],
      ),
    count: () => kept.size,
    bytes: () => kept.calculatedSize,
  };
};
