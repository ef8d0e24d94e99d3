// Operations that were asked for before, planned and compiled: nothing of a known one is parsed, validated or planned
// again. Bounded by the bytes they hold, and made anew with each supergraph.
import {
  type DocumentNode,
  getOperationAST,
  type OperationDefinitionNode,
  print,
  separateOperations,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { compileOperation } from '../execute/compile.ts';
import type { FormatError, Operation } from '../execute/operation.ts';
import type { Supergraph } from '../plan/supergraph.ts';
import type { Transport } from '../transport/transport.ts';

export type Prepared<Asking> = {
  readonly operation: Operation<Asking>;
  /** valid, and within all limits */
  readonly document: DocumentNode;
  readonly definition: OperationDefinitionNode;
};

export type Operations<Asking> = {
  readonly supergraph: Supergraph;
  /** What was prepared before; costs a look into a map. */
  readonly known: (text: string, operationName: string | undefined) => Prepared<Asking> | undefined;
  /**
   * Plans and compiles, once for all who ask meanwhile.
   * @param document of the text: valid, and within all limits
   * @throws RequestError DEADLINE_EXCEEDED where planning takes too long; GraphQLError where it cannot be planned
   */
  readonly prepare: (
    text: string,
    operationName: string | undefined,
    document: DocumentNode,
  ) => Promise<Prepared<Asking>>;
  /** the most used last, to warm the operations of a newer supergraph */
  readonly texts: () => { readonly text: string; readonly operationName: string | undefined }[];
  readonly count: () => number;
  readonly bytes: () => number;
};

type Options<Asking> = {
  readonly supergraph: Supergraph;
  readonly transports: ReadonlyMap<string, Transport<Asking>>;
  readonly formatError?: FormatError<Asking>;
  /** bytes of operations that are kept */
  readonly most?: number;
};

/** The planner has a deadline of its own. */
const never = new AbortController().signal;

/** No name has a line's end in it, so no two keys are the same. */
const keyOf = (text: string, operationName: string | undefined): string =>
  operationName === undefined ? text : `${operationName}\n${text}`;

export const createOperations = <Asking>({
  supergraph,
  transports,
  formatError,
  most = 64 * 1024 * 1024,
}: Options<Asking>): Operations<Asking> => {
  type Entry = Prepared<Asking> & { readonly text: string; readonly operationName: string | undefined };
  const kept = new LRUCache<string, Entry>({
    maxSize: most,
    sizeCalculation: ({ operation, text }) => operation.weight + 2 * text.length,
  });
  const underWay = new Map<string, Promise<Entry>>();

  const make = async (
    text: string,
    operationName: string | undefined,
    document: DocumentNode,
  ): Promise<Entry> => {
    const definition = getOperationAST(document, operationName)!;
    // Other operations of the document are none of this one's affair.
    const alone = separateOperations(document)[definition.name?.value ?? '']!;
    const operation = compileOperation<Asking>({
      supergraph,
      document: alone,
      plan: await supergraph.planner.plan(print(alone), undefined, never),
      transports,
      ...(formatError && { formatError }),
    });
    const entry = { operation, document: alone, definition, text, operationName };
    kept.set(keyOf(text, operationName), entry);
    return entry;
  };

  return {
    supergraph,
    known: (text, operationName) => kept.get(keyOf(text, operationName)),
    prepare: (text, operationName, document) => {
      const key = keyOf(text, operationName);
      const known = kept.get(key);
      if (known) return Promise.resolve(known);
      let making = underWay.get(key);
      if (!making) {
        making = make(text, operationName, document).finally(() => underWay.delete(key));
        underWay.set(key, making);
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
